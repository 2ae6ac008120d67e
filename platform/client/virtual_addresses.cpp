#include "platform/client/virtual_addresses.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>

namespace causeway::platform {
namespace {

packet::Address slot_v4(unsigned slot, std::uint8_t host) {
  return packet::Address::v4(198, 19, std::uint8_t(slot), host);
}

packet::Address slot_v6(unsigned slot, std::uint8_t host) {
  std::uint8_t raw[16] = {0xfd, 0x63, 0x61, 0x75, 0x73, 0x65, 0, std::uint8_t(slot)};
  raw[15] = host;
  return packet::Address::from_bytes(raw);
}

bool has_sockets(int family) {
  int s = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (s < 0) return false;
  close(s);
  return true;
}

// Slots that other programs' interfaces have addresses in.
std::bitset<AddressSlots::kCount> taken_by_interfaces() {
  std::bitset<AddressSlots::kCount> taken;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return taken;
  const packet::Cidr all_v4(slot_v4(0, 0), 16), all_v6(slot_v6(0, 0), 48);
  for (const ifaddrs* each = list; each; each = each->ifa_next) {
    if (!each->ifa_addr) continue;
    if (each->ifa_addr->sa_family == AF_INET) {
      const auto* in = reinterpret_cast<const sockaddr_in*>(each->ifa_addr);
      auto address = packet::Address::from_bytes({reinterpret_cast<const std::uint8_t*>(&in->sin_addr), 4});
      if (all_v4.contains(address)) taken.set(address.bytes()[2]);
    } else if (each->ifa_addr->sa_family == AF_INET6) {
      const auto* in = reinterpret_cast<const sockaddr_in6*>(each->ifa_addr);
      auto address = packet::Address::from_bytes({in->sin6_addr.s6_addr, 16});
      if (all_v6.contains(address)) taken.set(address.bytes()[7]);
    }
  }
  freeifaddrs(list);
  return taken;
}

}  // namespace

VirtualAddresses virtual_addresses(unsigned slot, bool v4, bool v6) {
  VirtualAddresses out;
  if (v4) {
    out.own.push_back(slot_v4(slot, 1));
    out.stub.push_back(slot_v4(slot, 53));
  }
  if (v6) {
    // The last two bytes read 53 in text, as the IPv4 address does.
    out.own.push_back(slot_v6(slot, 1));
    out.stub.push_back(slot_v6(slot, 0x53));
  }
  return out;
}

std::vector<packet::Cidr> virtual_ranges(unsigned slot, bool v4, bool v6) {
  std::vector<packet::Cidr> out;
  if (slot >= 16) return out;
  if (v4) out.emplace_back(packet::Address::v4(198, 18, std::uint8_t(16 * slot), 0), 20);
  if (v6) {
    std::uint8_t raw[16] = {0xfd, 0x63, 0x61, 0x75, 0x73, 0x65, 0, std::uint8_t(slot), 0, 1};
    out.emplace_back(packet::Address::from_bytes(raw), 112);
  }
  return out;
}

std::optional<unsigned> AddressSlots::take(unsigned from) {
  std::bitset<kCount> taken = used_ | taken_by_interfaces();
  for (unsigned slot = from; slot < kCount; ++slot) {
    if (taken.test(slot)) continue;
    used_.set(slot);
    return slot;
  }
  return std::nullopt;
}

bool machine_has_v4() { return has_sockets(AF_INET); }

bool machine_has_v6() {
  if (!has_sockets(AF_INET6)) return false;
  char disabled = '0';
  // What a new interface begins with. Where the file cannot be read, the kernel will say.
  std::ifstream("/proc/sys/net/ipv6/conf/default/disable_ipv6") >> disabled;
  return disabled != '1';
}

}  // namespace causeway::platform
