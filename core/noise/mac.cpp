#include "core/noise/mac.h"

#include <sodium.h>

namespace causeway::noise {

std::array<std::uint8_t, kMacSize> first_message_mac(const PublicKey& receiver, Bytes message) {
  constexpr std::string_view kLabel = "causeway/1 mac1";
  std::uint8_t key[32];
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, sizeof key);
  crypto_generichash_update(&state, as_bytes(kLabel).data(), kLabel.size());
  crypto_generichash_update(&state, receiver.data(), receiver.size());
  crypto_generichash_final(&state, key, sizeof key);
  std::array<std::uint8_t, kMacSize> mac;
  crypto_generichash(mac.data(), mac.size(), message.data(), message.size(), key, sizeof key);
  return mac;
}

bool mac_equal(Bytes a, Bytes b) { return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0; }

}  // namespace causeway::noise
