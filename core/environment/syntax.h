// Files of variables, each syntax as its consumer really reads it: what is written comes back whole there, or is refused.
//
//   docker   NAME=VALUE, a line each, taken as it is (`docker run --env-file`): no value can have a line feed
//   sh       export NAME='VALUE', for `. FILE` in any POSIX shell
//   json     {"NAME": "VALUE", ...}
//
// Pure; a file is read and written by who has it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/environment/variables.h"

namespace causeway::environment {

enum class Syntax { kDocker, kSh, kJson };

std::string_view syntax_name(Syntax syntax);
std::optional<Syntax> syntax_named(std::string_view word);
// By its extension: ".sh", ".json"; anything else is docker's.
Syntax syntax_of_file(std::string_view path);

// Variables as check() takes them. kInvalid: one of them cannot be said in this syntax; the message says which and why, the advice
// which syntax can.
Result<std::string> write(const Variables& variables, Syntax syntax);

// `source` names the text in complaints: "orders.env:3: ...". What is read has passed check().
//   docker: a name without '=' is refused; docker would take its own process's variable.
//   sh: assignments only, with or without `export`; what a shell would expand or run is refused.
Result<Variables> read(std::string_view text, Syntax syntax, std::string_view source);

// The writers and readers of single syntaxes, for syntax.cpp.
namespace docker {
// Why it cannot be written; null where it can.
const char* why_not(const Variable& variable);
std::string write(const Variable& variable);
Result<Variables> read(std::string_view text, std::string_view source);
}  // namespace docker
namespace sh {
const char* why_not(const Variable& variable);
std::string write(const Variable& variable);
Result<Variables> read(std::string_view text, std::string_view source);
}  // namespace sh

}  // namespace causeway::environment
