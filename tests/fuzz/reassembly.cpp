// Fragments in any order, overlapping, too many and too large: bounded memory, and nothing but whole packets comes out.
#include "core/packet/reassembly.h"

#include "core/packet/checksum.h"
#include "tests/fuzz/target.h"

namespace causeway::fuzz {
namespace {

using namespace packet;

constexpr std::size_t kBudget = 1024 * 1024;

Blob v4_fragment(std::uint8_t id, std::uint16_t field, std::size_t options, std::size_t size) {
  std::size_t header = 20 + options * 4;
  Blob out(header + size, 1);
  out[0] = std::uint8_t(0x45 + options);
  store16(&out[2], std::uint16_t(out.size()));
  store16(&out[4], id);
  store16(&out[6], field);
  out[8] = 64;
  out[9] = 200;  // a protocol that nobody looks into
  for (std::size_t i = 0; i < 4; ++i) out[12 + i] = out[16 + i] = std::uint8_t(10 + i);
  store16(&out[10], 0);
  store16(&out[10], std::uint16_t(~fold(add_to_sum(0, Bytes(out).first(header)))));
  return out;
}

Blob v6_fragment(std::uint8_t id, std::uint16_t field, std::size_t size) {
  Blob out(48 + size, 1);
  out[0] = 0x60;
  store16(&out[4], std::uint16_t(8 + size));
  out[6] = 44;
  for (std::size_t i = 8; i < 40; ++i) out[i] = 0xfd;
  out[40] = 200;
  store16(&out[42], field);
  store32(&out[44], id);
  return out;
}

// Steps of 6 bytes: kind, id, offset in units of 8 with the "more" bit, size. Kind 3: time passes.
bool run(Bytes bytes) {
  Input input(bytes);
  BufferPool pool;
  bool completed = false;
  {
    Reassembly reassembly(pool, kBudget);
    Instant now{};
    while (!input.empty()) {
      std::uint8_t kind = input.byte(), id = input.byte();
      std::uint16_t place = input.number16(), size = input.number16();
      if (kind % 4 == 3) {
        now += std::chrono::milliseconds(size);
        reassembly.advance(now);
        CAUSEWAY_ASSERT(reassembly.deadline() > now);
        continue;
      }
      Blob packet = kind % 4 == 2
                        ? v6_fragment(id, std::uint16_t(place << 3 | (place >> 15)), std::min<std::size_t>(size, 65527))
                        : v4_fragment(id, std::uint16_t((place & 0x1fff) | (place & 0x8000) >> 2), kind / 4 % 11,
                                      std::min<std::size_t>(size, 65475));
      auto parsed = parse(packet, true);
      if (!parsed || !parsed->is_fragment) continue;
      std::optional<Slice> whole = reassembly.add(*parsed, now);
      CAUSEWAY_ASSERT(reassembly.bytes_held() <= kBudget);
      if (!whole) continue;
      completed = true;
      auto again = parse(whole->bytes(), true);
      CAUSEWAY_ASSERT(again && !again->is_fragment && again->packet.size() == whole->size);
    }
  }
  CAUSEWAY_ASSERT(pool.in_use() == 0);
  return completed;
}

Blob step(int kind, int id, int units, bool more, int size) {
  return blob({kind, id, units >> 8 | (more ? 0x80 : 0), units & 255, size >> 8, size & 255});
}

std::vector<Seed> seeds() {
  std::vector<Seed> out;
  for (int kind : {0, 2, 9 * 4}) {
    out.push_back({step(kind, 1, 0, true, 1480) + step(kind, 1, 185, true, 1480) + step(kind, 1, 370, false, 100)});
    out.push_back({step(kind, 1, 370, false, 100) + step(kind, 2, 0, true, 8) + step(kind, 1, 0, true, 1480) +
                   step(kind, 1, 185, true, 1480)});
    out.push_back(
        {step(kind, 1, 0, true, 1480) + step(kind, 1, 100, true, 1480) + step(kind, 1, 370, false, 100), false});
    out.push_back({step(kind, 1, 0, true, 65472) + step(kind, 1, 8184, false, 63), kind == 2});
    out.push_back({step(kind, 1, 8191, false, 65000), false});
    out.push_back({step(kind, 1, 0, true, 1480) + step(3, 0, 0, false, 20000) + step(kind, 1, 185, false, 100), false});
  }
  return out;
}

const Registration kRegistration({"reassembly", run, seeds});

}  // namespace
}  // namespace causeway::fuzz
