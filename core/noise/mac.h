// The mac on a first message, keyed with the receiver's public key (as WireGuard's mac1): shows, before any curve operation, that
// the sender knows whom it speaks to.
#pragma once

#include <array>

#include "core/noise/keys.h"

namespace causeway::noise {

inline constexpr std::size_t kMacSize = 16;
std::array<std::uint8_t, kMacSize> first_message_mac(const PublicKey& receiver, Bytes message);
// Constant time.
bool mac_equal(Bytes a, Bytes b);

}  // namespace causeway::noise
