// docker's env-file, by the rules of its command line (docker/cli, pkg/kvfile): the file is cut at line feeds, a carriage return before
// one goes with it, lines that are empty or begin with '#' are skipped, and all behind the first '=' is the value as it stands. A
// line of 64 KiB ends the reading.
#include <algorithm>

#include "core/base/utf8.h"
#include "core/environment/syntax.h"

namespace causeway::environment::docker {
namespace {

constexpr std::size_t kMaxLine = 65535;  // with its line feed one less than the buffer that it is read into
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view kSpace = " \t\v\f\r";

tl::unexpected<Error> wrong(std::string_view source, unsigned line, const std::string& what, std::string advice = {}) {
  return fail(ErrorCode::kInvalid, std::string(source) + ':' + std::to_string(line) + ": " + what, std::move(advice));
}

}  // namespace

const char* why_not(const Variable& variable) {
  const auto& [name, value] = variable;
  if (value.find('\n') != std::string::npos) return "it has a line feed, which ends a value there";
  if (value.ends_with('\r')) return "it ends in a carriage return, which is dropped there";
  if (name.size() + 1 + value.size() > kMaxLine)
    return "with its name it is longer than the 65,535 bytes that are read there";
  return nullptr;
}

std::string write(const Variable& variable) { return variable.first + '=' + variable.second + '\n'; }

Result<Variables> read(std::string_view text, std::string_view source) {
  Variables variables;
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  for (unsigned number = 1; !text.empty(); ++number) {
    std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.size() > kMaxLine) return wrong(source, number, "the line is longer than 65,535 bytes");
    if (line.ends_with('\r')) line.remove_suffix(1);
    line.remove_prefix(std::min(line.find_first_not_of(kSpace), line.size()));
    if (line.empty() || line[0] == '#') continue;
    std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) {
      return wrong(source, number, "there is no '=' behind the name", "a variable without a value is written NAME=");
    }
    if (!is_name(line.substr(0, equals))) {
      return wrong(source, number, "what is before '=' is no name of a variable",
                   line.starts_with("export ")
                       ? "docker's syntax has no `export`; name the file *.sh to have it read as sh"
                       : "a name has letters, digits, '_', '.' and '-'");
    }
    if (!is_utf8(line)) return wrong(source, number, "the value is not UTF-8");
    variables.emplace_back(line.substr(0, equals), line.substr(equals + 1));
  }
  return variables;
}

}  // namespace causeway::environment::docker
