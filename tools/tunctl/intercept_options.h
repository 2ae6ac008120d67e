// What `intercept` and `leave` were told, checked before anything is asked of tund.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/control/message.h"
#include "core/environment/syntax.h"
#include "core/packet/address.h"

namespace causeway::tunctl {

// As it was typed.
struct InterceptWords {
  std::string service, profile, address, path_prefix, env_file, env_syntax;
  std::vector<std::string> headers;  // "x-user=anna"
  std::uint16_t port = 0;            // 0: the service's own
  std::vector<std::string> command;  // empty: none
};

struct InterceptOptions {
  std::string service, profile;
  control::Headers headers;
  std::string path_prefix;
  std::string what;  // "x-user=anna and path /api"; empty: everything
  std::optional<packet::Address> address;
  std::uint16_t port = 0;
  std::string env_file;  // "-": standard output
  environment::Syntax env_syntax = environment::Syntax::kDocker;
  std::vector<std::string> command;
};

// kInvalid: what is wrong with which option.
Result<InterceptOptions> read_options(const InterceptWords& words);

}  // namespace causeway::tunctl
