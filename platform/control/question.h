// Asks a program on this machine one thing, over its local socket, and waits for the answer.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/base/time.h"

namespace causeway::platform {

// Lines, both without their line feeds. kUnavailable: nobody listens there, or it hangs up; kPermission: the socket may not be opened;
// kTimedOut; kProtocol: more than `most` bytes came.
Result<std::string> ask_question(const std::string& path, std::string_view question, std::size_t most,
                                 Duration patience);

}  // namespace causeway::platform
