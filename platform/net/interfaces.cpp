#include "platform/net/interfaces.h"

#include <ifaddrs.h>
#include <netinet/in.h>

#include <memory>

#include "platform/net/socket.h"

namespace causeway::platform {

std::vector<packet::Address> own_addresses() {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return {};
  std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> guard(list, freeifaddrs);
  std::vector<packet::Address> addresses;
  for (const ifaddrs* at = list; at; at = at->ifa_next) {
    if (!at->ifa_addr) continue;
    int family = at->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    SocketAddress address;
    std::memcpy(&address.storage, at->ifa_addr, family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    addresses.push_back(address.endpoint().address);
  }
  return addresses;
}

std::vector<packet::Endpoint> resolv_conf_servers(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r";
  constexpr std::size_t kMost = 3;
  std::vector<packet::Endpoint> servers;
  while (!text.empty() && servers.size() < kMost) {
    std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    constexpr std::string_view kKeyword = "nameserver";
    if (!line.starts_with(kKeyword)) continue;
    line.remove_prefix(kKeyword.size());
    std::size_t begin = line.find_first_not_of(kSpace);
    if (begin == 0 || begin == std::string_view::npos) continue;
    line = line.substr(begin, line.find_first_of(kSpace, begin) - begin);
    if (auto address = packet::Address::parse(line)) servers.push_back({*address, 53});
  }
  return servers;
}

}  // namespace causeway::platform
