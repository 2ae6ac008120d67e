// What an administrator asks of a gateway, over a socket on the gateway's own machine: a question on one line, an answer on one line,
// and the connection is over.
//
//   {"v":1,"request":"intercepts"}                                  the services, as in catalogue.h
//   {"v":1,"request":"free","service":"orders","owner":"anna"}      {"v":1,"answer":"free","count":2}; the owner may be left out
//   anything else                                                   {"v":1,"answer":"error","message":"..."}
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "core/base/result.h"
#include "core/control/catalogue.h"

namespace causeway::control {

inline constexpr std::size_t kMaxQuestion = 4 * 1024;

struct InterceptsQuestion {};
struct FreeQuestion {
  std::string service;
  std::string owner;  // empty: whoever
};
using AdministratorQuestion = std::variant<InterceptsQuestion, FreeQuestion>;

Result<AdministratorQuestion> parse_question(std::string_view line);
std::string encode(const AdministratorQuestion& question);  // without a line feed; so are the answers

struct FreeAnswer {
  std::uint64_t count = 0;
};
using AdministratorAnswer = std::variant<Catalogue, FreeAnswer, Error>;

// An error is the gateway's; kProtocol where the line is no answer.
Result<AdministratorAnswer> parse_administrator_answer(std::string_view line);
std::string encode(const AdministratorAnswer& answer);

// For programs: the catalogue on several lines.
std::string catalogue_json(const Catalogue& catalogue);

}  // namespace causeway::control
