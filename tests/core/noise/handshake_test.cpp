// What must not succeed, and what must not change when it does not.
#include "core/noise/handshake.h"

#include <gtest/gtest.h>

#include "tests/core/noise/keys.h"

namespace causeway::noise {
namespace {

using Pattern = Handshake::Pattern;
using Octets = std::vector<std::uint8_t>;

Bytes text(std::string_view t) { return as_bytes(t); }

class BothPatterns : public testing::TestWithParam<Pattern> {
 protected:
  Handshake initiator(std::string_view prologue = "p") {
    Handshake h = Handshake::initiator(GetParam(), text(prologue), client, server.public_key);
    h.set_psk(psk);
    return h;
  }
  Handshake responder(std::string_view prologue = "p") {
    Handshake h = Handshake::responder(GetParam(), text(prologue), server);
    h.set_psk(psk);
    return h;
  }
  Octets first(Handshake& from, std::string_view payload = "hello") {
    Octets out;
    EXPECT_TRUE(from.write_one(ephemeral_one, text(payload), out));
    return out;
  }
  Octets second(Handshake& from, std::string_view payload = "welcome") {
    Octets out;
    EXPECT_TRUE(from.write_two(ephemeral_two, text(payload), out));
    return out;
  }

  KeyPair client = seeded_keys(1), server = seeded_keys(2), ephemeral_one = seeded_keys(3), ephemeral_two = seeded_keys(4);
  Psk psk{seeded_keys(5).private_key};
};

TEST_P(BothPatterns, AgreeOnKeysAndLearnWhoThePeerIs) {
  Handshake a = initiator(), b = responder();
  Octets payload;
  ASSERT_TRUE(b.read_one(first(a), payload));
  EXPECT_EQ(as_text(payload), "hello");
  EXPECT_EQ(b.peer(), client.public_key);
  ASSERT_TRUE(a.read_two(second(b), payload));
  EXPECT_EQ(as_text(payload), "welcome");
  EXPECT_EQ(a.handshake_hash(), b.handshake_hash());
  CipherState a_send, a_receive, b_send, b_receive;
  a.split(a_send, a_receive);
  b.split(b_send, b_receive);
  for (auto [seal, open] : {std::pair{&a_send, &b_receive}, std::pair{&b_send, &a_receive}}) {
    Octets record(4 + CipherState::kTag, 9);
    ASSERT_TRUE(seal->seal({}, record, 4));
    ASSERT_TRUE(open->open({}, record));
    EXPECT_EQ(record[3], 9);
  }
}

TEST_P(BothPatterns, EveryFlippedBitOfTheFirstMessageIsNoticed) {
  Handshake a = initiator();
  Octets message = first(a);
  for (std::size_t bit = 0; bit < message.size() * 8; ++bit) {
    Octets flipped = message;
    flipped[bit / 8] ^= std::uint8_t(1 << bit % 8);
    Handshake b = responder();
    Octets payload;
    ASSERT_FALSE(b.read_one(flipped, payload)) << "bit " << bit;
    ASSERT_TRUE(payload.empty());
  }
}

TEST_P(BothPatterns, EveryFlippedBitOfTheSecondMessageIsNoticedAndACopyStillTakesTheRightOne) {
  Handshake a = initiator(), b = responder();
  Octets payload;
  ASSERT_TRUE(b.read_one(first(a), payload));
  Octets message = second(b);
  for (std::size_t bit = 0; bit < message.size() * 8; ++bit) {
    Octets flipped = message;
    flipped[bit / 8] ^= std::uint8_t(1 << bit % 8);
    Handshake attempt = a;
    ASSERT_FALSE(attempt.read_two(flipped, payload)) << "bit " << bit;
  }
  EXPECT_TRUE(a.read_two(message, payload));
}

TEST_P(BothPatterns, TruncatedAndLengthenedMessagesAreNoticed) {
  Handshake a = initiator(), b = responder();
  Octets payload, one = first(a);
  for (std::size_t n = 0; n < one.size(); ++n) {
    Handshake attempt = b;
    ASSERT_FALSE(attempt.read_one(Bytes(one).first(n), payload)) << n;
  }
  Octets longer = one;
  longer.push_back(0);
  Handshake attempt = b;
  EXPECT_FALSE(attempt.read_one(longer, payload));
  ASSERT_TRUE(b.read_one(one, payload));
  Octets two = second(b);
  for (std::size_t n = 0; n < two.size(); ++n) {
    Handshake copy = a;
    ASSERT_FALSE(copy.read_two(Bytes(two).first(n), payload)) << n;
  }
}

TEST_P(BothPatterns, AWrongPrologueIsNoticed) {
  Handshake a = initiator("p"), b = responder("q");
  Octets payload;
  EXPECT_FALSE(b.read_one(first(a), payload));
}

TEST_P(BothPatterns, TheWrongServersKeyIsNoticed) {
  Handshake a = Handshake::initiator(GetParam(), text("p"), client, seeded_keys(9).public_key);
  Handshake b = responder();
  Octets payload;
  EXPECT_FALSE(b.read_one(first(a), payload));
}

TEST_P(BothPatterns, PointsOfLowOrderAreRefusedWhereverTheyStand) {
  for (const PublicKey& point : low_order_points()) {
    for (std::uint8_t top : {0x00, 0x80}) {  // the highest bit is ignored on the curve
      PublicKey low = point;
      low[31] |= top;
      Octets out, payload;
      Handshake a = Handshake::initiator(GetParam(), text("p"), client, low);
      EXPECT_FALSE(a.write_one(ephemeral_one, {}, out)) << "as the responder's static key";

      Handshake b = responder();
      Octets forged(Handshake::kOverheadOne);
      std::copy(low.begin(), low.end(), forged.begin());
      EXPECT_FALSE(b.read_one(forged, payload)) << "as an ephemeral key of message one";

      KeyPair claims = client;
      claims.public_key = low;
      Handshake liar = Handshake::initiator(GetParam(), text("p"), claims, server.public_key);
      ASSERT_TRUE(liar.write_one(ephemeral_one, {}, out));
      Handshake c = responder();
      EXPECT_FALSE(c.read_one(out, payload)) << "as the initiator's static key";

      Handshake d = initiator();
      first(d);
      Octets answer(Handshake::kOverheadTwo);
      std::copy(low.begin(), low.end(), answer.begin());
      EXPECT_FALSE(d.read_two(answer, payload)) << "as an ephemeral key of message two";
    }
  }
}

TEST_P(BothPatterns, MessagesUpToTheLongestAreTakenAndLongerOnesAreNot) {
  for (std::size_t over : {0, 1}) {
    Handshake a = initiator(), b = responder();
    Octets out, payload, big(Handshake::kMaxMessage - Handshake::kOverheadOne + over);
    ASSERT_EQ(a.write_one(ephemeral_one, big, out), over == 0);
    if (over) continue;
    ASSERT_EQ(out.size(), Handshake::kMaxMessage);
    ASSERT_TRUE(b.read_one(out, payload));
    EXPECT_EQ(payload, big);
  }
}

INSTANTIATE_TEST_SUITE_P(Handshake, BothPatterns, testing::Values(Pattern::kIk, Pattern::kIkPsk2),
                         [](const auto& pattern) { return pattern.param == Pattern::kIk ? "IK" : "IKpsk2"; });

TEST(Psk, AMismatchIsNoticedInTheAnswer) {
  KeyPair client = seeded_keys(1), server = seeded_keys(2);
  Handshake a = Handshake::initiator(Pattern::kIkPsk2, {}, client, server.public_key);
  Handshake b = Handshake::responder(Pattern::kIkPsk2, {}, server);
  a.set_psk(Psk(seeded_keys(5).private_key));
  b.set_psk(Psk(seeded_keys(6).private_key));
  Octets one, two, payload;
  ASSERT_TRUE(a.write_one(seeded_keys(3), {}, one));
  ASSERT_TRUE(b.read_one(one, payload)) << "message one does not depend on it";
  ASSERT_TRUE(b.write_two(seeded_keys(4), {}, two));
  EXPECT_FALSE(a.read_two(two, payload));
}

TEST(Psk, ThePatternsDoNotUnderstandEachOther) {
  KeyPair client = seeded_keys(1), server = seeded_keys(2);
  Handshake a = Handshake::initiator(Pattern::kIk, {}, client, server.public_key);
  Handshake b = Handshake::responder(Pattern::kIkPsk2, {}, server);
  Octets one, payload;
  ASSERT_TRUE(a.write_one(seeded_keys(3), {}, one));
  EXPECT_FALSE(b.read_one(one, payload));
}

TEST(CipherState, AFailedOpenDoesNotAdvanceTheNonce) {
  Secret<32> key = seeded_keys(1).private_key;
  CipherState seal(key.bytes()), open(key.bytes());
  Octets record(10 + CipherState::kTag, 1);
  ASSERT_TRUE(seal.seal({}, record, 10));
  for (std::size_t bit = 0; bit < record.size() * 8; ++bit) {
    Octets flipped = record;
    flipped[bit / 8] ^= std::uint8_t(1 << bit % 8);
    ASSERT_FALSE(open.open({}, flipped));
    ASSERT_EQ(open.nonce(), 0u);
  }
  for (std::size_t n = 0; n < CipherState::kTag; ++n) {
    Octets cut(record.begin(), record.begin() + std::ptrdiff_t(n));
    ASSERT_FALSE(open.open({}, cut));
  }
  EXPECT_TRUE(open.open({}, record));
  EXPECT_EQ(open.nonce(), 1u);
}

TEST(CipherState, TheLastNonceIsNeverUsed) {
  Secret<32> key = seeded_keys(1).private_key;
  CipherState seal(key.bytes()), open(key.bytes());
  seal.set_nonce(CipherState::kLastNonce - 1);
  open.set_nonce(CipherState::kLastNonce - 1);
  Octets record(4 + CipherState::kTag), again(4 + CipherState::kTag);
  ASSERT_TRUE(seal.seal({}, record, 4));
  ASSERT_TRUE(open.open({}, record));
  EXPECT_FALSE(seal.seal({}, again, 4));
  EXPECT_FALSE(open.open({}, record));
  EXPECT_EQ(seal.nonce(), CipherState::kLastNonce);
}

TEST(CipherState, RecordsOutOfOrderRepeatedOrOfTheOtherDirectionDoNotOpen) {
  Secret<32> key = seeded_keys(1).private_key;
  CipherState seal(key.bytes()), open(key.bytes());
  Octets one(4 + CipherState::kTag), two = one;
  ASSERT_TRUE(seal.seal({}, one, 4));
  ASSERT_TRUE(seal.seal({}, two, 4));
  Octets copy = two;
  EXPECT_FALSE(open.open({}, copy));
  copy = one;
  EXPECT_TRUE(open.open({}, copy));
  copy = one;
  EXPECT_FALSE(open.open({}, copy));
  EXPECT_TRUE(open.open({}, two));
}

TEST(CipherState, WipingLeavesNoKey) {
  Secret<32> key = seeded_keys(1).private_key;
  CipherState state(key.bytes());
  state.wipe();
  EXPECT_FALSE(state.has_key());
}

}  // namespace
}  // namespace causeway::noise
