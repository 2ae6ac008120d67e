#include "core/environment/syntax.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/json/json.h"

namespace causeway::environment {
namespace {

constexpr std::array<std::pair<Syntax, std::string_view>, 3> kNames{
    {{Syntax::kDocker, "docker"}, {Syntax::kSh, "sh"}, {Syntax::kJson, "json"}}};

// Escapes make six bytes of one at most, and names and quotes come on top.
constexpr json::Bounds kBounds{8 * kMaxBytes, 1, 4 * kMaxVariables};

const char* why_not(const Variable& variable, Syntax syntax) {
  switch (syntax) {
    case Syntax::kDocker: return docker::why_not(variable);
    case Syntax::kSh: return sh::why_not(variable);
    case Syntax::kJson: break;
  }
  return nullptr;
}

std::string which_can(const Variable& variable) {
  std::string can;
  for (const auto& [syntax, name] : kNames) {
    if (!why_not(variable, syntax)) can += (can.empty() ? "" : " or ") + std::string(name);
  }
  return can;
}

std::string write_json(const Variables& variables) {
  json::Ordered object = json::Ordered::object();
  for (const auto& [name, value] : variables) object[name] = value;
  return json::indented(object) + '\n';
}

Result<Variables> read_json(std::string_view text, std::string_view source) {
  auto object = json::parse_ordered_object(text, kBounds);
  if (!object) return fail(object.error().code, std::string(source) + ": " + object.error().message);
  Variables variables;
  for (const auto& [name, value] : object->items()) {
    if (!value.is_string()) {
      return fail(ErrorCode::kInvalid,
                  std::string(source) + ": the value of '" + name.substr(0, kMaxName) + "' is no string",
                  "quote it: variables have no other type");
    }
    variables.emplace_back(name, value.get<std::string>());
  }
  return variables;
}

}  // namespace

std::string_view syntax_name(Syntax syntax) {
  return std::find_if(kNames.begin(), kNames.end(), [&](const auto& each) { return each.first == syntax; })->second;
}

std::optional<Syntax> syntax_named(std::string_view word) {
  for (const auto& [syntax, name] : kNames) {
    if (name == word) return syntax;
  }
  return std::nullopt;
}

Syntax syntax_of_file(std::string_view path) {
  if (path.ends_with(".json")) return Syntax::kJson;
  return path.ends_with(".sh") ? Syntax::kSh : Syntax::kDocker;
}

Result<std::string> write(const Variables& variables, Syntax syntax) {
  if (auto good = check(variables); !good) return tl::make_unexpected(good.error());
  std::string text;
  for (const Variable& variable : variables) {
    if (const char* why = why_not(variable, syntax)) {
      return fail(ErrorCode::kInvalid,
                  "the variable " + variable.first + " cannot be written in " + std::string(syntax_name(syntax)) +
                      " syntax: " + why,
                  "write it in " + which_can(variable) + " syntax");
    }
    if (syntax == Syntax::kDocker) text += docker::write(variable);
    if (syntax == Syntax::kSh) text += sh::write(variable);
  }
  return syntax == Syntax::kJson ? write_json(variables) : text;
}

Result<Variables> read(std::string_view text, Syntax syntax, std::string_view source) {
  auto variables = syntax == Syntax::kJson ? read_json(text, source)
                   : syntax == Syntax::kSh ? sh::read(text, source)
                                           : docker::read(text, source);
  if (!variables) return variables;
  if (auto good = check(*variables); !good) {
    return fail(good.error().code, std::string(source) + ": " + good.error().message, good.error().advice);
  }
  return variables;
}

}  // namespace causeway::environment
