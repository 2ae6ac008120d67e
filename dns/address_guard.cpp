#include "dns/address_guard.h"

#include <algorithm>

#include "dns/message.h"

namespace causeway::dns {

namespace {

using packet::Address;

constexpr std::uint16_t kIpv4Hint = 4, kIpv6Hint = 6;

// "This network" (RFC 1122, section 3.2.1.3): Linux connects to 0.0.0.0 on loopback.
bool is_this_network(const Address& address) {
  return address.is_unspecified() || (address.is_v4() && address.bytes()[0] == 0);
}

bool any_address(Bytes data, std::size_t size, const AddressGuard& guard) {
  for (; data.size() >= size; data = data.subspan(size)) {
    if (guard.forbids(Address::from_bytes(data.first(size)))) return true;
  }
  return false;
}

bool any_hint(Bytes data, const AddressGuard& guard) {
  std::size_t at = 2;
  if (data.size() < at || !Name::read(data, at, Name::Compression::kForbidden)) return false;
  while (data.size() - at >= 4) {
    std::uint16_t key = load16(data.data() + at), length = load16(data.data() + at + 2);
    at += 4;
    if (data.size() - at < length) return false;
    Bytes value = data.subspan(at, length);
    if (key == kIpv4Hint && any_address(value, 4, guard)) return true;
    if (key == kIpv6Hint && any_address(value, 16, guard)) return true;
    at += length;
  }
  return false;
}

}  // namespace

bool AddressGuard::set_own(const std::vector<Address>& own) {
  std::unordered_set<Address> now;
  for (const Address& each : own) now.insert(each.unmapped());
  if (now == own_) return false;
  own_ = std::move(now);
  return true;
}

bool AddressGuard::forbids(const Address& given) const {
  Address address = given.unmapped();
  if (address.is_loopback() || address.is_multicast() || address.is_broadcast() || is_this_network(address))
    return true;
  if (!address.is_link_local() && !own_.contains(address)) return false;
  if (addresses_ && addresses_->covers(address)) return false;
  return std::none_of(reachable_.begin(), reachable_.end(),
                      [&](const packet::Cidr& each) { return each.contains(address); });
}

bool AddressGuard::forbids(std::uint16_t type, Bytes data) const {
  switch (type) {
    case kTypeA: return data.size() == 4 && any_address(data, 4, *this);
    case kTypeAaaa: return data.size() == 16 && any_address(data, 16, *this);
    case kTypeSvcb:
    case kTypeHttps: return any_hint(data, *this);
    default: return false;
  }
}

}  // namespace causeway::dns
