#include "platform/host/resolv_conf.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"

namespace causeway::platform {
namespace {

using packet::Address;

constexpr std::string_view kMark = "# causeway: ";
constexpr std::string_view kHowToUndo =
    "# \"tunctl down\" puts the file back, and so does the next start of tund. By hand: sed -n 's/^#= //p' FILE";
constexpr std::string_view kKeeper = "# Kept by ";
constexpr std::string_view kKeptLine = "#= ";
constexpr std::size_t kMaxServers = 64;
constexpr std::size_t kMaxSearch = 64;

// Calls `use(line)` for each line, without its end.
template <class Use>
void for_each_line(std::string_view text, Use use) {
  while (!text.empty()) {
    std::size_t end = text.find('\n');
    use(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r'; }

std::string_view next_word(std::string_view& line) {
  while (!line.empty() && is_space(line.front())) line.remove_prefix(1);
  std::size_t end = 0;
  while (end < line.size() && !is_space(line[end])) ++end;
  std::string_view word = line.substr(0, end);
  line.remove_prefix(end);
  return word;
}

// The rest of a line that begins with `keyword` and a space. Keywords stand at the very beginning.
std::optional<std::string_view> after(std::string_view line, std::string_view keyword) {
  if (!line.starts_with(keyword) || line.size() == keyword.size() || !is_space(line[keyword.size()]))
    return std::nullopt;
  return line.substr(keyword.size());
}

std::optional<Address> server_of(std::string_view line) {
  auto rest = after(line, "nameserver");
  return rest ? Address::parse(next_word(*rest)) : std::nullopt;
}

bool is_comment(std::string_view line) { return line.empty() || line.front() == '#' || line.front() == ';'; }

void append_line(std::string& text, std::string_view line) { text.append(line).push_back('\n'); }

void append_servers(std::string& text, std::string_view original) {
  for_each_line(original, [&](std::string_view line) {
    if (after(line, "nameserver")) append_line(text, line);
  });
}

}  // namespace

std::string server_lines(const StandIn& stub) {
  std::string text;
  for (const Address& server : stub.servers) append_line(text, "nameserver " + server.text());
  return text;
}

ResolvConf parse_resolv_conf(std::string_view text) {
  ResolvConf conf;
  for_each_line(text, [&](std::string_view line) {
    if (auto server = server_of(line); server && conf.servers.size() < kMaxServers) conf.servers.push_back(*server);
    auto list = after(line, "search");
    auto domain = list ? std::nullopt : after(line, "domain");
    if (!list && !domain) return;
    conf.search.clear();
    std::string_view rest = list ? *list : *domain;
    for (std::string_view word; conf.search.size() < (list ? kMaxSearch : 1) && !(word = next_word(rest)).empty();) {
      conf.search.emplace_back(word);
    }
  });
  return conf;
}

std::string render_stand_in(std::string_view original, const std::vector<StandIn>& active, std::string_view keeper) {
  CAUSEWAY_ASSERT(!active.empty());
  std::string text(kMark);
  text += "tund answers the cluster's names here (";
  for (const StandIn& one : active) text += (&one == &active.front() ? "" : ", ") + one.profile;
  text += ") and passes all others on to the servers that were here before.\n";
  append_line(text, kHowToUndo);
  append_line(text.append(kKeeper), keeper);
  for_each_line(original, [&](std::string_view line) { append_line(text.append(kKeptLine), line); });
  text += server_lines(active.front());
  for_each_line(original, [&](std::string_view line) {
    if (!is_comment(line) && !after(line, "nameserver")) append_line(text, line);
  });
  return text;
}

bool is_stand_in(std::string_view text, std::string_view keeper) {
  if (!text.starts_with(kMark)) return false;
  bool kept_by_us = false;
  for_each_line(text, [&](std::string_view line) {
    kept_by_us |= line.starts_with(kKeeper) && line.substr(kKeeper.size()) == keeper;
  });
  return kept_by_us;
}

std::string original_of_stand_in(std::string_view text) {
  std::string original;
  for_each_line(text, [&](std::string_view line) {
    if (line.starts_with(kKeptLine)) append_line(original, line.substr(kKeptLine.size()));
  });
  return original;
}

std::string take_out(std::string_view text, const std::vector<Address>& ours, std::string_view original) {
  std::string rest;
  bool put_back = false;
  for_each_line(text, [&](std::string_view line) {
    if (line.starts_with(kMark) || line == kHowToUndo || line.starts_with(kKeeper) || line.starts_with(kKeptLine))
      return;
    auto server = server_of(line);
    bool is_ours = server && std::find(ours.begin(), ours.end(), *server) != ours.end();
    if (!is_ours) return append_line(rest, line);
    if (!std::exchange(put_back, true)) append_servers(rest, original);
  });
  return rest;
}

}  // namespace causeway::platform
