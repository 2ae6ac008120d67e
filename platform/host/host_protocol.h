// What the engine process asks of the host helper, as bytes: one message of a SOCK_SEQPACKET socket each, both ends of one
// build. The helper trusts nothing in it: every length is checked against its bound before anything is allocated, and a message
// with anything left over is refused. Pure functions.
//
//   message   version(1) number(varint) kind(1) body
//   string    length(varint) bytes            address   4 | 6, then 4 or 16 bytes
//   list      count(varint) items             prefix    address length(1)
//
// An answer carries the number of its request. The descriptor of an attach or open answer travels beside it (SCM_RIGHTS).
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "platform/host/host.h"

namespace causeway::platform {

inline constexpr std::uint8_t kHostProtocolVersion = 1;
inline constexpr std::size_t kMaxHostMessage = 128 * 1024;

struct DetachRequest {
  std::string profile;
};
struct OpenFileRequest {
  std::string name;
  bool secret = false;
};
using HostRequest = std::variant<NetworkRequest, ResolverRequest, DetachRequest, OpenFileRequest, ConflictsRequest, RoutesRequest>;

struct AttachedAnswer {
  std::string device;
  std::vector<packet::Cidr> skipped;
};
struct DetachedAnswer {
  std::vector<std::string> lines;
};
struct OpenedAnswer {};
struct ConflictsAnswer {
  std::vector<RouteConflict> conflicts;
};
using HostAnswer = std::variant<Error, AttachedAnswer, MachineResolver, DetachedAnswer, OpenedAnswer, ConflictsAnswer,
                                ChangedRoutes>;

template <class Body>
struct Numbered {
  std::uint64_t number = 0;
  Body body;
};

// What is beyond its bounds is our bug in a request, and cut short in an answer (texts and lines of them).
std::vector<std::uint8_t> encode(const Numbered<HostRequest>& request);
std::vector<std::uint8_t> encode(const Numbered<HostAnswer>& answer);

// kProtocol where it is malformed; what request_check.h says where it asks too much.
Result<Numbered<HostRequest>> decode_host_request(Bytes message);
Result<Numbered<HostAnswer>> decode_host_answer(Bytes message);

}  // namespace causeway::platform
