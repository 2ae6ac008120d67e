#include "platform/host/resolver_state.h"

#include <algorithm>
#include <charconv>

#include "platform/host/request_check.h"

namespace causeway::platform {
namespace {

using packet::Address;

constexpr std::string_view kFirstLine = "causeway-resolver 1";
constexpr std::size_t kMaxProfiles = 64;

std::string_view next_word(std::string_view& line) {
  std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(line.size(), word.size() + 1));
  return word;
}

template <class T>
bool read_number(std::string_view text, T& value, int base = 10) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc() && end == text.data() + text.size();
}

void append_stubs(std::string& text, std::string_view word, const std::vector<StandIn>& stubs) {
  for (const StandIn& one : stubs) {
    text.append(word).append(" ").append(one.profile);
    for (const Address& server : one.servers) text += ' ' + server.text();
    text += '\n';
  }
}

bool read_stub(std::string_view rest, std::vector<StandIn>& stubs) {
  StandIn stub;
  stub.profile = next_word(rest);
  if (!check_profile_name(stub.profile) || stubs.size() >= kMaxProfiles) return false;
  while (!rest.empty()) {
    auto server = Address::parse(next_word(rest));
    if (!server || stub.servers.size() >= kMaxStubServers) return false;
    stub.servers.push_back(*server);
  }
  stubs.push_back(std::move(stub));
  return true;
}

bool read_owner(std::string_view rest, FileOwner& owner) {
  return read_number(next_word(rest), owner.mode, 8) && read_number(next_word(rest), owner.uid) &&
         read_number(next_word(rest), owner.gid) && owner.mode <= 07777;
}

bool read_original(std::string_view size, std::string_view rest, ResolverState& state) {
  std::size_t n = 0;
  state.existed = size != "none";
  if (state.existed && (!read_number(size, n) || n > kMaxResolvConf)) return false;
  state.original = rest;
  return rest.size() == n;
}

}  // namespace

std::string ResolverState::text() const {
  std::string text(kFirstLine);
  char mode[8]{};
  std::to_chars(mode, mode + sizeof mode - 1, owner.mode & 07777u, 8);
  text +=
      "\nfile " + file + "\nowner " + mode + ' ' + std::to_string(owner.uid) + ' ' + std::to_string(owner.gid) + '\n';
  append_stubs(text, "stub", active);
  append_stubs(text, "was", before);
  text += "original " + (existed ? std::to_string(original.size()) : "none") + '\n';
  return text + original;
}

std::optional<ResolverState> ResolverState::parse(std::string_view text) {
  ResolverState state;
  if (!text.starts_with(kFirstLine) || !text.substr(kFirstLine.size()).starts_with('\n')) return std::nullopt;
  text.remove_prefix(kFirstLine.size() + 1);
  for (std::size_t end; (end = text.find('\n')) != std::string_view::npos;) {
    std::string_view rest = text.substr(0, end), word = next_word(rest);
    text.remove_prefix(end + 1);
    if (word == "original") {
      bool whole = read_original(rest, text, state) && state.file.starts_with('/');
      return whole ? std::optional(std::move(state)) : std::nullopt;
    }
    bool read = false;
    if (word == "file") read = true, state.file = rest;
    if (word == "owner") read = read_owner(rest, state.owner);
    if (word == "stub") read = read_stub(rest, state.active);
    if (word == "was") read = read_stub(rest, state.before);
    if (!read) return std::nullopt;
  }
  return std::nullopt;
}

std::vector<Address> ResolverState::servers() const {
  std::vector<Address> all;
  for (const auto* list : {&active, &before}) {
    for (const StandIn& one : *list) all.insert(all.end(), one.servers.begin(), one.servers.end());
  }
  return all;
}

bool ResolverState::has(std::string_view profile) const {
  return std::any_of(active.begin(), active.end(), [&](const StandIn& one) { return one.profile == profile; });
}

}  // namespace causeway::platform
