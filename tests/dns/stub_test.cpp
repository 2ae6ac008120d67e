#include "dns/stub.h"

#include <gtest/gtest.h>

#include "tests/dns/wire.h"

namespace causeway::dns {
namespace {

using namespace std::chrono_literals;
using namespace test;
using engine::DnsAction;
using engine::DnsRequestId;
using engine::DnsStreamId;
using Kind = DnsAction::Kind;

const packet::Endpoint kPeer = *packet::Endpoint::parse("10.0.0.2:40000");
const packet::Endpoint kStub = *packet::Endpoint::parse("10.255.255.53:53");

class StubTest : public testing::Test {
 protected:
  explicit StubTest(const StubConfig& config = {}) : stub(make_rules(), config, random) {
    stub.link_changed(true, now);
  }

  static Rules make_rules() {
    RulesConfig config;
    config.namespaces = {"shop"};
    return *Rules::create(config);
  }

  void datagram(const Message& message) { stub.datagram(kPeer, kStub, message, now); }
  static Message question_of(std::string_view text, std::uint16_t id = 1, std::optional<Edns> edns = std::nullopt) {
    Query asked = query(text, kTypeA, id);
    asked.edns = edns;
    return encode_query(asked, edns ? edns->udp_size : 0);
  }
  static Message framed(const Message& message) {
    return bytes({int(message.size() >> 8), int(message.size() & 255)}) + message;
  }

  std::vector<DnsAction> actions() {
    std::vector<DnsAction> out;
    stub.take_actions(out);
    return out;
  }
  // The one action there is, of this kind.
  DnsAction action(Kind kind) {
    std::vector<DnsAction> all = actions();
    if (all.size() != 1 || all[0].kind != kind) {
      ADD_FAILURE() << all.size() << " actions, the first of kind " << (all.empty() ? -1 : int(all[0].kind));
      return DnsAction{};
    }
    return std::move(all[0]);
  }
  void cluster_says(const DnsAction& ask, std::vector<Rr> answers, int rcode = 0) {
    Query sent = parse_query(ask.message).query;
    Parts parts;
    parts.id = sent.id;
    parts.flags = std::uint16_t(kAnswer | rcode);
    parts.questions = {sent.question};
    parts.answers = std::move(answers);
    stub.cluster_answered(ask.request, encode(parts), now);
  }
  static std::vector<Rr> many(int count) {
    std::vector<Rr> out;
    for (int i = 0; i < count; ++i) out.push_back({bytes({0xc0, 12}), kTypeA, 60, bytes({10, 0, 0, i})});
    return out;
  }

  SeededRandom random{1};
  Instant now{1h};
  Stub stub;
};

TEST_F(StubTest, AQuestionOfThisProcessIsAnsweredToWhoAskedAtAnyLength) {
  stub.asked(42, question_of("many.shop", 0x4242), now);
  cluster_says(action(Kind::kAskCluster), many(100));
  DnsAction answer = action(Kind::kAnswerAsked);
  EXPECT_EQ(answer.request, 42u);
  AnswerView view = *parse_answer(answer.message);
  EXPECT_EQ(view.head.id, 0x4242);
  EXPECT_EQ(view.answers, 100u);
  EXPECT_FALSE(answer.message[2] & 2) << "not truncated";
  EXPECT_EQ(stub.waiting(), 0u);
  EXPECT_EQ(stub.memory(), 0u);
}

TEST_F(StubTest, ProgramsAndThisProcessThatAskTheSameShareOneQuestion) {
  datagram(question_of("orders.shop", 1));
  DnsAction ask = action(Kind::kAskCluster);
  stub.asked(42, question_of("orders.shop", 2), now);
  cluster_says(ask, many(1));
  std::vector<DnsAction> answers = actions();
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].kind, Kind::kAnswerDatagram);
  EXPECT_EQ(answers[1].kind, Kind::kAnswerAsked);
}

