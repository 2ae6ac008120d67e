// The whole of DNS: hostile programs, hostile servers, a link that comes and goes, in any order. Everyone who waits is answered,
// and nothing is kept.
#include "dns/stub.h"

#include "tests/dns/wire.h"
#include "tests/fuzz/target.h"

namespace causeway::fuzz {
namespace {

using namespace dns;
using engine::DnsAction;

class World {
 public:
  World() : stub_(rules(), config(), random_) { stub_.link_changed(true, now_); }

  void step(Input& input) {
    std::uint8_t choice = input.byte();
    switch (choice % 10) {
      case 0:
        if (choice < 200) {
          stub_.datagram(peer_, local_, input.chunk(), now_);
        } else {
          stub_.asked(choice, input.chunk(), now_);
        }
        break;
      case 1:
        stub_.stream_opened(++last_stream_, now_);
        open_.push_back(last_stream_);
        break;
      case 2: stub_.stream_received(some_stream(choice), input.chunk(), now_); break;
      case 3: stub_.stream_finished(some_stream(choice), now_); break;
      case 4:
      case 5: answer_with(choice, input.chunk()); break;
      case 6: honest_answer(choice); break;
      case 7:
        if (!asked_.empty()) fail(take(choice), engine::DnsFailure(choice / 10 % 4));
        break;
      case 8: stub_.link_changed(choice & 16, now_); break;
      case 9:
        now_ += std::chrono::milliseconds(int(choice) * 20);
        stub_.advance(now_);
        CAUSEWAY_ASSERT(stub_.deadline() > now_);
        break;
    }
    take_actions();
  }

  bool finish() {
    for (int i = 0; i < 4; ++i) {
      now_ += std::chrono::seconds(40);
      stub_.advance(now_);
      take_actions();
    }
    CAUSEWAY_ASSERT(stub_.waiting() == 0 && stub_.streams() == 0 && stub_.memory() == 0);
    CAUSEWAY_ASSERT(stub_.deadline() == kNever);
    return useful_ > 0;
  }

 private:
  static Rules rules() {
    RulesConfig config;
    config.namespaces = {"shop"};
    config.short_namespace = "shop";
    config.routes = {*packet::Cidr::parse("10.96.0.0/12")};
    return *Rules::create(config);
  }
  static StubConfig config() {
    StubConfig out;
    out.max_waiting = 16;
    out.max_streams = 4;
    out.max_stream_bytes = 4096;
    out.resolver.max_namespaces = 4;
    return out;
  }

  engine::DnsStreamId some_stream(std::uint8_t choice) const {
    return open_.empty() ? 0 : open_[choice / 10 % open_.size()];
  }

  void take_actions() {
    std::vector<DnsAction> actions;
    stub_.take_actions(actions);
    for (DnsAction& action : actions) {
      switch (action.kind) {
        case DnsAction::Kind::kAskCluster:
        case DnsAction::Kind::kAskMachine:
          CAUSEWAY_ASSERT(parse_query(action.message).verdict == ParsedQuery::Verdict::kGood);
          asked_.push_back(std::move(action));
          break;
        case DnsAction::Kind::kAnswerAsked:
          CAUSEWAY_ASSERT(action.message.size() >= kHeaderSize && action.message[2] & 0x80);
          ++useful_;
          break;
        case DnsAction::Kind::kAnswerDatagram:
          CAUSEWAY_ASSERT(action.message.size() <= 4096 && action.message.size() >= kHeaderSize);
          CAUSEWAY_ASSERT(action.message[2] & 0x80);
          ++useful_;
          break;
        case DnsAction::Kind::kAnswerStream:
          CAUSEWAY_ASSERT(load16(action.message.data()) + 2u == action.message.size());
          ++useful_;
          break;
        default: break;
      }
    }
  }

  DnsAction take(std::uint8_t choice) {
    std::swap(asked_.back(), asked_[choice / 10 % asked_.size()]);
    DnsAction out = std::move(asked_.back());
    asked_.pop_back();
    return out;
  }

