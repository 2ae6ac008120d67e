// Fragments in any order, and every trick that is known with them.
#include "core/packet/reassembly.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/core/packet/made.h"

namespace causeway::packet {
namespace {

using std::chrono::seconds;

struct Piece {
  std::size_t offset, size;
  bool more;
};

std::vector<Piece> pieces_of(std::size_t size, std::size_t each) {
  std::vector<Piece> out;
  for (std::size_t at = 0; at < size; at += each) out.push_back({at, std::min(each, size - at), at + each < size});
  return out;
}

class Reassembling : public testing::TestWithParam<bool> {
 protected:
  bool v4() const { return GetParam(); }
  Octets whole(std::size_t payload, std::uint64_t seed = 1) const {
    return v4() ? udp4(octets(payload, seed)) : udp6(octets(payload, seed));
  }
  Bytes body(const Octets& packet) const { return Bytes(packet).subspan(v4() ? 20 : 40); }

  Octets fragment(Bytes body, Piece piece, std::uint32_t id = 1) const {
    Bytes part = body.subspan(piece.offset, piece.size);
    if (v4()) {
      V4 f;
      f.protocol = kUdp;
      f.id = std::uint16_t(id);
      f.fragment = std::uint16_t(piece.offset / 8 | (piece.more ? 0x2000 : 0));
      return ip4(f, part);
    }
    V6 f;
    f.next = 44;
    f.extensions = {kUdp, 0, 0, 0, 0, 0, 0, 0};
    store16(&f.extensions[2], std::uint16_t(piece.offset | (piece.more ? 1 : 0)));
    store32(&f.extensions[4], id);
    return ip6(f, part);
  }
  std::optional<Octets> add(const Octets& packet) {
    auto p = parse(packet, false);
    EXPECT_TRUE(p && p->is_fragment);
    if (!p || !p->is_fragment) return std::nullopt;
    auto done = reassembly.add(*p, now);
    if (!done) return std::nullopt;
    return Octets(done->bytes().begin(), done->bytes().end());
  }
  void expect_whole(const std::optional<Octets>& got, const Octets& packet) {
    ASSERT_TRUE(got);
    auto p = parse(*got, false);
    ASSERT_TRUE(p) << drop_name(p.error());
    EXPECT_FALSE(p->is_fragment);
    EXPECT_TRUE(std::equal(p->transport.begin(), p->transport.end(), body(packet).begin(), body(packet).end()));
    EXPECT_EQ(p->tuple.destination.port, 53);
  }

  BufferPool pool;
  Reassembly reassembly{pool};
  Instant now{seconds(100)};
};

TEST_P(Reassembling, PutsAnyOrderTogether) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SeededRandom random(seed);
    Octets packet = whole(1 + random.below(20000), seed);
    auto pieces = pieces_of(body(packet).size(), 8 * (20 + random.below(200)));
    if (pieces.size() < 2) continue;
    for (std::size_t i = pieces.size(); i > 1; --i) std::swap(pieces[i - 1], pieces[random.below(i)]);
    for (std::size_t i = 0; i + 1 < pieces.size(); ++i) ASSERT_FALSE(add(fragment(body(packet), pieces[i], std::uint32_t(seed))));
    expect_whole(add(fragment(body(packet), pieces.back(), std::uint32_t(seed))), packet);
  }
  EXPECT_EQ(pool.in_use(), 0u);
}

TEST_P(Reassembling, CarriesTheLargestDatagram) {
  Octets packet = whole(65507);
  std::optional<Octets> got;
  for (const Piece& piece : pieces_of(body(packet).size(), 1480)) got = add(fragment(body(packet), piece));
  expect_whole(got, packet);
  EXPECT_EQ(reassembly.counters().completed, 1u);
}

TEST_P(Reassembling, ForgivesRepeats) {
  Octets packet = whole(4000);
  auto pieces = pieces_of(body(packet).size(), 800);
  std::optional<Octets> got;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) ASSERT_FALSE(add(fragment(body(packet), pieces[j])));
    got = add(fragment(body(packet), pieces[i]));
  }
  expect_whole(got, packet);
  EXPECT_EQ(reassembly.counters().invalid, 0u);
}

TEST_P(Reassembling, AnOverlapEndsThePacketAndWhatFollowsOfIt) {
  Octets packet = whole(4000), other = whole(4000, 9);
  auto pieces = pieces_of(body(packet).size(), 800);
  for (Piece overlap : {Piece{792, 800, true}, Piece{0, 808, true}, Piece{400, 80, true}, Piece{800, 800, true}}) {
    SCOPED_TRACE(overlap.offset);
    add(fragment(body(packet), pieces[0], 5));
    add(fragment(body(packet), pieces[1], 5));
    ASSERT_FALSE(add(fragment(body(other), overlap, 5)));
    for (std::size_t i = 0; i < pieces.size(); ++i) EXPECT_FALSE(add(fragment(body(packet), pieces[i], 5)));
    now += Reassembly::kMaxAge;
    reassembly.advance(now);
  }
  EXPECT_EQ(reassembly.counters().invalid, 4u);
  EXPECT_EQ(pool.in_use(), 0u);
}

