// Both libraries do the same, neither lets a wrong record through, and one that does wrong is not chosen.
#include "core/noise/aead.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/base/random.h"
#include "core/noise/aead_choice.h"
#include "core/noise/aead_self_test.h"
#include "core/noise/cipher_state.h"

namespace causeway::noise {
namespace {

using Octets = std::vector<std::uint8_t>;
using Make = std::unique_ptr<Aead> (*)();

bool zeroed(Bytes text) {
  return std::all_of(text.begin(), text.end(), [](std::uint8_t each) { return each == 0; });
}

Octets random_octets(Random& random, std::size_t size) {
  Octets out(size);
  random.fill(out);
  return out;
}

struct Pair {
  Make seals, opens;
};

class EachPair : public testing::TestWithParam<Pair> {
 protected:
  void SetUp() override {
    sealing = GetParam().seals();
    opening = GetParam().opens();
    if (!sealing || !opening) GTEST_SKIP() << "built without libcrypto";
    random.fill(key.bytes());
  }

  std::unique_ptr<Aead> sealing, opening;
  SeededRandom random{7};
  Aead::Key key;
  Aead::Nonce nonce{0, 0, 0, 0, 9};
};

INSTANTIATE_TEST_SUITE_P(Aead, EachPair,
                         testing::Values(Pair{libsodium_aead, libsodium_aead}, Pair{libcrypto_aead, libcrypto_aead},
                                         Pair{libsodium_aead, libcrypto_aead}, Pair{libcrypto_aead, libsodium_aead}));

TEST_P(EachPair, PassesTheSelfTest) { EXPECT_TRUE(passes_self_test(*sealing, *opening)); }

TEST_P(EachPair, WhatOneSealsTheOtherOpens) {
  for (int round = 0; round < 500; ++round) {
    std::size_t size = random.below(round % 10 == 0 ? 65520 : 2000);
    Octets plain = random_octets(random, size), associated = random_octets(random, random.below(3) * 37);
    random.fill(key.bytes());
    random.fill(nonce);
    Octets record = plain;
    record.resize(size + Aead::kTag);
    sealing->seal(key, nonce, associated, record, size);
    ASSERT_TRUE(opening->open(key, nonce, associated, record)) << size;
    ASSERT_TRUE(std::equal(plain.begin(), plain.end(), record.begin())) << size;
    if (round % 50 == 0) {
      sealing->forget();
      opening->forget();
    }
  }
}

TEST_P(EachPair, NothingChangedOpensAndNothingOfItIsSeen) {
  const Octets plain = random_octets(random, 90), associated = random_octets(random, 12);
  Octets record = plain;
  record.resize(plain.size() + Aead::kTag);
  sealing->seal(key, nonce, associated, record, plain.size());
  auto refused = [&](const Aead::Key& k, const Aead::Nonce& n, Bytes a, Octets text) {
    return !opening->open(k, n, a, text) && zeroed(Bytes(text).first(text.size() - Aead::kTag));
  };
  for (std::size_t bit = 0; bit < record.size() * 8; ++bit) {
    Octets flipped = record;
    flipped[bit / 8] ^= std::uint8_t(1 << bit % 8);
    ASSERT_TRUE(refused(key, nonce, associated, flipped)) << bit;
  }
  for (std::size_t bit = 0; bit < 32 * 8; ++bit) {
    Aead::Key other = key;
    other.data()[bit / 8] ^= std::uint8_t(1 << bit % 8);
    ASSERT_TRUE(refused(other, nonce, associated, record)) << bit;
  }
  for (std::size_t i = 0; i < nonce.size(); ++i) {
    Aead::Nonce other = nonce;
    other[i] ^= 0x80;
    ASSERT_TRUE(refused(key, other, associated, record)) << i;
  }
  Octets longer = associated;
  longer.push_back(0);
  EXPECT_TRUE(refused(key, nonce, longer, record));
  EXPECT_TRUE(refused(key, nonce, {}, record));
  EXPECT_TRUE(refused(key, nonce, associated, Octets(record.begin(), record.end() - 1)));
  EXPECT_TRUE(refused(key, nonce, associated, Octets(Aead::kTag)));
  EXPECT_TRUE(opening->open(key, nonce, associated, record));
}

TEST_P(EachPair, ARecordTouchesNothingBehindIt) {
  for (std::size_t size : {std::size_t(0), std::size_t(63), std::size_t(1400), std::size_t(16384)}) {
    Octets space(size + Aead::kTag + 64, 0xee);
    MutableBytes record = MutableBytes(space).first(size + Aead::kTag);
    sealing->seal(key, nonce, {}, space, size);
    EXPECT_TRUE(opening->open(key, nonce, {}, record));
    EXPECT_EQ(std::count(space.end() - 64, space.end(), 0xee), 64);
  }
}

// libsodium under another name, wrong in one way.
class Wrong final : public Aead {
 public:
  enum class Way { kNone, kSealedBit, kLongRecords, kAcceptsAll, kOpensOthers, kShowsForged, kIgnoresAssociated };
  explicit Wrong(Way way) : way_(way) {}

