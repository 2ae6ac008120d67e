// Assignments of a POSIX shell (IEEE Std 1003.1, Shell Command Language, 2.2 Quoting): written in single quotes, in which nothing
// has a meaning; read in any of the three kinds of quoting.
#include <algorithm>
#include <array>

#include "core/environment/syntax.h"

namespace causeway::environment::sh {
namespace {

// What dash or bash refuses to set, sets by itself or complains of.
constexpr std::array<std::string_view, 25> kOwnNames{
    "BASHOPTS",      "BASHPID",       "BASH_COMMAND", "BASH_COMPAT",   "BASH_SUBSHELL",
    "BASH_VERSINFO", "BASH_XTRACEFD", "DIRSTACK",     "EPOCHREALTIME", "EPOCHSECONDS",
    "EUID",          "FUNCNAME",      "GROUPS",       "HISTCMD",       "LINENO",
    "OPTIND",        "PIPESTATUS",    "PPID",         "RANDOM",        "SECONDS",
    "SHELLOPTS",     "SHLVL",         "SRANDOM",      "UID",           "_"};
// Unquoted, each of these ends a word, begins a command or a redirection, or is expanded.
constexpr std::string_view kOperators = "|&()<>";

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_shell_name(std::string_view name) {
  return is_name(name) && name.find_first_of(".-") == std::string_view::npos;
}

class Reader {
 public:
  Reader(std::string_view text, std::string_view source) : text_(text), source_(source) {}

  Result<Variables> read() {
    while (skip_to_word()) {
      if (begins_with_export()) continue;
      if (!assignment()) return fail(ErrorCode::kInvalid, wrong_, advice_);
    }
    return std::move(variables_);
  }

 private:
  char at(std::size_t further = 0) const { return at_ + further < text_.size() ? text_[at_ + further] : '\0'; }
  bool at_end() const { return at_ >= text_.size(); }
  char take() {
    char c = text_[at_++];
    if (c == '\n') ++line_;
    return c;
  }
  bool wrong(unsigned line, const std::string& what, const std::string& advice = {}) {
    wrong_ = std::string(source_) + ':' + std::to_string(line) + ": " + what;
    advice_ = advice;
    return false;
  }

  // False: nothing is left.
  bool skip_to_word() {
    for (; !at_end(); take()) {
      if (at() == '\\' && at(1) == '\n') {
        take();
      } else if (at() == '#') {
        while (!at_end() && at() != '\n') take();
        if (at_end()) break;
      } else if (!is_blank(at()) && at() != '\n' && at() != ';') {
        return true;
      }
    }
    return false;
  }

  bool begins_with_export() {
    constexpr std::string_view kExport = "export";
    if (text_.substr(at_, kExport.size()) != kExport || !is_blank(at(kExport.size()))) return false;
    at_ += kExport.size();
    return true;
  }

  bool assignment() {
    std::size_t equals = std::min(text_.find('=', at_), text_.size());
    std::string_view name = text_.substr(at_, equals - at_);
    if (equals == text_.size() || !is_shell_name(name)) {
      return wrong(line_, "this is not NAME=VALUE", "only assignments are read, nothing is run");
    }
    at_ = equals + 1;
    std::string value;
    if (!word(value)) return false;
    variables_.emplace_back(name, std::move(value));
    return true;
  }

  bool word(std::string& value) {
    for (bool tilde_expands = true; !at_end(); tilde_expands = at_ > 0 && text_[at_ - 1] == ':') {
      char c = at();
      if (is_blank(c) || c == '\n' || c == ';') return true;
      if (c == '\'') {
        if (!single_quoted(value)) return false;
      } else if (c == '"') {
        if (!double_quoted(value)) return false;
      } else if (c == '\\') {
        take();
        if (at_end()) return wrong(line_, "there is nothing behind the last '\\'");
        if (char quoted = take(); quoted != '\n') value += quoted;
      } else if (c == '$' || c == '`') {
        return expands();
      } else if (c == '~' && tilde_expands) {
        return wrong(line_, "a '~' at the start is expanded by a shell, and not here",
                     "write the path out, or quote it");
      } else if (kOperators.find(c) != std::string_view::npos) {
        return wrong(line_, std::string("unquoted '") + c + "' is no part of a value",
                     "put the value in single quotes");
      } else {
        value += take();
      }
    }
    return true;
  }

  bool single_quoted(std::string& value) {
    unsigned begin = line_;
    take();
    while (!at_end() && at() != '\'') value += take();
    if (at_end()) return wrong(begin, "the single quote of this line is not closed");
    take();
    return true;
  }

  bool double_quoted(std::string& value) {
    unsigned begin = line_;
    take();
    while (!at_end() && at() != '"') {
      if (at() == '$' || at() == '`') return expands();
      bool escape = at() == '\\' && std::string_view("$`\"\\\n").find(at(1)) != std::string_view::npos;
      if (escape) take();
      if (char c = take(); !escape || c != '\n') value += c;
    }
    if (at_end()) return wrong(begin, "the double quote of this line is not closed");
    take();
    return true;
  }

  bool expands() {
    return wrong(line_, std::string("'") + at() + "' is expanded by a shell, and not here",
                 "put the value in single quotes where it is meant as it stands");
  }

  std::string_view text_, source_;
  std::size_t at_ = 0;
  unsigned line_ = 1;
  Variables variables_;
  std::string wrong_, advice_;
};

}  // namespace

const char* why_not(const Variable& variable) {
  if (!is_shell_name(variable.first)) return "a shell's names have letters, digits and '_' only";
  if (std::find(kOwnNames.begin(), kOwnNames.end(), variable.first) != kOwnNames.end()) {
    return "shells keep this name for themselves";
  }
  return nullptr;
}

std::string write(const Variable& variable) {
  std::string line = "export " + variable.first + "='";
  for (char c : variable.second) line += c == '\'' ? "'\\''" : std::string(1, c);
  return line + "'\n";
}

Result<Variables> read(std::string_view text, std::string_view source) { return Reader(text, source).read(); }

}  // namespace causeway::environment::sh