TEST_P(Reassembling, PiecesThatCannotBeEndThePacket) {
  Octets packet = whole(60000);
  const Piece cases[]{{0, 801, true},      // not a multiple of 8, and more to come
                      {8, 0, true},        // empty
                      {800, 0, false}};
  std::uint32_t id = 10;
  for (const Piece& bad : cases) {
    std::uint64_t before = reassembly.counters().invalid;
    add(fragment(body(packet), bad, ++id));
    EXPECT_EQ(reassembly.counters().invalid, before + 1) << bad.offset;
  }
  // Two ends that differ, and bytes behind the end.
  add(fragment(body(packet), {1600, 100, false}, 30));
  EXPECT_FALSE(add(fragment(body(packet), {800, 100, false}, 30)));
  add(fragment(body(packet), {1600, 100, false}, 31));
  EXPECT_FALSE(add(fragment(body(packet), {2400, 800, true}, 31)));
  add(fragment(body(packet), {2400, 800, true}, 32));
  EXPECT_FALSE(add(fragment(body(packet), {1600, 100, false}, 32)));
  EXPECT_EQ(reassembly.counters().invalid, 6u);
}

TEST_P(Reassembling, BeyondTheLargestPacketEndsIt) {
  Octets bytes = octets(2000);
  Octets f = fragment(bytes, {0, 1000, false});
  std::size_t field = v4() ? 6 : 42;
  store16(&f[field], std::uint16_t(v4() ? 0x1fff : 0xfff8));
  if (v4()) put_v4_checksum(f);
  EXPECT_FALSE(add(f));
  EXPECT_EQ(reassembly.counters().invalid, 1u);
}

TEST_P(Reassembling, IsKeptApartByIdAddressAndProtocol) {
  Octets one = whole(3000, 1), two = whole(3000, 2);
  auto pieces = pieces_of(body(one).size(), 1600);
  add(fragment(body(one), pieces[0], 1));
  add(fragment(body(two), pieces[0], 2));
  expect_whole(add(fragment(body(two), pieces[1], 2)), two);
  expect_whole(add(fragment(body(one), pieces[1], 1)), one);
}

TEST_P(Reassembling, WhatIsNotCompleteExpires) {
  Octets packet = whole(3000);
  EXPECT_EQ(reassembly.deadline(), kNever);
  add(fragment(body(packet), {0, 800, true}));
  EXPECT_EQ(reassembly.deadline(), now + seconds(15));
  reassembly.advance(now + seconds(14));
  EXPECT_GT(reassembly.bytes_held(), 0u);
  reassembly.advance(now + seconds(15));
  EXPECT_EQ(reassembly.bytes_held(), 0u);
  EXPECT_EQ(reassembly.counters().expired, 1u);
  EXPECT_EQ(reassembly.deadline(), kNever);
}

TEST_P(Reassembling, MemoryIsBoundedAndTheOldestGivesWay) {
  Octets packet = whole(3000);
  auto pieces = pieces_of(body(packet).size(), 1600);
  for (std::uint32_t id = 1; id <= 500; ++id) add(fragment(body(packet), pieces[0], id));
  EXPECT_LE(pool.in_use(), 4u * 1024 * 1024);
  EXPECT_GT(reassembly.counters().crowded_out, 400u);
  EXPECT_FALSE(add(fragment(body(packet), pieces[1], 1))) << "the oldest is gone";
  expect_whole(add(fragment(body(packet), pieces[1], 500)), packet);
}

TEST_P(Reassembling, RandomFragmentsNeverCrashAndKeepTheirBounds) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SeededRandom random(seed);
    Octets bytes = octets(65000, seed);
    for (int i = 0; i < 2000; ++i) {
      std::size_t offset = random.below(8000) * 8;
      std::size_t size = std::min<std::size_t>(random.below(1500), bytes.size() - std::min(offset, bytes.size()));
      bool more = random.below(8) > 0;
      if (offset == 0 && !more) continue;
      offset = std::min(offset, bytes.size() / 8 * 8);
      Piece piece{offset, std::min(size, bytes.size() - offset), more};
      Octets packet = fragment(bytes, piece, std::uint32_t(random.below(100)));
      auto p = parse(packet, false);
      if (p && p->is_fragment) reassembly.add(*p, now);
      now += std::chrono::milliseconds(random.below(30));
      reassembly.advance(now);
      ASSERT_LE(pool.in_use(), 4u * 1024 * 1024);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Reassembly, Reassembling, testing::Bool(),
                         [](const auto& version) { return version.param ? "V4" : "V6"; });

TEST(ReassemblyOfV6, DropsTheHeadersBeforeTheFragmentHeader) {
  BufferPool pool;
  Reassembly reassembly(pool);
  Octets packet = udp6(octets(2000));
  Bytes body = Bytes(packet).subspan(40);
  std::optional<Slice> done;
  std::vector<Octets> kept;
  for (std::size_t at : {0u, 1000u}) {
    V6 f;
    f.next = 60;
    f.extensions = {44, 0, 0, 0, 0, 0, 0, 0, kUdp, 0, 0, 0, 0, 0, 0, 9};
    bool more = at == 0;
    store16(&f.extensions[10], std::uint16_t(at | (more ? 1 : 0)));
    kept.push_back(ip6(f, body.subspan(at, more ? 1000 : body.size() - at)));
    auto p = parse(kept.back(), false);
    ASSERT_TRUE(p && p->is_fragment);
    done = reassembly.add(*p, Instant{});
  }
  ASSERT_TRUE(done);
  auto p = parse(done->bytes(), false);
  ASSERT_TRUE(p);
  EXPECT_EQ(p->payload.size(), 2000u);
}

}  // namespace
}  // namespace causeway::packet
