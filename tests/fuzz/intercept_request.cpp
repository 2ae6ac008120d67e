// LISTEN's and LISTENING's parameters of a peer: what is taken is a request that some head could meet, and is written as it was read.
#include "core/intercept/request.h"

#include "tests/fuzz/target.h"

namespace causeway::fuzz {
namespace {

using namespace intercept;

// Byte 0: which of the two.
bool run(Bytes bytes) {
  Input input(bytes);
  if (input.byte() & 1) {
    Result<Accepted> accepted = parse_accepted(input.rest());
    if (!accepted) return false;
    CAUSEWAY_ASSERT(accepted->endpoints.size() <= Accepted::kMaxEndpoints);
    CAUSEWAY_ASSERT(*parse_accepted(encode(*accepted)) == *accepted);
    return true;
  }
  Result<Request> request = parse_request(input.rest());
  if (!request) {
    CAUSEWAY_ASSERT(!request.error().message.empty());
    return false;
  }
  CAUSEWAY_ASSERT(!request->service.empty() && request->match.headers().size() <= Match::kMaxConditions);
  CAUSEWAY_ASSERT(request->match.conflicts_with(request->match));
  auto again = encode(*request);
  CAUSEWAY_ASSERT(again && *parse_request(*again) == *request);
  return true;
}

std::vector<Seed> seeds() {
  Request request;
  request.service = "orders";
  request.match = *Match::create({{"x-user", "anna"}, {"x-team", ""}}, "/api");
  request.flags = 1;
  Accepted accepted{true,
                    {*packet::Endpoint::parse("10.0.0.1:80"), *packet::Endpoint::parse("[2001:db8::1]:80")},
                    std::chrono::milliseconds(12)};
  return {
      {blob({0}) + *encode(request)},        {blob({0}) + *encode(Request{"db", {}, 0}) + blob({0x33, 2, 1, 2})},
      {blob({1}) + encode(accepted)},        {blob({0, 1, 1, 'a', 2, 3, 9, 'x', 'y'}), false},
      {blob({0, 2, 3, 1, 'x', 'y'}), false}, {blob({1, 2, 3, 1, 2, 3}), false},
  };
}

const Registration kRegistration({"intercept_request", run, seeds});

}  // namespace
}  // namespace causeway::fuzz