TEST_F(StubTest, AnswersADatagramFromTheAddressThatWasAsked) {
  datagram(question_of("Orders.Shop", 0x4242));
  DnsAction ask = action(Kind::kAskCluster);
  EXPECT_EQ(stub.waiting(), 1u);
  EXPECT_GT(stub.memory(), 0u);
  cluster_says(ask, many(1));
  DnsAction answer = action(Kind::kAnswerDatagram);
  EXPECT_EQ(answer.peer, kPeer);
  EXPECT_EQ(answer.local, kStub);
  AnswerView view = *parse_answer(answer.message);
  EXPECT_EQ(view.head.id, 0x4242);
  EXPECT_EQ(view.head.question->name.text(), "Orders.Shop");
  EXPECT_EQ(view.answers, 1u);
  EXPECT_EQ(stub.waiting(), 0u);
  EXPECT_EQ(stub.memory(), 0u);
}

TEST_F(StubTest, EveryAskerOfTheSameGetsHisOwnIdAndCase) {
  datagram(question_of("orders.shop", 1));
  DnsAction ask = action(Kind::kAskCluster);
  datagram(question_of("ORDERS.shop", 2));
  stub.stream_opened(5, now);
  stub.stream_received(5, framed(question_of("orders.SHOP", 3)), now);
  cluster_says(ask, many(1));
  std::vector<DnsAction> all = actions();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(parse_answer(all[0].message)->head.question->name.text(), "orders.shop");
  EXPECT_EQ(parse_answer(all[1].message)->head.id, 2);
  EXPECT_EQ(parse_answer(all[1].message)->head.question->name.text(), "ORDERS.shop");
  EXPECT_EQ(all[2].kind, Kind::kAnswerStream);
  EXPECT_EQ(load16(all[2].message.data()), all[2].message.size() - 2);
  EXPECT_EQ(parse_answer(Bytes(all[2].message).subspan(2))->head.question->name.text(), "orders.SHOP");
}

TEST_F(StubTest, HostileDatagramsGetTheAnswerTheyDeserve) {
  datagram({});
  datagram(Message(11, 0));
  datagram(Message(12, 0xff));  // an answer
  EXPECT_TRUE(actions().empty());
  EXPECT_EQ(stub.counters().dropped, 3u);
  datagram(Message(12, 0));
  EXPECT_EQ(rcode_of(action(Kind::kAnswerDatagram).message), 1);
  Message update(12, 0);
  update[2] = 5 << 3;
  datagram(update);
  EXPECT_EQ(rcode_of(action(Kind::kAnswerDatagram).message), 4);
  Query edns = query("orders.shop");
  Parts parts;
  parts.questions = {edns.question};
  parts.additional = {opt(1232, 0, 7)};
  datagram(encode(parts));
  Message bad_version = action(Kind::kAnswerDatagram).message;
  EXPECT_EQ(parse_answer(bad_version)->head.rcode, Rcode::kBadVersion);
  stub.datagram({kPeer.address, 0}, kStub, question_of("orders.shop"), now);
  EXPECT_TRUE(actions().empty()) << "nobody can be answered at port 0";
  EXPECT_EQ(stub.memory(), 0u);
}

TEST_F(StubTest, ZoneTransfersAreRefused) {
  for (std::uint16_t type : {kTypeAxfr, kTypeIxfr}) {
    datagram(encode_query(query("shop.svc.cluster.local", type), 0));
    EXPECT_EQ(rcode_of(action(Kind::kAnswerDatagram).message), 5);
  }
}

TEST_F(StubTest, ALongAnswerIsTruncatedByTheAskersLimitAndWholeOverTcp) {
  struct Case {
    std::optional<Edns> edns;
    int records;
    bool truncated;
  };
  for (const Case& c :
       {Case{std::nullopt, 30, false}, Case{std::nullopt, 31, true}, Case{Edns{100, false}, 31, true},
        Case{Edns{100, false}, 25, false}, Case{Edns{1232, false}, 60, false}, Case{Edns{1232, false}, 80, true},
        Case{Edns{65535, false}, 250, false}, Case{Edns{65535, false}, 254, true}}) {
    now += 60s;  // the last answer is not kept as long
    datagram(question_of("orders.shop", 1, c.edns));
    cluster_says(action(Kind::kAskCluster), many(c.records));
    Message answer = action(Kind::kAnswerDatagram).message;
    EXPECT_EQ(bool(flags_of(answer) & kFlagTruncated), c.truncated) << c.records;
    EXPECT_EQ(parse_answer(answer)->answers, c.truncated ? 0u : std::size_t(c.records));
    EXPECT_LE(answer.size(), std::max<std::size_t>(512, std::min<std::size_t>(4096, c.edns ? c.edns->udp_size : 0)));
  }
  now += 60s;
  stub.stream_opened(1, now);
  stub.stream_received(1, framed(question_of("orders.shop")), now);
  cluster_says(action(Kind::kAskCluster), many(3000));
  Message answer = action(Kind::kAnswerStream).message;
  EXPECT_EQ(parse_answer(Bytes(answer).subspan(2))->answers, 3000u);
}