  void deliver(const DnsAction& ask, Bytes message) {
    if (ask.kind == DnsAction::Kind::kAskCluster) {
      stub_.cluster_answered(ask.request, message, now_);
    } else {
      stub_.machine_answered(ask.request, message, now_);
    }
  }
  void fail(const DnsAction& ask, engine::DnsFailure why) {
    if (ask.kind == DnsAction::Kind::kAskCluster) {
      stub_.cluster_failed(ask.request, why, now_);
    } else {
      stub_.machine_failed(ask.request, why, now_);
    }
  }

  // The header and question that are expected, with what the input says behind them: otherwise no input would get far.
  void answer_with(std::uint8_t choice, Bytes behind) {
    if (asked_.empty()) return;
    DnsAction ask = take(choice);
    Query sent = parse_query(ask.message).query;
    Blob message(ask.message.begin(),
                 ask.message.begin() + std::ptrdiff_t(kHeaderSize + sent.question.name.wire().size() + 4));
    message[2] |= 0x80;
    if (choice % 10 == 5) {
      message = blob(behind);
      if (message.size() >= 2) std::copy_n(ask.message.begin(), 2, message.begin());
    } else {
      Input input(behind);
      message[3] = input.byte();
      for (std::size_t count : {7, 9, 11}) message[count] = std::uint8_t(input.byte() % 8);
      message = message + blob(input.rest());
    }
    deliver(ask, message);
  }

  void honest_answer(std::uint8_t choice) {
    if (asked_.empty()) return;
    DnsAction ask = take(choice);
    Query sent = parse_query(ask.message).query;
    test::Parts parts;
    parts.id = sent.id;
    parts.flags = std::uint16_t(test::kAnswer | (choice & 32 ? 3 : 0));
    parts.questions = {sent.question};
    if (!(choice & 32)) parts.answers = {{blob({0xc0, 12}), sent.question.type, 5, blob({10, 0, 0, 1})}};
    deliver(ask, test::encode(parts));
  }

  SeededRandom random_{1};
  Instant now_{std::chrono::hours(1)};
  packet::Endpoint peer_ = *packet::Endpoint::parse("10.0.0.2:40000"),
                   local_ = *packet::Endpoint::parse("10.255.255.53:53");
  Stub stub_;
  engine::DnsStreamId last_stream_ = 0;
  std::vector<engine::DnsStreamId> open_;
  std::vector<DnsAction> asked_;
  std::size_t useful_ = 0;
};

bool run(Bytes bytes) {
  Input input(bytes);
  World world;
  while (!input.empty()) world.step(input);
  return world.finish();
}

std::vector<Seed> seeds() {
  auto ask = [](std::string_view name, std::uint16_t type = kTypeA) {
    return encode_query(test::query(name, type), 0);
  };
  Blob udp = blob({0}), here = blob({200}), open = blob({1}), tcp = blob({2}), end = blob({3}), honest = blob({6}), no = blob({46}),
       later = blob({239});
  auto framed = [](const Blob& message) { return chunk(message); };
  return {
      {udp + chunk(ask("orders.shop")) + honest},
      {here + chunk(ask("orders.shop")) + honest + here + chunk(blob({1, 2, 3}))},
      {udp + chunk(ask("github.com")) + no + honest + udp + chunk(ask("x.com")) + later},
      {open + tcp + chunk(framed(ask("a.shop")) + framed(ask("b.other", kTypeSrv))) + honest + honest + honest + end},
      {open + tcp + chunk(blob({0})) + tcp + chunk(blob({30, 1, 2})) + later + later + later, false},
      {udp + chunk(ask("orders")) + blob({4}) + chunk(blob({0x83, 0, 0, 0}))},
      {udp + chunk(ask("orders.shop")) + blob({8}) + blob({28}) + udp + chunk(ask("wpad"))},
      {udp + chunk(ask("1.0.96.10.in-addr.arpa", kTypePtr)) + blob({7})},
      {udp + chunk(Blob(11, 0)), false},
  };
}

const Registration kRegistration({"dns_stub", run, seeds});

}  // namespace
}  // namespace causeway::fuzz
