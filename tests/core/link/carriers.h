// A client's and a gateway's stream carrier with a wire between them that the test holds in its hands.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/link/hello.h"
#include "core/link/stream_carrier.h"
#include "core/noise/keys.h"

namespace causeway::link {

using Octets = std::vector<std::uint8_t>;
using CarrierState = StreamCarrier::State;

inline StreamCarrier::Keys carrier_keys(std::uint64_t seed) {
  SeededRandom random(seed);
  noise::KeyPair pair = noise::generate(random);
  return {pair.private_key, pair.public_key};
}

inline Octets wire_of(StreamCarrier& carrier, std::size_t most = ~std::size_t(0)) {
  std::array<Bytes, 2> pieces;
  Octets out;
  std::size_t n = carrier.transmit(pieces);
  for (std::size_t i = 0; i < n; ++i) out.insert(out.end(), pieces[i].begin(), pieces[i].end());
  if (out.size() > most) out.resize(most);
  carrier.transmitted(out.size());
  return out;
}

// In pieces of at most `piece` bytes.
inline void feed(StreamCarrier& carrier, Bytes bytes, Instant now, std::size_t piece = ~std::size_t(0)) {
  while (!bytes.empty()) {
    MutableBytes space = carrier.receive_space();
    if (space.empty()) return;
    std::size_t n = std::min({piece, bytes.size(), space.size()});
    std::copy_n(bytes.begin(), n, space.begin());
    carrier.received(n, now);
    bytes = bytes.subspan(n);
  }
}

inline bool send_text(StreamCarrier& carrier, std::string_view text) {
  MutableBytes space = carrier.record_space();
  if (space.empty()) return false;
  std::copy(text.begin(), text.end(), space.begin());
  carrier.seal(text.size());
  return true;
}

inline std::vector<std::string> texts(StreamCarrier& carrier, Instant now) {
  std::vector<std::string> out;
  while (auto record = carrier.next_record(now)) out.emplace_back(as_text(record->bytes()));
  return out;
}

struct Carriers {
  explicit Carriers(const std::optional<Secret<32>>& secret = {}, const StreamCarrier::Timing& t = {})
      : psk(secret),
        timing(t),
        client(pool, random, client_keys, gateway_keys.public_key, psk, timing),
        gateway(pool, random, gateway_keys, timing, now) {}

  // Client's bytes to the gateway and back, until nothing moves; `each` takes both ends' records.
  void exchange(std::size_t piece = ~std::size_t(0)) {
    while (client.unsent() > 0 || gateway.unsent() > 0) {
      feed(gateway, wire_of(client), now, piece);
      feed(client, wire_of(gateway), now, piece);
    }
  }
  void arrive() {
    client.start(encode(Hello()), now);
    feed(gateway, wire_of(client), now);
  }
  void open() {
    arrive();
    ASSERT_EQ(gateway.state(), CarrierState::kArrived);
    gateway.admit(encode(Welcome()), psk, now);
    exchange();
    ASSERT_EQ(client.state(), CarrierState::kOpen);
    ASSERT_TRUE(send_text(client, "first"));
    exchange();
    ASSERT_EQ(texts(gateway, now), std::vector<std::string>{"first"});
    ASSERT_EQ(gateway.state(), CarrierState::kOpen);
  }

  BufferPool pool;
  SeededRandom random{1};
  Instant now{std::chrono::seconds(100)};
  StreamCarrier::Keys client_keys = carrier_keys(11), gateway_keys = carrier_keys(12);
  std::optional<Secret<32>> psk;
  StreamCarrier::Timing timing;
  StreamCarrier client, gateway;
};

}  // namespace causeway::link