TEST_F(StubTest, PipelinedQuestionsAreAnsweredAsTheirAnswersCome) {
  stub.stream_opened(1, now);
  Message both = framed(question_of("a.shop", 1)) + framed(question_of("b.shop", 2)) + framed(question_of("wpad", 3));
  stub.stream_received(1, both, now);
  std::vector<DnsAction> all = actions();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[2].kind, Kind::kAnswerStream) << "what is known is answered before what is asked";
  EXPECT_EQ(load16(all[2].message.data() + 2), 3);
  cluster_says(all[1], many(1));
  EXPECT_EQ(load16(action(Kind::kAnswerStream).message.data() + 2), 2) << "out of order";
  cluster_says(all[0], many(1));
  EXPECT_EQ(load16(action(Kind::kAnswerStream).message.data() + 2), 1);
  EXPECT_EQ(stub.streams(), 1u) << "the peer may ask more";
}

TEST_F(StubTest, AMessageMayComeByteByByte) {
  stub.stream_opened(1, now);
  Message message = framed(question_of("orders.shop"));
  for (std::size_t i = 0; i < message.size(); ++i) {
    EXPECT_TRUE(actions().empty());
    stub.stream_received(1, Bytes(message).subspan(i, 1), now);
  }
  action(Kind::kAskCluster);
}

TEST_F(StubTest, AFinishedStreamIsClosedOnceAllIsAnswered) {
  stub.stream_opened(1, now);
  stub.stream_received(1, framed(question_of("orders.shop")), now);
  stub.stream_finished(1, now);
  DnsAction ask = action(Kind::kAskCluster);
  stub.stream_received(1, framed(question_of("late.shop")), now);
  EXPECT_TRUE(actions().empty()) << "nothing comes behind the end";
  cluster_says(ask, many(1));
  std::vector<DnsAction> all = actions();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].kind, Kind::kAnswerStream);
  EXPECT_EQ(all[1].kind, Kind::kCloseStream);
  EXPECT_EQ(stub.streams(), 0u);
  stub.stream_opened(2, now);
  stub.stream_finished(2, now);
  action(Kind::kCloseStream);
  stub.stream_finished(2, now);
  EXPECT_TRUE(actions().empty());
}

TEST_F(StubTest, AnIdleStreamIsClosedAfterThirtySeconds) {
  stub.stream_opened(1, now);
  now += 20s;
  stub.stream_opened(2, now);
  stub.stream_received(2, bytes({0}), now);
  EXPECT_EQ(stub.deadline(), now + 10s);
  now += 10s;
  stub.advance(now);
  EXPECT_EQ(action(Kind::kCloseStream).stream, 1u);
  now += 20s;
  stub.advance(now);
  EXPECT_EQ(action(Kind::kCloseStream).stream, 2u) << "half a message does not keep a stream";
  EXPECT_EQ(stub.memory(), 0u);
}

class SmallStub : public StubTest {
 protected:
  SmallStub() : StubTest(small()) {}
  static StubConfig small() {
    StubConfig config;
    config.max_waiting = 3;
    config.max_streams = 2;
    config.max_stream_bytes = 1000;
    config.stream_idle = 5s;
    return config;
  }
};

TEST_F(SmallStub, TooManyWaitingQuestionsAreAnsweredServfail) {
  for (int i = 0; i < 3; ++i) datagram(question_of("s" + std::to_string(i) + ".shop"));
  std::vector<DnsAction> asks = actions();
  ASSERT_EQ(asks.size(), 3u);
  datagram(question_of("s0.shop"));
  EXPECT_EQ(rcode_of(action(Kind::kAnswerDatagram).message), 2);
  EXPECT_EQ(stub.counters().overflowed, 1u);
  cluster_says(asks[0], many(1));
  actions();
  datagram(question_of("s4.shop"));
  action(Kind::kAskCluster);
}

