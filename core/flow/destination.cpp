#include "core/flow/destination.h"

namespace causeway::flow {

const char* protocol_name(Protocol protocol) {
  switch (protocol) {
    case Protocol::kTcp: return "tcp";
    case Protocol::kUdp: return "udp";
    case Protocol::kEcho: return "echo";
    case Protocol::kDns: return "dns";
    case Protocol::kCatalogue: return "catalogue";
  }
  return "unknown";
}

std::string Destination::text() const {
  std::string text = protocol_name(protocol);
  if (!has_address(protocol)) return text;
  if (!name.empty()) return text + ' ' + name + ':' + std::to_string(endpoint.port);
  return text + ' ' + (protocol == Protocol::kEcho ? endpoint.address.text() : endpoint.text());
}

}  // namespace causeway::flow