  std::string name() const override { return "libwrong 1"; }
  void seal(const Key& key, const Nonce& nonce, Bytes associated, MutableBytes text, std::size_t size) override {
    right_->seal(key, nonce, way_ == Way::kIgnoresAssociated ? Bytes() : associated, text, size);
    if (way_ == Way::kSealedBit || (way_ == Way::kLongRecords && size > 60000)) text[0] ^= 1;
  }
  bool open(const Key& key, const Nonce& nonce, Bytes associated, MutableBytes text) override {
    if (way_ == Way::kOpensOthers) return false;
    bool good = right_->open(key, nonce, way_ == Way::kIgnoresAssociated ? Bytes() : associated, text);
    if (!good && way_ == Way::kShowsForged && text.size() > kTag) text[0] = 1;
    return good || way_ == Way::kAcceptsAll;
  }
  void forget() override {}

 private:
  std::unique_ptr<Aead> right_ = libsodium_aead();
  Way way_;
};

TEST(AeadChoice, TakesTheFasterOneForLargeTextsOnly) {
  AeadChoice choice(std::make_unique<Wrong>(Wrong::Way::kNone));
  EXPECT_EQ(choice.name(), "ChaCha20-Poly1305 by libwrong 1");
  EXPECT_EQ(choice.of(AeadChoice::kFasterFrom).name(), "libwrong 1");
  EXPECT_EQ(choice.of(65519).name(), "libwrong 1");
  EXPECT_EQ(choice.of(AeadChoice::kFasterFrom - 1).name(), libsodium_aead()->name());
  EXPECT_EQ(choice.of(0).name(), libsodium_aead()->name());
}

TEST(AeadChoice, WhatFailsTheSelfTestIsNotTakenAndIsNamed) {
  using Way = Wrong::Way;
  for (Way way : {Way::kSealedBit, Way::kLongRecords, Way::kAcceptsAll, Way::kOpensOthers, Way::kShowsForged,
                  Way::kIgnoresAssociated}) {
    AeadChoice choice(std::make_unique<Wrong>(way));
    for (std::size_t size : {0, 768, 65519}) EXPECT_EQ(choice.of(size).name(), libsodium_aead()->name()) << int(way);
    EXPECT_EQ(choice.name(),
              "ChaCha20-Poly1305 by " + libsodium_aead()->name() + " (libwrong 1 failed its self-test)");
  }
}

TEST(AeadChoice, LibsodiumDoesAllWhereThereIsNothingElse) {
  AeadChoice choice(nullptr);
  EXPECT_EQ(choice.name(), "ChaCha20-Poly1305 by " + libsodium_aead()->name());
  EXPECT_EQ(choice.of(65519).name(), libsodium_aead()->name());
}

TEST(AeadChoice, LibcryptoIsChosenWhereItWasBuiltIn) {
  std::unique_ptr<Aead> built_in = libcrypto_aead();
  EXPECT_EQ(cipher_name(), "ChaCha20-Poly1305 by " + (built_in ? built_in->name() : libsodium_aead()->name()));
}

TEST(CipherState, ALargeRecordThatDoesNotOpenIsZeroedAndDoesNotAdvanceTheNonce) {
  SeededRandom random(3);
  const Octets plain = random_octets(random, 16384);
  Secret<32> key;
  random.fill(key.bytes());
  CipherState seal(key.bytes()), open(key.bytes());
  Octets record = plain;
  record.resize(plain.size() + CipherState::kTag);
  ASSERT_TRUE(seal.seal({}, record, plain.size()));
  Octets forged = record;
  forged.back() ^= 1;
  EXPECT_FALSE(open.open({}, forged));
  EXPECT_TRUE(zeroed(Bytes(forged).first(plain.size())));
  EXPECT_EQ(open.nonce(), 0u);
  ASSERT_TRUE(open.open({}, record));
  EXPECT_TRUE(std::equal(plain.begin(), plain.end(), record.begin()));
}

TEST(CipherState, ManyAtOnceOnBothSidesOfTheChoiceDoNotMixTheirKeys) {
  SeededRandom random(4);
  std::vector<CipherState> sealing, opening;
  for (int i = 0; i < 5; ++i) {
    Octets key = random_octets(random, 32);
    sealing.emplace_back(key);
    opening.emplace_back(key);
  }
  for (int round = 0; round < 400; ++round) {
    std::size_t which = random.below(5), size = random.below(2 * AeadChoice::kFasterFrom);
    const Octets plain = random_octets(random, size);
    Octets record = plain;
    record.resize(size + CipherState::kTag);
    ASSERT_TRUE(sealing[which].seal({}, record, size));
    if (round % 7 == 0) CipherState(random_octets(random, 32)).wipe();
    ASSERT_TRUE(opening[which].open({}, record));
    ASSERT_TRUE(std::equal(plain.begin(), plain.end(), record.begin()));
  }
}

}  // namespace
}  // namespace causeway::noise
