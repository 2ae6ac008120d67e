// Replays published test vectors of the Noise handshakes that the link uses, both roles at once.
//
// The JSON form is that of the Noise wiki's "Test vectors" page: {"vectors": [{"protocol_name", "init_prologue", "init_psks",
// "init_static", "init_ephemeral", "init_remote_static", "resp_...", "handshake_hash", "messages": [{"payload", "ciphertext"}]}]},
// bytes in hexadecimal. Messages alternate from the initiator's first; those behind the handshake are transport messages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace causeway::tools {

struct ReplayReport {
  std::size_t passed = 0;
  std::size_t failed = 0;
  std::size_t skipped = 0;             // protocols that the link does not use
  std::vector<std::string> failures;   // "vector 3: message 2: the ciphertext differs"
};

// An error when `text` is not a vector file at all; what is wrong with a single vector counts as its failure.
Result<ReplayReport> replay_vectors(std::string_view text);

}  // namespace causeway::tools
