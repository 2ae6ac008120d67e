// IP packets as a device gives them: parsed, and fragments put together.
#include "core/packet/build.h"
#include "core/packet/checksum.h"
#include "core/packet/reassembly.h"
#include "tests/fuzz/target.h"

namespace causeway::fuzz {
namespace {

using namespace packet;

bool inside(Bytes inner, Bytes outer) {
  return inner.empty() || (inner.data() >= outer.data() && inner.data() + inner.size() <= outer.data() + outer.size());
}

// One byte of choices, then a packet. Bit 0: the checksum is vouched for. Bit 1: the IPv4 header's checksum is made right, so that
// inputs get beyond it.
bool run(Bytes input) {
  if (input.empty()) return false;
  Blob bytes(input.begin() + 1, input.end());
  if (input[0] & 2 && bytes.size() >= 20 && bytes[0] >> 4 == 4) {
    std::size_t header = std::size_t(bytes[0] & 15) * 4;
    if (header >= 20 && header <= bytes.size()) {
      store16(&bytes[10], 0);
      store16(&bytes[10], std::uint16_t(~fold(add_to_sum(0, Bytes(bytes).first(header)))));
    }
  }
  auto parsed = parse(bytes, input[0] & 1);
  if (!parsed) {
    CAUSEWAY_ASSERT(parsed.error() < Drop::kCount);
    return false;
  }
  CAUSEWAY_ASSERT(inside(parsed->packet, bytes) && inside(parsed->transport, parsed->packet) &&
                  inside(parsed->payload, parsed->transport));
  PacketBatch out;
  if (parsed->is_fragment) {
    BufferPool pool;
    Reassembly reassembly(pool);
    Instant now{};
    reassembly.add(*parsed, now);
    reassembly.advance(now + Reassembly::kMaxAge);
    CAUSEWAY_ASSERT(reassembly.bytes_held() == 0);
    return true;
  }
  build_unreachable(out, parsed->packet, Unreachable::kHost);
  if (parsed->protocol() == kTcp) build_reset(out, *parsed);
  for (const OutgoingPacket& packet : out.packets()) {
    Blob whole = blob(out.header(packet));
    for (Bytes piece : out.pieces(packet)) whole = whole + blob(piece);
    CAUSEWAY_ASSERT(parse(whole, false));  // what we answer is a packet in order
  }
  return true;
}

Blob packet_of(const PacketBatch& batch) {
  Blob out = blob(batch.header(batch.packets()[0]));
  for (Bytes piece : batch.pieces(batch.packets()[0])) out = out + blob(piece);
  return out;
}

std::vector<Seed> seeds() {
  std::vector<Seed> out;
  for (const char* side : {"10.0.0.1", "fd00::1"}) {
    Endpoint from{*Address::parse(side), 1000}, to{*Address::parse(side[0] == '1' ? "10.96.0.1" : "fd00:96::1"), 80};
    std::uint8_t payload[24] = {'p', 'a', 'y'};
    PacketBatch udp, echo;
    build_udp(udp, from, to, payload);
    build_echo_request(echo, from.address, to.address, 7, 1, payload);
    out.push_back({blob({0}) + packet_of(udp)});
    out.push_back({blob({0}) + packet_of(echo)});
  }
  // A SYN with options, and a fragment, by their headers.
  Blob v4 = blob({0x45, 0, 0, 48, 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 96, 0, 1});
  Blob syn = blob({0x10, 0, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x70, 2, 0xff, 0xff, 0, 0, 0, 0, 2, 4, 5, 0xb4, 1, 3, 3, 7});
  out.push_back({blob({3}) + v4 + syn});
  Blob fragment = v4;
  fragment[6] = 0x20;
  out.push_back({blob({3}) + fragment + syn});
  Blob v6 = blob({0x60, 0, 0, 0, 0, 24, 44, 64}) + blob(Address::parse("fd00::1")->bytes()) +
            blob(Address::parse("fd00:96::1")->bytes());
  out.push_back({blob({1}) + v6 + blob({17, 0, 0, 1, 0, 0, 0, 9}) + Blob(16, 'x')});
  out.push_back({blob({1}) + v6 + blob({60, 0, 0, 0, 0, 0, 0, 9, 17, 0, 1, 4, 0, 0, 0, 0, 16, 0, 0, 53, 0, 8, 0, 0})});
  out.push_back({blob({1}) + v6, false});
  return out;
}

const Registration kRegistration({"packet", run, seeds});

}  // namespace
}  // namespace causeway::fuzz
