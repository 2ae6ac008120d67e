// What LISTEN and LISTENING say, as their parameters: (id, length, value) triples as in a hello; unknown ids are skipped. The mux carries
// them unread.
//
//   LISTEN     1 service   2 header condition (length of the name, name, value; repeated)   3 path prefix   4 flags (none yet)
//   LISTENING  1 it is HTTP (0 or 1)   2 endpoint (4 or 16 bytes of address, 2 of port; repeated)   3 round trip in microseconds
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/intercept/match.h"
#include "core/packet/address.h"

namespace causeway::intercept {

// A client asks for (its part of) a service.
struct Request {
  static constexpr std::size_t kMaxBytes = 8 * 1024;
  static constexpr std::size_t kMaxService = 255;

  std::string service;
  Match match;
  std::uint64_t flags = 0;
  friend bool operator==(const Request&, const Request&) = default;
};

// The gateway has shown that it works.
struct Accepted {
  static constexpr std::size_t kMaxEndpoints = 64;

  bool http = false;
  std::vector<packet::Endpoint> endpoints;  // where the cluster reaches the service
  Duration round_trip{};                    // of the probe
  friend bool operator==(const Accepted&, const Accepted&) = default;
};

// kLimit: longer than Request::kMaxBytes; kInvalid: no service.
Result<std::vector<std::uint8_t>> encode(const Request& request);
std::vector<std::uint8_t> encode(const Accepted& accepted);
// kProtocol for what is malformed; what Match::create() says of conditions that no request could meet.
Result<Request> parse_request(Bytes parameters);
Result<Accepted> parse_accepted(Bytes parameters);

}  // namespace causeway::intercept
