// Rings, integers on the wire, hashes, secrets, results.
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <set>
#include <vector>

#include "core/base/result.h"
#include "core/base/ring.h"
#include "core/base/secret.h"
#include "core/base/siphash.h"
#include "core/base/time.h"
#include "core/base/wire.h"

namespace causeway {
namespace {

TEST(Ring, BehavesAsAQueue) {
  SeededRandom random(1);
  Ring<int> ring;
  std::deque<int> model;
  for (int i = 0; i < 20000; ++i) {
    switch (random.below(5)) {
      case 0:
      case 1:
        ring.push_back(i);
        model.push_back(i);
        break;
      case 2:
        if (!model.empty()) {
          ASSERT_EQ(ring.pop_front(), model.front());
          model.pop_front();
        }
        break;
      case 3:
        if (!model.empty() && random.below(3) == 0) {
          ring.pop_back();
          model.pop_back();
        }
        break;
      default:
        if (random.below(500) == 0) {
          ring.clear();
          model.clear();
        }
    }
    ASSERT_EQ(ring.size(), model.size());
    ASSERT_EQ(ring.empty(), model.empty());
    if (model.empty()) continue;
    ASSERT_EQ(ring.front(), model.front());
    ASSERT_EQ(ring.back(), model.back());
    std::size_t at = random.below(model.size());
    ASSERT_EQ(ring[at], model[at]);
  }
}

TEST(Ring, DoesNotHoldOnToWhatWasTaken) {
  Ring<std::shared_ptr<int>> ring;
  auto shared = std::make_shared<int>(5);
  ring.push_back(shared);
  ring.push_back(shared);
  ring.pop_front();
  ring.pop_back();
  EXPECT_EQ(shared.use_count(), 1);
}

TEST(Wire, IntegersAreThoseOfRfc9000) {
  // Section A.1.
  const std::pair<std::vector<std::uint8_t>, std::uint64_t> examples[]{
      {{0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c}, 151288809941952652},
      {{0x9d, 0x7f, 0x3e, 0x7d}, 494878333},
      {{0x7b, 0xbd}, 15293},
      {{0x25}, 37},
  };
  for (const auto& [bytes, value] : examples) {
    WireReader reader(bytes);
    EXPECT_EQ(reader.varint(), value);
    EXPECT_TRUE(reader.empty() && !reader.failed());
    std::uint8_t out[8];
    WireWriter writer(out);
    writer.varint(value);
    EXPECT_EQ(std::vector<std::uint8_t>(out, out + writer.size()), bytes);
    EXPECT_EQ(varint_size(value), bytes.size());
  }
  const std::uint8_t longer[]{0x40, 0x25};
  EXPECT_EQ(WireReader(longer).varint(), 37u) << "a longer form than needed is the same number";
}

TEST(Wire, AReaderThatFailedStaysFailedAndGivesNothing) {
  const std::uint8_t bytes[]{0x80, 1, 2, 9};
  WireReader reader(Bytes(bytes).first(3));
  EXPECT_EQ(reader.varint(), 0u);
  EXPECT_TRUE(reader.failed());
  EXPECT_EQ(reader.byte(), 0);
  EXPECT_EQ(reader.number16(), 0);
  EXPECT_TRUE(reader.take(0).empty());
  EXPECT_TRUE(reader.failed());
  WireReader other(bytes);
  EXPECT_TRUE(other.take(~std::uint64_t(0)).empty());
  EXPECT_TRUE(other.failed());
  WireReader none{Bytes()};
  EXPECT_FALSE(none.failed());
  none.varint();
  EXPECT_TRUE(none.failed());
}

TEST(Wire, RandomNumbersSurvive) {
  SeededRandom random(1);
  std::vector<std::uint8_t> space(80000);
  WireWriter writer(space);
  std::vector<std::uint64_t> numbers;
  for (int i = 0; i < 5000; ++i) {
    numbers.push_back(random.next() >> (2 + random.below(62)));
    writer.varint(numbers.back());
    writer.number16(std::uint16_t(i));
  }
  WireReader reader(Bytes(space).first(writer.size()));
  for (int i = 0; i < 5000; ++i) {
    ASSERT_EQ(reader.varint(), numbers[std::size_t(i)]);
    ASSERT_EQ(reader.number16(), i);
  }
  EXPECT_TRUE(reader.empty());
}

TEST(SipHash, GivesThePublishedValues) {
  // The reference implementation's vectors: key 00 01 .. 0f, input 00 01 .. of growing length.
  SipHash hash(0x0706050403020100u, 0x0f0e0d0c0b0a0908u);
  std::uint8_t in[16];
  for (int i = 0; i < 16; ++i) in[i] = std::uint8_t(i);
  EXPECT_EQ(hash(Bytes(in).first(0)), 0x726fdb47dd0e0e31u);
  EXPECT_EQ(hash(Bytes(in).first(1)), 0x74f839c593dc67fdu);
  EXPECT_EQ(hash(Bytes(in).first(15)), 0xa129ca6149be45e5u);
}

TEST(SipHash, DiffersWithItsKeyAndItsInput) {
  SeededRandom random(1);
  SipHash one(random), two(random);
  std::set<std::uint64_t> seen;
  std::vector<std::uint8_t> in(40);
  for (std::size_t n = 0; n <= in.size(); ++n) {
    seen.insert(one(Bytes(in).first(n)));
    seen.insert(two(Bytes(in).first(n)));
  }
  EXPECT_EQ(seen.size(), 82u);
}

TEST(SeededRandom, RepeatsItselfFromItsSeed) {
  SeededRandom one(42), two(42), three(43);
  std::uint64_t a = one.next();
  EXPECT_EQ(a, two.next());
  EXPECT_NE(a, three.next());
  std::uint8_t bytes[11];
  one.fill(bytes);
  EXPECT_NE(bytes[10], bytes[9]);
}

TEST(Secret, IsZeroWhenWiped) {
  std::uint8_t raw[32];
  SeededRandom(1).fill(raw);
  Secret<32> secret{Bytes(raw)};
  EXPECT_TRUE(std::equal(secret.bytes().begin(), secret.bytes().end(), raw));
  secret.wipe();
  for (std::uint8_t b : secret.bytes()) EXPECT_EQ(b, 0);
}

TEST(Secret, LeavesNoCopyBehindInItsMemory) {
  alignas(Secret<32>) std::uint8_t memory[sizeof(Secret<32>)];
  std::uint8_t raw[32];
  std::memset(raw, 0xa5, sizeof raw);
  auto* secret = new (memory) Secret<32>{Bytes(raw)};
  volatile std::uint8_t* seen = memory;
  EXPECT_EQ(seen[5], 0xa5);
  secret->~Secret<32>();
  for (std::size_t i = 0; i < sizeof memory; ++i) EXPECT_EQ(seen[i], 0) << i;
}

TEST(Errors, SayWhereTheyHappenedOutermostFirst) {
  Error error{ErrorCode::kNotFound, "no such file", "create it"};
  EXPECT_EQ(std::move(error).in("while reading the key").message, "while reading the key: no such file");
  Result<int> failed = fail(ErrorCode::kLimit, "too many");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kLimit);
}

TEST(Time, NeverIsAfterEverything) { EXPECT_GT(kNever, Instant{std::chrono::hours(24 * 365 * 200)}); }

TEST(Integers, AreBigEndian) {
  std::uint8_t raw[4];
  store32(raw, 0x01020304);
  EXPECT_EQ(raw[0], 1);
  EXPECT_EQ(load32(raw), 0x01020304u);
  EXPECT_EQ(load16(raw + 1), 0x0203);
}

TEST(CopyBytes, CountsWhatItCopies) {
  std::uint8_t from[10]{}, to[10];
  std::uint64_t before = copied_bytes;
  copy_bytes(to, from);
  copy_bytes(to, {});
  EXPECT_EQ(copied_bytes, before + 10);
}

}  // namespace
}  // namespace causeway
