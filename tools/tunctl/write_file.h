// Files with secrets in them: readable by their owner only, never for a moment by others, and whole or not at all.
#pragma once

#include <string>

#include "core/base/result.h"

namespace causeway::tunctl {

// `file` names it in errors.
Result<void> write_all(int to, const std::string& text, const std::string& file);
// kConflict: it exists.
Result<void> write_new(const std::string& file, const std::string& text);
Result<void> replace(const std::string& file, const std::string& text);
// Replaces a file; to a pipe or a device that is there already as it comes, and to "-", which is standard output.
Result<void> write_out(const std::string& file, const std::string& text);

}  // namespace causeway::tunctl