TEST_F(SmallStub, TheLongestIdleStreamMakesRoomAndBusyOnesDoNot) {
  stub.stream_opened(1, now);
  stub.stream_opened(2, now + 1s);
  stub.stream_opened(3, now + 2s);
  EXPECT_EQ(action(Kind::kCloseStream).stream, 1u);
  stub.stream_received(2, framed(question_of("a.shop")), now);
  stub.stream_received(3, framed(question_of("b.shop")), now);
  actions();
  stub.stream_opened(4, now);
  EXPECT_EQ(action(Kind::kCloseStream).stream, 4u);
  EXPECT_EQ(stub.streams(), 2u);
  stub.stream_received(4, framed(question_of("c.shop")), now);
  EXPECT_TRUE(actions().empty()) << "a stream that was closed says nothing more";
}

TEST_F(SmallStub, AStreamThatWaitsForAnAnswerIsNotIdle) {
  stub.stream_opened(1, now);
  stub.stream_received(1, framed(question_of("a.b.c.example")), now);
  action(Kind::kAskMachine);
  now += 11s;
  stub.advance(now);
  EXPECT_TRUE(actions().empty());
  now += 1s;
  stub.advance(now);
  std::vector<DnsAction> all = actions();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].kind, Kind::kForget);
  EXPECT_EQ(all[1].kind, Kind::kAnswerStream);
  EXPECT_EQ(stub.deadline(), now + 5s) << "idle from its last answer on";
}

TEST_F(SmallStub, PartsOfMessagesAreBoundedOverAllStreams) {
  stub.stream_opened(1, now);
  stub.stream_opened(2, now);
  Message part = bytes({0xff, 0xff}) + Message(598, 0);
  stub.stream_received(1, part, now);
  EXPECT_TRUE(actions().empty());
  EXPECT_EQ(stub.memory(), 600u);
  stub.stream_received(2, part, now);
  EXPECT_EQ(action(Kind::kCloseStream).stream, 2u);
  EXPECT_EQ(stub.memory(), 600u);
}

TEST_F(SmallStub, AnAnswerForAStreamThatIsGoneIsDropped) {
  stub.stream_opened(1, now);
  stub.stream_received(1, framed(question_of("a.shop")), now);
  DnsAction ask = action(Kind::kAskCluster);
  stub.stream_received(1, bytes({0xff, 0xff}) + Message(1100, 0), now);
  action(Kind::kCloseStream);
  cluster_says(ask, many(1));
  EXPECT_TRUE(actions().empty());
  EXPECT_EQ(stub.memory(), 0u);
  EXPECT_EQ(stub.waiting(), 0u);
}

TEST_F(StubTest, WaitingQuestionsAreBoundedInBytesToo) {
  StubConfig config;
  config.max_waiting_bytes = 10000;
  Stub bounded(make_rules(), config, random);
  bounded.link_changed(true, now);
  for (int i = 0; i < 100; ++i) bounded.datagram(kPeer, kStub, question_of("s" + std::to_string(i) + ".shop"), now);
  EXPECT_LE(bounded.memory(), 10000u);
  EXPECT_GT(bounded.waiting(), 5u);
  EXPECT_EQ(bounded.counters().overflowed, 100 - bounded.waiting());
}

TEST_F(StubTest, FailuresAreExplainedToThoseWhoCanReadIt) {
  stub.link_changed(false, now);
  datagram(question_of("orders.shop", 1, Edns{1232, false}));
  Message answer = action(Kind::kAnswerDatagram).message;
  EXPECT_EQ(rcode_of(answer), 2);
  EXPECT_NE(as_text(answer).find("the link to the cluster is down"), std::string_view::npos);
  EXPECT_EQ(stub.counters().servfail, 1u);
}

TEST_F(StubTest, TheDeadlineIsTheNextThingDue) {
  EXPECT_EQ(stub.deadline(), kNever);
  datagram(question_of("orders.shop"));
  EXPECT_EQ(stub.deadline(), now + 4s);
  now += 4s;
  stub.advance(now);
  EXPECT_EQ(stub.deadline(), kNever);
  EXPECT_EQ(stub.waiting(), 0u);
}

}  // namespace
}  // namespace causeway::dns
