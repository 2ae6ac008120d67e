// What the engine sends by itself, read back and held against the documents.
#include "core/packet/build.h"

#include <gtest/gtest.h>

#include "tests/core/packet/made.h"

namespace causeway::packet {
namespace {

class Build : public testing::Test {
 protected:
  Octets only() {
    EXPECT_EQ(batch.packets().size(), 1u);
    EXPECT_EQ(batch.packets()[0].size, flat(batch).size());
    return flat(batch);
  }
  // The packet read back with every checksum looked at.
  Parsed read(const Octets& packet) {
    auto p = parse(packet, false);
    EXPECT_TRUE(p) << drop_name(p ? Drop::kCount : p.error());
    return p ? *p : Parsed();
  }
  PacketBatch batch;
};

TEST_F(Build, AResetForASynAcknowledgesIt) {
  for (const Octets& syn : {tcp4(kSyn), tcp6(kSyn)}) {
    batch.clear();
    Parsed segment = read(syn);
    build_reset(batch, segment);
    Octets packet = only();
    Parsed reset = read(packet);
    EXPECT_EQ(reset.flags, kRst | kAck);
    EXPECT_EQ(reset.sequence, 0u);
    EXPECT_EQ(reset.acknowledgement, 1001u);
    EXPECT_EQ(reset.tuple.source, segment.tuple.destination);
    EXPECT_EQ(reset.tuple.destination, segment.tuple.source);
  }
}

TEST_F(Build, AResetForASegmentWithAnAckTakesItsNumber) {
  Octets data = tcp4(kAck, octets(10));
  build_reset(batch, read(data));
  Octets packet = only();
  Parsed reset = read(packet);
  EXPECT_EQ(reset.flags, kRst);
  EXPECT_EQ(reset.sequence, 2000u);
}

TEST_F(Build, AResetCountsPayloadSynAndFin) {
  Octets data = tcp4(kSyn | kFin, octets(10));
  build_reset(batch, read(data));
  Octets packet = only();
  EXPECT_EQ(read(packet).acknowledgement, 1012u);
}

TEST_F(Build, AResetIsNotAnswered) {
  for (std::uint8_t flags : {int(kRst), kRst | kAck}) {
    Octets rst = tcp4(flags);
    build_reset(batch, read(rst));
  }
  EXPECT_TRUE(batch.empty());
}

TEST_F(Build, IcmpErrorsSayWhyAndQuote) {
  struct Case {
    Unreachable why;
    std::uint8_t v4, v6;
  };
  for (auto [why, v4, v6] : {Case{Unreachable::kNetwork, 0, 0}, Case{Unreachable::kHost, 1, 3}, Case{Unreachable::kPort, 3, 4},
                             Case{Unreachable::kProhibited, 13, 1}}) {
    for (const Octets& offending : {tcp4(kSyn), udp4(octets(20)), tcp6(kSyn), udp6(octets(20))}) {
      batch.clear();
      Parsed about = read(offending);
      build_unreachable(batch, offending, why);
      Octets packet = only();
      Parsed error = read(packet);
      EXPECT_EQ(error.protocol(), about.is_v4() ? kIcmp : kIcmp6);
      EXPECT_EQ(error.icmp_type, about.is_v4() ? 3 : 1);
      EXPECT_EQ(error.icmp_code, about.is_v4() ? v4 : v6);
      EXPECT_EQ(error.tuple.source.address, about.tuple.destination.address);
      EXPECT_EQ(error.tuple.destination.address, about.tuple.source.address);
      EXPECT_EQ(Octets(error.payload.begin(), error.payload.end()), offending);
    }
  }
}

TEST_F(Build, IcmpErrorsQuoteNoMoreThanTheyMay) {
  Octets four = udp4(octets(5000));
  build_unreachable(batch, four, Unreachable::kPort);
  EXPECT_EQ(only().size(), 576u);
  Octets packet = only();
  read(packet);
  batch.clear();
  Octets six = udp6(octets(5001));
  build_unreachable(batch, six, Unreachable::kPort);
  EXPECT_EQ(only().size(), 1280u);
  packet = only();
  read(packet);
}

TEST_F(Build, NoErrorIsSentAboutAnErrorOrALaterFragment) {
  PacketBatch errors;
  Octets offending = tcp4(kSyn), offending6 = tcp6(kSyn);
  build_unreachable(errors, offending, Unreachable::kPort);
  build_unreachable(errors, offending6, Unreachable::kPort);
  for (std::size_t i : {0, 1}) {
    Octets error = flat(errors, i);
    build_unreachable(batch, error, Unreachable::kHost);
  }
  V4 f;
  f.protocol = kUdp;
  f.fragment = 5;
  Octets fragment = ip4(f, octets(64));
  build_unreachable(batch, fragment, Unreachable::kHost);
  build_unreachable(batch, octets(50), Unreachable::kHost);
  EXPECT_TRUE(batch.empty());
}

TEST_F(Build, DatagramsOfEverySizeReadBack) {
  for (auto [from, to] : {std::pair{"10.0.0.2:1", "10.96.0.10:53"}, std::pair{"[2001:db8::2]:1", "[fd00:10::a]:53"}}) {
    for (std::size_t n : {0u, 1u, 2u, 3u, 511u, 1472u, 65507u}) {
      batch.clear();
      Octets payload = octets(n, n);
      build_udp(batch, endpoint(from), endpoint(to), payload);
      Octets packet = only();
      Parsed p = read(packet);
      EXPECT_EQ(p.tuple.source, endpoint(from));
      EXPECT_EQ(p.tuple.destination, endpoint(to));
      EXPECT_EQ(Octets(p.payload.begin(), p.payload.end()), payload);
    }
  }
  batch.clear();
  Octets large = octets(65508);
  build_udp(batch, endpoint("10.0.0.2:1"), endpoint("10.96.0.10:53"), large);
  EXPECT_TRUE(batch.empty()) << "IPv4 cannot carry it";
}

TEST_F(Build, AUdpChecksumIsNeverZero) {
  // Of all payloads of two bytes some sum up to zero, which means "no checksum".
  for (int i = 0; i < 65536; ++i) {
    batch.clear();
    const std::uint8_t payload[2]{std::uint8_t(i >> 8), std::uint8_t(i)};
    build_udp(batch, endpoint("10.0.0.2:1"), endpoint("10.96.0.10:53"), payload);
    Bytes header = batch.header(batch.packets()[0]);
    ASSERT_NE(load16(&header[26]), 0) << i;
  }
}

TEST_F(Build, EchoRequestsAndRepliesReadBack) {
  for (auto [from, to] : {std::pair{"10.0.0.2", "10.96.0.10"}, std::pair{"2001:db8::2", "fd00:10::a"}}) {
    for (std::size_t n : {0u, 1u, 56u, 1473u}) {
      batch.clear();
      Octets payload = octets(n);
      build_echo_request(batch, address(from), address(to), 77, 3, payload);
      build_echo_reply(batch, address(to), address(from), 77, 3, payload);
      Octets request = flat(batch, 0), reply = flat(batch, 1);
      Parsed p = read(request);
      EXPECT_TRUE(p.is_echo_request());
      EXPECT_EQ(p.tuple.source.port, 77);
      p = read(reply);
      EXPECT_FALSE(p.is_echo_request());
      EXPECT_EQ(p.icmp_type, p.is_v4() ? 0 : 129);
      EXPECT_EQ(p.echo_sequence, 3);
      EXPECT_EQ(Octets(p.payload.begin(), p.payload.end()), payload);
    }
  }
}

TEST_F(Build, ABatchKeepsItsPacketsApart) {
  Octets one = octets(10, 1), two = octets(20, 2);
  for (int i = 0; i < 100; ++i) build_udp(batch, endpoint("10.0.0.2:1"), endpoint("10.96.0.10:53"), i % 2 ? two : one);
  for (std::size_t i = 0; i < 100; ++i) {
    Octets packet = flat(batch, i);
    EXPECT_EQ(read(packet).payload.size(), i % 2 ? 20u : 10u);
  }
  batch.clear();
  EXPECT_TRUE(batch.empty());
}

}  // namespace
}  // namespace causeway::packet
