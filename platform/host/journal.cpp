#include "platform/host/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>

#include "platform/host/files.h"
#include "platform/host/request_check.h"

namespace causeway::platform {
namespace {

using packet::Address;
using packet::Cidr;

constexpr std::string_view kFirstLine = "causeway-journal 1";
constexpr std::string_view kSuffix = ".changes";
constexpr std::size_t kMaxSize = 256 * 1024;

// The next word, without the space behind it.
std::string_view next_word(std::string_view& line) {
  std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(line.size(), word.size() + 1));
  return word;
}

std::optional<unsigned> parse_index(std::string_view text) {
  unsigned value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value == 0) return std::nullopt;
  return value;
}

bool read_table(std::string_view rest, Changes& changes) {
  auto table = parse_index(next_word(rest)), priority = parse_index(rest);
  bool ours = table && priority && *table >= kFirstTable && *table - kFirstTable < kTables;
  if (ours) changes.table = *table;
  if (ours) changes.priority = *priority;
  return ours;
}

bool read_line(std::string_view line, Changes& changes) {
  std::string_view rest = line, word = next_word(rest);
  if (word == "where") {
    changes.where = rest;
    return true;
  }
  if (word == "table") return read_table(rest, changes);
  if (word == "device") {
    bool ours = rest.starts_with("cw-") && check_profile_name(rest.substr(3));
    if (ours) changes.device = rest;
    return ours;
  }
  if (word == "address") {
    auto address = Address::parse(rest);
    if (address) changes.addresses.push_back(*address);
    return address.has_value();
  }
  if (word == "route") {
    auto route = Cidr::parse(rest);
    if (route) changes.routes.push_back(*route);
    return route.has_value();
  }
  if (word == "index") {
    auto index = parse_index(rest);
    if (index) changes.index = *index;
    return index.has_value();
  }
  return false;
}

}  // namespace

std::string Changes::text() const {
  std::string text(kFirstLine);
  text += "\nwhere " + where + '\n';
  if (table) text += "table " + std::to_string(table) + ' ' + std::to_string(priority) + '\n';
  text += "device " + device + '\n';
  for (const Address& address : addresses) text += "address " + address.text() + '\n';
  for (const Cidr& route : routes) text += "route " + route.text() + '\n';
  if (index) text += "index " + std::to_string(index) + '\n';
  return text;
}

std::optional<Changes> Changes::parse(std::string_view text) {
  Changes changes;
  bool first = true;
  for (std::size_t end; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1)) {
    std::string_view line = text.substr(0, end);
    if (first && line != kFirstLine) return std::nullopt;
    if (!first && !read_line(line, changes)) ++changes.unreadable;
    first = false;
  }
  if (first) return std::nullopt;
  return changes;
}

std::string whereabouts() {
  std::string boot = read_file("/proc/sys/kernel/random/boot_id", 64).value_or("unknown");
  if (!boot.empty() && boot.back() == '\n') boot.pop_back();
  struct stat network {};
  if (::stat("/proc/self/ns/net", &network) != 0) network.st_ino = 0;
  return boot + ' ' + std::to_string(network.st_ino);
}

std::string Journal::file(std::string_view profile) const {
  return folder_ + '/' + std::string(profile) + std::string(kSuffix);
}

Result<void> Journal::begin(std::string_view profile, const Changes& changes) {
  auto written = replace_file(file(profile), changes.text(), {0600, ::geteuid(), ::getegid()});
  if (written) return written;
  Error error = std::move(written.error()).in("the journal of what is to be undone cannot be written");
  error.advice = "make " + folder_ + " writable and see that its file system is not full (df): without it nothing is changed";
  return tl::make_unexpected(std::move(error));
}

Result<void> Journal::add_index(std::string_view profile, unsigned index) {
  std::string path = file(profile);
  Descriptor journal(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW));
  if (!journal) return fail_errno(errno, "writing " + path);
  if (auto written = write_all(journal.get(), "index " + std::to_string(index) + '\n', path); !written) return written;
  if (::fdatasync(journal.get()) != 0) return fail_errno(errno, "syncing " + path);
  return {};
}

Result<void> Journal::end(std::string_view profile) {
  std::string path = file(profile);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return fail_errno(errno, "removing " + path);
  return sync_folder(folder_);
}

void Journal::remove_unfinished() const {
  std::error_code error;
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    if (entry.path().native().ends_with(kUnfinished)) found.push_back(entry.path());
  }
  for (const auto& path : found) ::unlink(path.c_str());
}

std::vector<std::string> Journal::left_over() const {
  std::vector<std::string> profiles;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    std::string name = entry.path().filename().string();
    if (!name.ends_with(kSuffix)) continue;
    name.resize(name.size() - kSuffix.size());
    if (check_profile_name(name)) profiles.push_back(std::move(name));
  }
  std::sort(profiles.begin(), profiles.end());
  return profiles;
}

Result<Changes> Journal::read(std::string_view profile) const {
  auto text = read_file(file(profile), kMaxSize);
  if (!text) return tl::make_unexpected(std::move(text.error()));
  auto changes = Changes::parse(*text);
  if (!changes) return fail(ErrorCode::kInvalid, file(profile) + " is not a journal of this version");
  return *changes;
}

}  // namespace causeway::platform
