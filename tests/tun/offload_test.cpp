#include "tun/offload.h"

#include <gtest/gtest.h>

#include "core/packet/build.h"
#include "core/packet/checksum.h"
#include "tests/tun/app.h"
#include "tests/tun/stack_harness.h"

namespace causeway::tun {
namespace {

// A TCP packet as the stack makes it: the checksum field has the pseudo-header's part only.
void add_tcp(packet::PacketBatch& batch, const AppOptions& options, Bytes payload, std::uint16_t segment_size,
             std::uint8_t flags = packet::kAck | packet::kPsh | packet::kFin) {
  const App::Packet bare = App(options, 99).segment(flags, 1000, {});
  const bool v4 = options.local.address.is_v4();
  const std::uint16_t ip = v4 ? 20 : 40;
  packet::Offload offload;
  offload.needs_checksum = true;
  offload.checksum_start = ip;
  offload.checksum_offset = 16;
  if (segment_size > 0) {
    offload.segmentation = v4 ? packet::Segmentation::kTcp4 : packet::Segmentation::kTcp6;
    offload.segment_size = segment_size;
    offload.header_size = std::uint16_t(ip + 20);
  }
  const MutableBytes header = batch.begin(bare.size(), offload);
  std::copy(bare.begin(), bare.end(), header.begin());
  const std::size_t size = bare.size() + payload.size();
  if (v4) {
    store16(&header[2], std::uint16_t(size));
    store16(&header[4], 7);
    store16(&header[10], 0);
    store16(&header[10], std::uint16_t(~packet::fold(packet::add_to_sum(0, header.first(20)))));
  } else {
    store16(&header[4], std::uint16_t(size - 40));
  }
  store16(&header[ip + 16u], packet::fold(packet::pseudo_header_sum(options.local.address, options.remote.address,
                                                                   packet::kTcp, size - ip)));
  // In odd pieces.
  for (std::size_t at = 0; at < payload.size();) {
    const std::size_t n = std::min<std::size_t>(payload.size() - at, 777);
    batch.add_piece(payload.subspan(at, n));
    at += n;
  }
}

AppOptions v6_options() {
  AppOptions options;
  options.local = *packet::Endpoint::parse("[fd00::2]:40000");
  options.remote = *packet::Endpoint::parse("[fd00:10:96::a]:443");
  return options;
}

class Offload : public testing::TestWithParam<bool> {
 protected:
  AppOptions options() const { return GetParam() ? v6_options() : AppOptions(); }

  std::vector<Slice> finished(const packet::PacketBatch& batch) {
    std::vector<Slice> out;
    for (const packet::OutgoingPacket& p : batch.packets()) finish(batch, p, pool_, out);
    return out;
  }

  BufferPool pool_;
};

INSTANTIATE_TEST_SUITE_P(Ip, Offload, testing::Bool(), [](const auto& v6) { return v6.param ? "V6" : "V4"; });

TEST_P(Offload, ASuperPacketIsCutIntoSegmentsThatAWireAccepts) {
  packet::PacketBatch batch;
  const std::string data = pattern(10'000);
  add_tcp(batch, options(), as_bytes(data), 1460);
  const std::vector<Slice> segments = finished(batch);
  ASSERT_EQ(segments.size(), 7u);
  std::string joined;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const auto parsed = packet::parse(segments[i].bytes(), false);
    ASSERT_TRUE(parsed) << packet::drop_name(parsed.error());
    EXPECT_EQ(parsed->packet.size(), segments[i].size);
    EXPECT_EQ(parsed->sequence, 1000 + joined.size());
    const bool last = i + 1 == segments.size();
    EXPECT_EQ(parsed->payload.size(), last ? 10'000u - 6 * 1460 : 1460u);
    EXPECT_EQ(parsed->flags, last ? packet::kAck | packet::kPsh | packet::kFin : packet::kAck);
    if (parsed->is_v4()) {
      EXPECT_EQ(load16(&segments[i].data[4]), 7 + i) << "each has an identification of its own";
    }
    joined += as_text(parsed->payload);
  }
  EXPECT_EQ(joined, data);
}

TEST_P(Offload, ACutAtAWholeNumberOfSegmentsLeavesNoEmptyOne) {
  packet::PacketBatch batch;
  const std::string data = pattern(2920);
  add_tcp(batch, options(), as_bytes(data), 1460);
  EXPECT_EQ(finished(batch).size(), 2u);
}

TEST_P(Offload, AChecksumLeftToTheDeviceIsFilledIn) {
  for (const std::size_t size : {0u, 1u, 2u, 999u, 1460u}) {
    packet::PacketBatch batch;
    const std::string data = pattern(size);
    add_tcp(batch, options(), as_bytes(data), 0);
    const std::vector<Slice> packets = finished(batch);
    ASSERT_EQ(packets.size(), 1u);
    const auto parsed = packet::parse(packets[0].bytes(), false);
    ASSERT_TRUE(parsed) << size;
    EXPECT_EQ(as_text(parsed->payload), data);
  }
}

TEST_P(Offload, WhatIsFinishedStaysAsItIs) {
  packet::PacketBatch batch;
  packet::build_udp(batch, options().local, options().remote, as_bytes("datagram"));
  const std::vector<Slice> packets = finished(batch);
  ASSERT_EQ(packets.size(), 1u);
  const Slice whole = gather(batch, batch.packets()[0], pool_);
  EXPECT_EQ(as_text(packets[0].bytes()), as_text(whole.bytes()));
  EXPECT_TRUE(packet::parse(packets[0].bytes(), false));
}

TEST_P(Offload, AUdpChecksumOfZeroIsSentAsItsOtherForm) {
  // Search for a payload whose checksum comes out as zero.
  const AppOptions at = options();
  const std::uint16_t ip = at.local.address.is_v4() ? 20 : 40;
  packet::PacketBatch built;
  std::array<std::uint8_t, 2> payload{};
  packet::build_udp(built, at.local, at.remote, payload);
  const Slice whole = gather(built, built.packets()[0], pool_);
  const MutableBytes packet = whole.owner.bytes().first(whole.size);
  std::uint8_t* udp = &packet[ip];
  const std::uint16_t partial = packet::fold(packet::pseudo_header_sum(at.local.address, at.remote.address, packet::kUdp,
                                                                      packet.size() - ip));
  store16(udp + 6, partial);
  const std::uint16_t sum = packet::fold(packet::add_to_sum(0, packet.subspan(ip)));
  store16(udp + 8, std::uint16_t(0xffff - sum));
  packet::Offload offload;
  offload.needs_checksum = true;
  offload.checksum_start = ip;
  offload.checksum_offset = 6;
  complete_checksum(packet, offload);
  EXPECT_EQ(load16(udp + 6), 0xffff);
  EXPECT_TRUE(packet::parse(packet, false));
}

}  // namespace
}  // namespace causeway::tun
