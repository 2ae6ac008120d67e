// The handshake and the records of a stream carrier, and what must not succeed.
#include "tests/core/link/carriers.h"
#include "tests/core/noise/keys.h"

namespace causeway::link {
namespace {

using std::chrono::seconds;

Secret<32> secret(std::uint64_t seed) { return carrier_keys(seed).private_key; }

class WithAndWithoutPsk : public testing::TestWithParam<bool> {
 protected:
  std::optional<Secret<32>> psk() const { return GetParam() ? std::optional(secret(5)) : std::nullopt; }
};

TEST_P(WithAndWithoutPsk, RecordsTravelBothWays) {
  Carriers c(psk());
  c.open();
  EXPECT_EQ(c.gateway.wants_psk(), GetParam());
  EXPECT_EQ(c.gateway.peer(), c.client_keys.public_key);
  EXPECT_TRUE(std::equal(c.client.binding().begin(), c.client.binding().end(), c.gateway.binding().begin()));
  send_text(c.gateway, "welcome");
  send_text(c.client, "one");
  send_text(c.client, "two");
  c.exchange();
  EXPECT_EQ(texts(c.client, c.now), std::vector<std::string>{"welcome"});
  EXPECT_EQ(texts(c.gateway, c.now), (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(c.client.records_sent(), 3u);
  EXPECT_EQ(c.gateway.records_received(), 3u);
}

TEST_P(WithAndWithoutPsk, ByteAtATimeDeliveryChangesNothing) {
  Carriers c(psk());
  c.client.start(encode(Hello()), c.now);
  c.exchange(1);
  ASSERT_EQ(c.gateway.state(), CarrierState::kArrived);
  c.gateway.admit(encode(Welcome()), c.psk, c.now);
  c.exchange(1);
  ASSERT_EQ(c.client.state(), CarrierState::kOpen);
  for (int i = 0; i < 20; ++i) send_text(c.client, std::string(std::size_t(i) * 100 + 1, char('a' + i)));
  c.exchange(1);
  auto got = texts(c.gateway, c.now);
  ASSERT_EQ(got.size(), 20u);
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(got[i], std::string(i * 100 + 1, char('a' + i)));
}

TEST_P(WithAndWithoutPsk, EveryFlippedBitOfTheFirstMessageGetsSilence) {
  Carriers c(psk());
  c.client.start(encode(Hello()), c.now);
  Octets first = wire_of(c.client);
  for (std::size_t bit = 0; bit < first.size() * 8; ++bit) {
    Octets flipped = first;
    flipped[bit / 8] ^= std::uint8_t(1 << bit % 8);
    StreamCarrier gateway(c.pool, c.random, c.gateway_keys, c.timing, c.now);
    feed(gateway, flipped, c.now);
    ASSERT_NE(gateway.state(), CarrierState::kArrived) << "bit " << bit;
    gateway.advance(c.now + seconds(60));
    ASSERT_EQ(gateway.state(), CarrierState::kFailed) << "bit " << bit;
    ASSERT_EQ(gateway.unsent(), 0u);
  }
}

TEST_P(WithAndWithoutPsk, EveryFlippedBitOfTheAnswerLeavesTheHandshakePending) {
  Carriers c(psk());
  c.arrive();
  c.gateway.admit(encode(Welcome()), c.psk, c.now);
  Octets answer = wire_of(c.gateway);
  for (std::size_t bit = 16; bit < answer.size() * 8; ++bit) {  // behind the length
    Octets flipped = answer;
    flipped[bit / 8] ^= std::uint8_t(1 << bit % 8);
    feed(c.client, flipped, c.now);
    ASSERT_EQ(c.client.state(), CarrierState::kAnswered) << "bit " << bit;
  }
  feed(c.client, answer, c.now);
  EXPECT_EQ(c.client.state(), CarrierState::kOpen);
}

TEST_P(WithAndWithoutPsk, GarbageInTheAnswersPlaceDoesNotEndAPendingHandshake) {
  Carriers c(psk());
  c.arrive();
  c.gateway.admit(encode(Welcome()), c.psk, c.now);
  Octets answer = wire_of(c.gateway);
  for (std::size_t size : {0u, 1u, 15u, 47u, 48u, 100u, 1100u, 5000u, 65535u}) {
    Octets garbage(2 + size, 0x5a);
    store16(garbage.data(), std::uint16_t(size));
    feed(c.client, garbage, c.now);
    ASSERT_EQ(c.client.state(), CarrierState::kAnswered) << size;
  }
  // An answer to somebody else is garbage too.
  Carriers other(psk());
  other.random = SeededRandom(99);
  other.arrive();
  other.gateway.admit(encode(Welcome()), other.psk, other.now);
  feed(c.client, wire_of(other.gateway), c.now);
  ASSERT_EQ(c.client.state(), CarrierState::kAnswered);
  feed(c.client, answer, c.now);
  EXPECT_EQ(c.client.state(), CarrierState::kOpen);
}

TEST_P(WithAndWithoutPsk, EveryFlippedBitOfARecordEndsTheCarrier) {
  for (std::size_t bit = 0; bit < (2 + 3 + 16) * 8; ++bit) {
    Carriers c(psk());
    c.open();
    send_text(c.client, "abc");
    send_text(c.client, std::string(StreamCarrier::kMaxRecord, 'x'));  // so that a longer length is satisfied
    Octets wire = wire_of(c.client);
    wire[bit / 8] ^= std::uint8_t(1 << bit % 8);
    feed(c.gateway, wire, c.now);
    auto got = texts(c.gateway, c.now);
    ASSERT_TRUE(got.empty()) << "bit " << bit;
    ASSERT_EQ(c.gateway.records_received(), 1u);
    bool waits_for_more = c.gateway.state() == CarrierState::kOpen && bit < 16;
    ASSERT_TRUE(c.gateway.state() == CarrierState::kFailed || waits_for_more) << "bit " << bit;
  }
}

TEST_P(WithAndWithoutPsk, ARefusalReachesTheClientWithItsReason) {
  Carriers c(psk());
  c.arrive();
  c.gateway.refuse(encode(Refusal{RefusalCode::kUnknownKey, "who is this?"}), c.now);
  EXPECT_EQ(c.gateway.state(), CarrierState::kRefused);
  c.exchange();
  ASSERT_EQ(c.client.state(), CarrierState::kRefused);
  auto answer = parse_answer(c.client.peer_payload());
  ASSERT_TRUE(answer && std::holds_alternative<Refusal>(*answer));
  EXPECT_EQ(std::get<Refusal>(*answer).text, "who is this?");
  EXPECT_TRUE(c.client.record_space().empty());
  // Whatever comes then is thrown away, and memory with it.
  for (int i = 0; i < 20; ++i) feed(c.client, Octets(60000, 1), c.now);
  EXPECT_FALSE(c.client.receive_space().empty());
}

INSTANTIATE_TEST_SUITE_P(Carrier, WithAndWithoutPsk, testing::Bool(),
                         [](const auto& psk) { return psk.param ? "Psk" : "NoPsk"; });

TEST(StreamCarrier, UnderAPskOnlyARefusalMayBeSealedWithoutIt) {
  Carriers c(secret(5));
  c.arrive();
  c.gateway.admit(encode(Welcome()), Secret<32>(), c.now);  // a gateway that does not have the secret
  c.exchange();
  EXPECT_EQ(c.client.state(), CarrierState::kAnswered) << "a welcome without the secret is nothing";
}

TEST(StreamCarrier, APskThatDiffersIsSaidWhenTimeIsUp) {
  Carriers c(secret(5));
  c.arrive();
  c.gateway.admit(encode(Welcome()), secret(6), c.now);
  c.exchange();
  ASSERT_EQ(c.client.state(), CarrierState::kAnswered);
  c.client.advance(c.now + seconds(10));
  ASSERT_EQ(c.client.state(), CarrierState::kFailed);
  EXPECT_NE(c.client.failure().message.find("pre-shared key differs"), std::string::npos);
}

TEST(StreamCarrier, NoAnswerSaysWhatToCompare) {
  Carriers c;
  c.client.start(encode(Hello()), c.now);
  EXPECT_EQ(c.client.deadline(), c.now + seconds(10));
  c.client.advance(c.now + seconds(9));
  EXPECT_EQ(c.client.state(), CarrierState::kAnswered);
  c.client.advance(c.now + seconds(10));
  ASSERT_EQ(c.client.state(), CarrierState::kFailed);
  EXPECT_EQ(c.client.failure().code, ErrorCode::kTimedOut);
  EXPECT_EQ(c.client.failure().message, "no answer: wrong gateway key, or no gateway there");
  EXPECT_TRUE(c.client.receive_space().empty());
}

TEST(StreamCarrier, WhoKnowsAnotherGatewaysKeyGetsSilence) {
  Carriers c;
  StreamCarrier other(c.pool, c.random, carrier_keys(99), c.timing, c.now);
  c.client.start(encode(Hello()), c.now);
  feed(other, wire_of(c.client), c.now);
  EXPECT_EQ(other.state(), CarrierState::kFailed);
  EXPECT_EQ(other.unsent(), 0u);
  EXPECT_NE(other.failure().message.find("mac"), std::string::npos) << "before any curve operation";
}

TEST(StreamCarrier, OtherProtocolsGetSilence) {
  for (std::string_view text : {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "\x16\x03\x01\x02\x00\x01\x00"}) {
    Carriers c;
    feed(c.gateway, as_bytes(text), c.now);
    EXPECT_EQ(c.gateway.state(), CarrierState::kFailed);
    EXPECT_EQ(c.gateway.unsent(), 0u);
  }
  for (std::uint64_t seed = 1; seed < 500; ++seed) {
    Carriers c;
    SeededRandom random(seed);
    Octets noise(random.below(2000) + 3);
    random.fill(noise);
    if (random.below(2)) noise[0] = std::uint8_t(1 + random.below(2));
    if (random.below(2)) store16(&noise[1], std::uint16_t(112 + random.below(1024)));
    feed(c.gateway, noise, c.now, 1 + random.below(100));
    EXPECT_NE(c.gateway.state(), CarrierState::kArrived);
    EXPECT_EQ(c.gateway.unsent(), 0u);
  }
}

TEST(StreamCarrier, TheAnnouncedLengthOfAFirstMessageIsBounded) {
  for (std::size_t size : {0u, 111u, 1137u, 65535u}) {
    Carriers c;
    Octets begin{1, 0, 0};
    store16(&begin[1], std::uint16_t(size));
    feed(c.gateway, begin, c.now);
    EXPECT_EQ(c.gateway.state(), CarrierState::kFailed) << size;
  }
}

TEST(StreamCarrier, WhoHasNotShownWhoHeIsHoldsLittleMemory) {
  Carriers c;
  std::size_t before = c.pool.in_use();
  const Octets begin{1, 2, 0, 7, 7, 7};
  feed(c.gateway, begin, c.now);
  EXPECT_EQ(c.gateway.state(), CarrierState::kIdle);
  EXPECT_LE(c.pool.in_use() - before, 8192u);
}

TEST(StreamCarrier, AGatewayDoesNotWaitForeverForAFirstMessageOrAFirstRecord) {
  Carriers c;
  EXPECT_EQ(c.gateway.deadline(), c.now + seconds(10));
  c.gateway.advance(c.now + seconds(10));
  EXPECT_EQ(c.gateway.state(), CarrierState::kFailed);
  Carriers d;
  d.arrive();
  d.gateway.admit(encode(Welcome()), {}, d.now);
  d.gateway.advance(d.now + seconds(10));
  EXPECT_EQ(d.gateway.state(), CarrierState::kFailed);
}

TEST(StreamCarrier, AReplayedFirstMessageMovesNothing) {
  Carriers c;
  c.client.start(encode(Hello()), c.now);
  Octets first = wire_of(c.client);
  StreamCarrier replayed(c.pool, c.random, c.gateway_keys, c.timing, c.now);
  feed(replayed, first, c.now);
  ASSERT_EQ(replayed.state(), CarrierState::kArrived);
  replayed.admit(encode(Welcome()), {}, c.now);
  EXPECT_EQ(replayed.state(), CarrierState::kAnswered);
  EXPECT_TRUE(replayed.record_space().empty()) << "nothing is sent before the peer showed that it holds the keys";
  feed(replayed, Octets{0, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}, c.now);
  EXPECT_FALSE(replayed.next_record(c.now));
  EXPECT_EQ(replayed.state(), CarrierState::kFailed);
  EXPECT_EQ(replayed.records_received(), 0u);
}

TEST(StreamCarrier, AKeyOfLowOrderIsToldToThePerson) {
  for (const auto& point : noise::low_order_points()) {
    BufferPool pool;
    SeededRandom random(1);
    StreamCarrier client(pool, random, carrier_keys(1), point, {}, {});
    client.start({}, Instant{});
    ASSERT_EQ(client.state(), CarrierState::kFailed);
    EXPECT_EQ(client.failure().code, ErrorCode::kInvalid);
    EXPECT_EQ(client.unsent(), 0u);
  }
}

TEST(StreamCarrier, RecordsOfEverySizeAreTakenAndOtherLengthsEndIt) {
  Carriers c;
  c.open();
  for (std::size_t n : {std::size_t(1), std::size_t(2), std::size_t(1000), StreamCarrier::kMaxRecord}) {
    send_text(c.client, std::string(n, 'r'));
    c.exchange();
    EXPECT_EQ(texts(c.gateway, c.now), std::vector<std::string>{std::string(n, 'r')});
  }
  for (std::size_t size : {std::size_t(0), std::size_t(15), std::size_t(16), StreamCarrier::kMaxRecord + 17, std::size_t(65535)}) {
    Carriers d;
    d.open();
    Octets wire(2 + size);
    store16(wire.data(), std::uint16_t(size));
    feed(d.gateway, Bytes(wire).first(2), d.now);
    EXPECT_FALSE(d.gateway.next_record(d.now));
    EXPECT_EQ(d.gateway.state(), CarrierState::kFailed) << "the length alone is enough: " << size;
  }
}

TEST(StreamCarrier, TheRingWrapsWithoutARecordBeingTorn) {
  Carriers c;
  c.open();
  SeededRandom random(3);
  std::vector<std::string> sent, got;
  Octets pipe;
  for (int i = 0; i < 3000; ++i) {
    std::string text(1 + random.below(StreamCarrier::kMaxRecord), 0);
    random.fill({reinterpret_cast<std::uint8_t*>(text.data()), 16 < text.size() ? 16u : text.size()});
    text[0] = 'x';  // not a HANDSHAKE frame
    if (send_text(c.client, text)) sent.push_back(std::move(text));
    Octets some = wire_of(c.client, random.below(30000));
    feed(c.gateway, some, c.now, 1 + random.below(5000));
    for (std::string& t : texts(c.gateway, c.now)) got.push_back(std::move(t));
    ASSERT_EQ(c.gateway.state(), CarrierState::kOpen);
  }
  c.exchange();
  for (std::string& t : texts(c.gateway, c.now)) got.push_back(std::move(t));
  ASSERT_EQ(got.size(), sent.size());
  EXPECT_TRUE(got == sent);
  EXPECT_EQ(c.client.unsent(), 0u);
}

TEST(StreamCarrier, AFullRingGivesNoSpaceUntilSomethingWasTransmitted) {
  Carriers c;
  c.open();
  int sealed = 0;
  while (send_text(c.client, std::string(StreamCarrier::kMaxRecord, 'x'))) ++sealed;
  EXPECT_GE(sealed, 14);
  EXPECT_LE(c.client.unsent(), BufferPool::kLargest);
  wire_of(c.client, 40000);
  EXPECT_FALSE(c.client.record_space().empty());
}

TEST(StreamCarrier, MemoryIsGivenBackWhenNothingWaits) {
  Carriers c;
  c.open();
  texts(c.client, c.now);
  EXPECT_EQ(c.pool.in_use(), 0u);
  for (int i = 0; i < 10; ++i) {
    send_text(c.client, "x");
    c.exchange();
    texts(c.gateway, c.now);
    texts(c.client, c.now);
    EXPECT_EQ(c.pool.in_use(), 0u);
  }
}

TEST(StreamCarrier, ARecordLivesAsLongAsItsSlice) {
  Carriers c;
  c.open();
  std::vector<Slice> kept;
  for (int i = 0; i < 200; ++i) {
    send_text(c.client, std::string(3000, char('a' + i % 26)));
    c.exchange();
    kept.push_back(*c.gateway.next_record(c.now));
  }
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(as_text(kept[std::size_t(i)].bytes()), std::string(3000, char('a' + i % 26)));
  }
}

}  // namespace
}  // namespace causeway::link
