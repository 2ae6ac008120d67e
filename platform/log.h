// The programs' log: one line an event, to standard error, where a service manager picks it up.
#pragma once

#include <spdlog/spdlog.h>

#include <string>
#include <string_view>

namespace causeway::platform {

// Once, before the first line. `program` begins every line; `level` is spdlog's word for it ("info", "debug", ...). Times are
// left out where standard error is the journal (JOURNAL_STREAM is set), which has its own.
void start_log(std::string_view program, std::string_view level);

// What came from outside (names, reasons of a peer), with control characters made visible, so that nobody forges a line.
std::string printable(std::string_view text);

}  // namespace causeway::platform
