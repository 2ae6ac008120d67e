// The one reader of headers from the wire: what it reads, why it drops, and that it never reads beyond.
#include <gtest/gtest.h>

#include <memory>

#include "tests/core/packet/made.h"

namespace causeway::packet {
namespace {

// In memory of exactly its size, so that a sanitizer sees a read beyond it.
tl::expected<Parsed, Drop> parse_exact(Bytes packet, bool trusted = false) {
  static std::unique_ptr<std::uint8_t[]> memory;
  memory = std::make_unique<std::uint8_t[]>(packet.size());
  std::copy(packet.begin(), packet.end(), memory.get());
  return parse({memory.get(), packet.size()}, trusted);
}

std::string dropped(Bytes packet, bool trusted = false) {
  auto parsed = parse_exact(packet, trusted);
  return parsed ? "none" : drop_name(parsed.error());
}

TEST(Parse, ReadsTcpOfBothVersions) {
  for (const Octets& packet : {tcp4(kSyn | kAck, octets(100)), tcp6(kSyn | kAck, octets(100))}) {
    auto p = parse_exact(packet);
    ASSERT_TRUE(p);
    EXPECT_EQ(p->protocol(), kTcp);
    EXPECT_EQ(p->tuple.source.port, 40000);
    EXPECT_EQ(p->tuple.destination.port, 80);
    EXPECT_EQ(p->sequence, 1000u);
    EXPECT_EQ(p->acknowledgement, 2000u);
    EXPECT_EQ(p->flags, kSyn | kAck);
    EXPECT_EQ(p->payload.size(), 100u);
    EXPECT_EQ(p->transport.size(), 120u);
    EXPECT_FALSE(p->is_fragment);
  }
  EXPECT_EQ(parse_exact(tcp4())->hop_limit, 61);
  EXPECT_EQ(parse_exact(tcp6())->hop_limit, 62);
}

TEST(Parse, ReadsUdpAndEchoOfBothVersions) {
  for (const Octets& packet : {udp4(octets(33)), udp6(octets(33))}) {
    auto p = parse_exact(packet);
    ASSERT_TRUE(p);
    EXPECT_EQ(p->tuple.source.port, 5353);
    EXPECT_EQ(p->tuple.destination.port, 53);
    EXPECT_EQ(p->payload.size(), 33u);
  }
  V4 v4;
  v4.protocol = kIcmp;
  V6 v6;
  v6.next = kIcmp6;
  for (const Octets& packet : {ip4(v4, echo_request(v4.from, v4.to, true, octets(56))),
                               ip6(v6, echo_request(v6.from, v6.to, false, octets(56)))}) {
    auto p = parse_exact(packet);
    ASSERT_TRUE(p);
    EXPECT_TRUE(p->is_echo_request());
    EXPECT_EQ(p->tuple.source.port, 77);
    EXPECT_EQ(p->echo_sequence, 3);
    EXPECT_EQ(p->payload.size(), 56u);
  }
}

TEST(Parse, TrimsWhatTheLinkLayerPadded) {
  for (Octets packet : {tcp4(), tcp6(), udp4(octets(3)), udp6(octets(3))}) {
    std::size_t size = packet.size();
    packet.resize(size + 17, 0xee);
    auto p = parse_exact(packet);
    ASSERT_TRUE(p);
    EXPECT_EQ(p->packet.size(), size);
  }
  // UDP may be shorter than its packet.
  Octets t = udp_datagram("10.0.0.2", "10.96.0.10", octets(10));
  t.resize(t.size() + 5);
  V4 f;
  f.protocol = kUdp;
  EXPECT_EQ(parse_exact(ip4(f, t))->payload.size(), 10u);
}

TEST(Parse, EveryTruncationIsSaid) {
  for (const Octets& packet : {tcp4(kSyn, octets(5)), tcp6(kSyn, octets(5)), udp4(octets(5)), udp6(octets(5))}) {
    for (std::size_t n = 0; n < packet.size(); ++n) ASSERT_EQ(dropped(Bytes(packet).first(n)), "truncated") << n;
  }
  V4 f4;
  V6 f6;
  for (std::uint8_t protocol : {kTcp, kUdp, kIcmp, kIcmp6}) {
    f4.protocol = f6.next = protocol;
    for (std::size_t n = 0; n < 8; ++n) {
      if (protocol != kIcmp6) {
        EXPECT_EQ(dropped(ip4(f4, octets(n)), true), "truncated") << int(protocol);
      }
      if (protocol != kIcmp) {
        EXPECT_EQ(dropped(ip6(f6, octets(n)), true), "truncated") << int(protocol);
      }
    }
  }
}

TEST(Parse, AnyOtherVersionIsDropped) {
  for (int version : {0, 1, 5, 7, 15}) {
    Octets packet = tcp4();
    packet[0] = std::uint8_t(version << 4 | 5);
    EXPECT_EQ(dropped(packet), "version");
  }
}

TEST(Parse, HeadersThatCannotBeAreDropped) {
  Octets packet = tcp4();
  packet[0] = 0x44;
  EXPECT_EQ(dropped(packet), "header") << "an IP header of 16 bytes";
  packet = tcp4();
  store16(&packet[2], 19);
  EXPECT_EQ(dropped(packet), "header") << "a total length below the header's";
  for (std::uint8_t words : {0, 4, 6, 15}) {
    Octets t = tcp_segment("10.0.0.2", "10.96.0.10", kAck, {});
    t[12] = std::uint8_t(words << 4);
    EXPECT_EQ(dropped(ip4({}, t), true), "header") << int(words);
  }
  Octets t = udp_datagram("10.0.0.2", "10.96.0.10", octets(5));
  store16(&t[4], 7);
  V4 f;
  f.protocol = kUdp;
  EXPECT_EQ(dropped(ip4(f, t)), "header");
  store16(&t[4], 14);
  EXPECT_EQ(dropped(ip4(f, t)), "truncated");
}

TEST(Parse, EveryFlippedBitOfTheHeadersAndPayloadIsNoticed) {
  for (const Octets& packet : {tcp4(kAck, octets(9)), udp4(octets(9)), tcp6(kAck, octets(9)), udp6(octets(9))}) {
    for (std::size_t bit = 0; bit < packet.size() * 8; ++bit) {
      Octets flipped = packet;
      flipped[bit / 8] ^= std::uint8_t(1 << bit % 8);
      bool v6 = packet[0] >> 4 == 6;
      // IPv6 has no checksum over class, flow label, next header and hop limit.
      if (v6 && (bit < 32 || (bit >= 48 && bit < 64))) continue;
      if (bit == 5) continue;  // makes a packet of the other version
      ASSERT_NE(dropped(flipped), "none") << "bit " << bit;
    }
  }
}

TEST(Parse, AChecksumThatTheDeviceVouchesForIsNotLookedAt) {
  Octets packet = tcp4(kAck, octets(9));
  packet.back() ^= 1;
  EXPECT_EQ(dropped(packet), "checksum");
  EXPECT_EQ(dropped(packet, true), "none");
  packet[8] ^= 1;
  EXPECT_EQ(dropped(packet, true), "checksum") << "the IP header's own is";
}

TEST(Parse, UdpWithoutAChecksumIsForIpv4Only) {
  V4 f4;
  f4.protocol = kUdp;
  V6 f6;
  f6.next = kUdp;
  Octets t = udp_datagram("10.0.0.2", "10.96.0.10", octets(5));
  store16(&t[6], 0);
  EXPECT_EQ(dropped(ip4(f4, t)), "none");
  EXPECT_EQ(dropped(ip6(f6, t)), "checksum");
}

TEST(Parse, OptionsAreWalkedAndSourceRoutesDropped) {
  auto with = [](const Octets& options) {
    V4 f;
    f.options = options;
    return ip4(f, tcp_segment(f.from, f.to, kAck, octets(3)));
  };
  EXPECT_EQ(dropped(with({1, 1, 1, 0})), "none");
  EXPECT_EQ(dropped(with({0x94, 4, 0, 0})), "none") << "router alert";
  EXPECT_EQ(parse_exact(with({0x94, 4, 0, 0}))->payload.size(), 3u);
  EXPECT_EQ(dropped(with({0x83, 3, 4, 0})), "option") << "loose source route";
  EXPECT_EQ(dropped(with({0x89, 3, 4, 0})), "option") << "strict source route";
  EXPECT_EQ(dropped(with({1, 0x83, 3, 4})), "option");
  for (std::uint8_t length : {0, 1, 5, 255}) EXPECT_EQ(dropped(with({0x94, length, 0, 0})), "option") << int(length);
  EXPECT_EQ(dropped(with({1, 1, 1, 0x94})), "option") << "without its length";
  EXPECT_EQ(dropped(with({0, 0x83, 3, 4})), "none") << "behind the end of the list";
  EXPECT_EQ(dropped(with(Octets(40, 1))), "none");
}

TEST(Parse, TcpOptionsWhoseLengthsLieAreDropped) {
  auto with = [](const Octets& options) { return ip4({}, tcp_segment("10.0.0.2", "10.96.0.10", kSyn, {}, options)); };
  EXPECT_EQ(dropped(with({2, 4, 5, 0xb4, 4, 2, 1, 3, 3, 7, 1, 0})), "none") << "as Linux sends them";
  EXPECT_EQ(dropped(with({8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1})), "none");
  EXPECT_EQ(dropped(with({30, 4, 0, 0})), "none") << "unknown";
  EXPECT_EQ(dropped(with({2, 3, 5, 0})), "option");
  EXPECT_EQ(dropped(with({3, 4, 5, 0})), "option");
  EXPECT_EQ(dropped(with({1, 1, 2, 4})), "option");
  EXPECT_EQ(dropped(with({30, 0, 0, 0})), "option");
  EXPECT_EQ(dropped(with({1, 1, 1, 30})), "option");
}

TEST(Parse, AddressesThatNobodyHasAreDropped) {
  for (const char* bad : {"0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255"}) {
    V4 f;
    f.from = bad;
    EXPECT_EQ(dropped(ip4(f, tcp_segment(f.from, f.to, kAck, {}))), "address") << bad;
    V4 g;
    g.to = bad;
    EXPECT_EQ(dropped(ip4(g, tcp_segment(g.from, g.to, kAck, {}))), "address") << bad;
  }
  for (const char* bad : {"::", "::1", "ff02::1"}) {
    V6 f;
    f.from = bad;
    EXPECT_EQ(dropped(ip6(f, tcp_segment(f.from, f.to, kAck, {}))), "address") << bad;
    V6 g;
    g.to = bad;
    EXPECT_EQ(dropped(ip6(g, tcp_segment(g.from, g.to, kAck, {}))), "address") << bad;
  }
}

Octets extension(std::uint8_t next, std::size_t size = 8) {
  Octets out(size);
  out[0] = next;
  out[1] = std::uint8_t(size / 8 - 1);
  return out;
}

Octets chain(std::uint8_t first, const std::vector<Octets>& extensions, Bytes transport) {
  V6 f;
  f.next = first;
  for (const Octets& e : extensions) f.extensions.insert(f.extensions.end(), e.begin(), e.end());
  return ip6(f, transport);
}

TEST(Parse, ExtensionHeadersAreWalked) {
  Octets t = tcp_segment("2001:db8::2", "fd00:10::a", kAck, octets(6));
  EXPECT_EQ(dropped(chain(0, {extension(60), extension(kTcp, 24)}, t)), "none");
  auto p = parse_exact(chain(0, {extension(60), extension(kTcp, 24)}, t));
  EXPECT_EQ(p->payload.size(), 6u);
  EXPECT_EQ(p->protocol(), kTcp);
  Octets mobile = extension(kTcp);
  mobile[2] = 2;
  EXPECT_EQ(dropped(chain(43, {mobile}, t)), "none") << "routing type 2";
  EXPECT_EQ(dropped(chain(43, {extension(kTcp)}, t)), "extension") << "routing type 0, RFC 5095";
  EXPECT_EQ(dropped(chain(60, {extension(0), extension(kTcp)}, t)), "extension") << "hop-by-hop that is not first";
  std::vector<Octets> many(9, extension(60));
  many.back()[0] = kTcp;
  EXPECT_EQ(dropped(chain(60, many, t)), "extension") << "too many";
  many.pop_back();
  many.back()[0] = kTcp;
  EXPECT_EQ(dropped(chain(60, many, t)), "none");
  Octets lies = extension(kTcp);
  lies[1] = 255;
  EXPECT_EQ(dropped(chain(60, {lies}, t)), "extension") << "longer than the packet";
  EXPECT_EQ(dropped(chain(60, {}, octets(7))), "extension") << "cut";
  EXPECT_EQ(parse_exact(chain(59, {}, octets(7)))->protocol(), 59) << "no next header";
}

TEST(Parse, FragmentsGiveTheirPlace) {
  V4 f;
  f.protocol = kUdp;
  f.id = 4711;
  f.fragment = 0x2000 | 185;
  auto p = parse_exact(ip4(f, octets(64)));
  ASSERT_TRUE(p);
  EXPECT_TRUE(p->is_fragment && p->fragment.more);
  EXPECT_EQ(p->fragment.id, 4711u);
  EXPECT_EQ(p->fragment.offset, 185u * 8);
  EXPECT_EQ(p->payload.size(), 64u);
  EXPECT_EQ(p->tuple.source.port, 0);
  Octets header{kUdp, 0, 0, 0, 0, 1, 2, 3};
  store16(&header[2], 185 * 8);
  p = parse_exact(chain(44, {header}, octets(64)));
  ASSERT_TRUE(p);
  EXPECT_TRUE(p->is_fragment && !p->fragment.more);
  EXPECT_EQ(p->fragment.id, 0x010203u);
  EXPECT_EQ(p->fragment.offset, 185u * 8);
  EXPECT_EQ(p->protocol(), kUdp);
  // Atomic, RFC 6946: a whole packet.
  store16(&header[2], 0);
  header[0] = kTcp;
  p = parse_exact(chain(44, {header}, tcp_segment("2001:db8::2", "fd00:10::a", kAck, octets(6))));
  ASSERT_TRUE(p);
  EXPECT_FALSE(p->is_fragment);
  EXPECT_EQ(p->tuple.destination.port, 80);
}

TEST(Parse, OtherProtocolsPassWithoutPorts) {
  V4 f;
  f.protocol = 47;
  auto p = parse_exact(ip4(f, octets(20)));
  ASSERT_TRUE(p);
  EXPECT_EQ(p->protocol(), 47);
  EXPECT_EQ(p->tuple.source.port, 0);
  f.protocol = kIcmp6;
  EXPECT_FALSE(parse_exact(ip4(f, octets(20)))->is_echo_request());
}

TEST(Parse, RandomMutationsNeverReadOutOfBounds) {
  std::vector<Octets> seeds{tcp4(kSyn, octets(40)),
                            tcp6(kSyn, octets(40)),
                            udp4(octets(40)),
                            udp6(octets(40)),
                            chain(0, {extension(60), extension(43, 24), extension(kTcp)}, tcp_segment("2001:db8::2", "fd00:10::a", kAck, {})),
                            chain(44, {Octets{kUdp, 0, 0, 1, 0, 0, 0, 1}}, octets(64))};
  V4 f;
  f.options = {0x94, 4, 0, 0, 1, 1, 7, 2};
  seeds.push_back(ip4(f, tcp_segment(f.from, f.to, kAck, {}, {2, 4, 1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1})));
  std::size_t taken = 0;
  for (std::uint64_t seed = 1; seed <= 100000; ++seed) {
    SeededRandom random(seed);
    Octets packet = seeds[random.below(seeds.size())];
    for (std::uint64_t i = random.below(6); i > 0; --i) packet[random.below(packet.size())] = std::uint8_t(random.next());
    if (random.below(3) == 0) packet.resize(random.below(packet.size() + 8));
    if (packet.size() >= 20 && packet[0] >> 4 == 4 && std::size_t(packet[0] & 15) * 4 <= packet.size() && (packet[0] & 15) >= 5) {
      put_v4_checksum(packet);
    }
    auto p = parse_exact(packet, random.below(2));
    if (!p) continue;
    ++taken;
    const std::uint8_t* end = p->packet.data() + p->packet.size();
    ASSERT_LE(p->packet.size(), packet.size());
    ASSERT_LE(p->transport.data() + p->transport.size(), end);
    ASSERT_LE(p->payload.data() + p->payload.size(), end);
  }
  EXPECT_GT(taken, 1000u);
}

}  // namespace
}  // namespace causeway::packet
