// Keys as they lie in files.
#pragma once

#include <string>

#include "core/base/result.h"
#include "core/base/secret.h"

namespace causeway::platform {

// A key in base64 (44 characters). Refused where others could have read it: any right of the world, or of a group. One
// exception, for secrets that an orchestrator mounts for a program which is not root: a file that root owns may be readable by
// its group.
Result<Secret<32>> read_key_file(const std::string& path);

// The whole of a small text file; more than `most` bytes are refused.
Result<std::string> read_text_file(const std::string& path, std::size_t most);

}  // namespace causeway::platform
