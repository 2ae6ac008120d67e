// Where a flow wants to go: what OPEN carries and what the gateway dials.
#pragma once

#include <cstdint>
#include <string>

#include "core/packet/address.h"

namespace causeway::flow {

enum class Protocol : std::uint8_t {
  kTcp = 1,
  kUdp = 2,
  kEcho = 3,  // ICMP echo; a datagram is a 2-byte sequence number and the data
  kDns = 4,   // a question to the gateway's own DNS servers; a datagram is a DNS message, whatever its size
  kCatalogue = 5,  // a question to the gateway about its services: a byte stream that it answers itself
};
const char* protocol_name(Protocol protocol);
// Bytes in order; the others carry datagrams.
inline bool is_stream(Protocol protocol) { return protocol == Protocol::kTcp || protocol == Protocol::kCatalogue; }
// Somewhere to be dialled; the others are answered by the gateway, or by servers of its own choice.
inline bool has_address(Protocol protocol) { return protocol != Protocol::kDns && protocol != Protocol::kCatalogue; }

struct Destination {
  Protocol protocol = Protocol::kTcp;
  std::string name;           // at most 255 bytes; empty where the address counts
  packet::Endpoint endpoint;  // with a name only the port counts; for kEcho the port is 0; for kDns and kCatalogue nothing counts

  std::string text() const;  // "tcp 10.96.0.10:80", for logs
  friend bool operator==(const Destination&, const Destination&) = default;
};

}  // namespace causeway::flow
