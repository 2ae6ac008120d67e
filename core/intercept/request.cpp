#include "core/intercept/request.h"

#include <algorithm>

#include "core/base/wire.h"

namespace causeway::intercept {
namespace {

enum RequestParameter : std::uint64_t { kService = 1, kHeader = 2, kPathPrefix = 3, kFlags = 4 };
enum AcceptedParameter : std::uint64_t { kHttp = 1, kEndpoint = 2, kRoundTrip = 3 };

using Output = std::vector<std::uint8_t>;

void append(Output& out, std::uint64_t number) {
  std::uint8_t raw[8];
  WireWriter writer(raw);
  writer.varint(number);
  out.insert(out.end(), raw, raw + writer.size());
}

void append(Output& out, std::uint64_t id, Bytes value) {
  append(out, id);
  append(out, value.size());
  out.insert(out.end(), value.begin(), value.end());
}

void append(Output& out, std::uint64_t id, std::uint64_t value) {
  Output number;
  append(number, value);
  append(out, id, number);
}

// Calls `each(id, value)` for every parameter; false if the triples do not fit, or `each` says so.
template <class F>
bool read_parameters(Bytes parameters, F&& each) {
  WireReader reader(parameters);
  while (!reader.empty()) {
    const std::uint64_t id = reader.varint();
    const Bytes value = reader.take(reader.varint());
    if (reader.failed() || !each(id, value)) return false;
  }
  return !reader.failed();
}

bool read_number(Bytes value, std::uint64_t& out) {
  WireReader reader(value);
  out = reader.varint();
  return !reader.failed();
}

bool read_header(Bytes value, std::vector<HeaderCondition>& out) {
  WireReader reader(value);
  const Bytes name = reader.take(reader.varint());
  if (reader.failed() || out.size() == Match::kMaxConditions) return false;
  out.push_back({std::string(as_text(name)), std::string(as_text(reader.take(reader.left())))});
  return true;
}

bool read_endpoint(Bytes value, std::vector<packet::Endpoint>& out) {
  if ((value.size() != 6 && value.size() != 18) || out.size() == Accepted::kMaxEndpoints) return false;
  const std::size_t address = value.size() - 2;
  out.push_back({packet::Address::from_bytes(value.first(address)), load16(value.data() + address)});
  return true;
}

}  // namespace

Result<Output> encode(const Request& request) {
  if (request.service.empty() || request.service.size() > Request::kMaxService)
    return fail(ErrorCode::kInvalid, "\"" + request.service + "\" is no name of a service");
  Output out;
  append(out, kService, as_bytes(request.service));
  for (const HeaderCondition& condition : request.match.headers()) {
    Output value;
    append(value, condition.name.size());
    value.insert(value.end(), condition.name.begin(), condition.name.end());
    value.insert(value.end(), condition.value.begin(), condition.value.end());
    append(out, kHeader, value);
  }
  if (!request.match.path_prefix().empty()) append(out, kPathPrefix, as_bytes(request.match.path_prefix()));
  if (request.flags) append(out, kFlags, request.flags);
  if (out.size() > Request::kMaxBytes)
    return fail(ErrorCode::kLimit,
                "the header conditions and the path are longer than " + std::to_string(Request::kMaxBytes) + " bytes");
  return out;
}

Output encode(const Accepted& accepted) {
  Output out;
  append(out, kHttp, std::uint64_t(accepted.http));
  for (std::size_t i = 0; i < std::min(accepted.endpoints.size(), Accepted::kMaxEndpoints); ++i) {
    const packet::Endpoint& endpoint = accepted.endpoints[i];
    const Bytes address = endpoint.address.bytes();
    Output value(address.begin(), address.end());
    value.push_back(std::uint8_t(endpoint.port >> 8));
    value.push_back(std::uint8_t(endpoint.port));
    append(out, kEndpoint, value);
  }
  append(out, kRoundTrip, std::uint64_t(std::max<Duration>(accepted.round_trip, {}) / std::chrono::microseconds(1)));
  return out;
}

Result<Request> parse_request(Bytes parameters) {
  Request request;
  std::vector<HeaderCondition> headers;
  std::string path_prefix;
  const bool fits =
      parameters.size() <= Request::kMaxBytes && read_parameters(parameters, [&](std::uint64_t id, Bytes value) {
        switch (id) {
          case kService: request.service = as_text(value); return value.size() <= Request::kMaxService;
          case kHeader: return read_header(value, headers);
          case kPathPrefix: path_prefix = as_text(value); return true;
          case kFlags: return read_number(value, request.flags);
          default: return true;
        }
      });
  if (!fits || request.service.empty()) return fail(ErrorCode::kProtocol, "malformed request for an intercept");
  Result<Match> match = Match::create(std::move(headers), std::move(path_prefix));
  if (!match) return tl::make_unexpected(std::move(match.error()));
  request.match = std::move(*match);
  return request;
}

Result<Accepted> parse_accepted(Bytes parameters) {
  Accepted accepted;
  std::uint64_t http = 0, microseconds = 0;
  const bool fits = read_parameters(parameters, [&](std::uint64_t id, Bytes value) {
    switch (id) {
      case kHttp: return read_number(value, http) && http <= 1;
      case kEndpoint: return read_endpoint(value, accepted.endpoints);
      case kRoundTrip: return read_number(value, microseconds);
      default: return true;
    }
  });
  // A round trip beyond an hour is none, and would not fit a Duration.
  if (!fits || microseconds > 3'600'000'000) return fail(ErrorCode::kProtocol, "malformed answer to an intercept");
  accepted.http = http == 1;
  accepted.round_trip = std::chrono::microseconds(microseconds);
  return accepted;
}

}  // namespace causeway::intercept
