// Two stream carriers with fixed keys and what moves their bytes, for targets that need a handshake before anything can be said.
#pragma once

#include "core/link/hello.h"
#include "core/link/stream_carrier.h"
#include "core/noise/keys.h"
#include "tests/fuzz/target.h"

namespace causeway::fuzz {

struct FixedKeys {
  SeededRandom random{11};
  noise::KeyPair client = noise::generate(random), gateway = noise::generate(random);
  Secret<32> psk{Blob(32, 9)};

  static const FixedKeys& get() {
    static const FixedKeys keys;
    return keys;
  }
  static link::StreamCarrier::Keys of(const noise::KeyPair& pair) { return {pair.private_key, pair.public_key}; }
};

inline constexpr link::Limits kGenerous{std::uint64_t(64) << 20, std::uint64_t(1) << 20, 1000};

inline Blob hello_payload() {
  link::Hello hello;
  hello.number = 1;
  hello.limits = kGenerous;
  return link::encode(hello);
}
inline Blob welcome_payload() { return link::encode(link::Welcome{1, 1, kGenerous, true}); }

// All that `from` wants written, taken from it.
inline Blob drain(link::StreamCarrier& from) {
  Blob out;
  std::array<Bytes, 2> pieces;
  std::size_t count = from.transmit(pieces);
  for (std::size_t i = 0; i < count; ++i) out.insert(out.end(), pieces[i].begin(), pieces[i].end());
  from.transmitted(out.size());
  return out;
}

// Gives bytes to a receiver (a carrier, or an engine with one) in reads of at most `most`.
template <class Space, class Received>
void feed(Bytes bytes, std::size_t most, Space space, Received received) {
  while (!bytes.empty()) {
    MutableBytes room = space();
    if (room.empty()) return;
    std::size_t n = std::min({most, bytes.size(), room.size()});
    std::copy_n(bytes.begin(), n, room.begin());
    received(n);
    bytes = bytes.subspan(n);
  }
}

}  // namespace causeway::fuzz
