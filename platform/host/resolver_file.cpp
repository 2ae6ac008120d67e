#include "platform/host/resolver_file.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace causeway::platform {
namespace {

using packet::Address;
using Lines = std::vector<std::string>;

constexpr std::size_t kMaxJournal = kMaxResolvConf + 64 * 1024;
// The C library asks no more than this many (MAXNS).
constexpr std::size_t kServersInUse = 3;
constexpr int kMaxLinks = 16;

// The file behind symbolic links, which need not exist.
std::string behind_links(const std::string& file) {
  std::filesystem::path path = file;
  std::error_code error;
  for (int i = 0; i < kMaxLinks && std::filesystem::is_symlink(path, error); ++i) {
    std::filesystem::path target = std::filesystem::read_symlink(path, error);
    if (error) break;
    path = target.is_absolute() ? target : path.parent_path() / target;
  }
  std::filesystem::path folder = std::filesystem::weakly_canonical(path.parent_path(), error);
  return error ? path.string() : (folder / path.filename()).string();
}

bool starts_as(std::string_view whole, std::string_view part) { return whole.substr(0, part.size()) == part; }

// `text` is what an in-place write of `after` over `before` leaves when a crash cuts it off: see overwrite_file().
bool cut_off(std::string_view before, std::string_view after, std::string_view text) {
  auto differs = std::mismatch(text.begin(), text.end(), after.begin(), after.end()).first;
  std::size_t written = std::size_t(differs - text.begin());
  return text.size() == before.size() && text.substr(written) == before.substr(written);
}

// The servers that the file named before and no longer shall.
std::vector<Address> gone(const ResolverState& state) {
  std::vector<Address> servers;
  for (const StandIn& one : state.before) {
    if (!state.has(one.profile)) servers.insert(servers.end(), one.servers.begin(), one.servers.end());
  }
  return servers;
}

bool names_any(std::string_view text, const std::vector<Address>& servers) {
  std::vector<Address> named = parse_resolv_conf(text).servers;
  return std::find_first_of(named.begin(), named.end(), servers.begin(), servers.end()) != named.end();
}

bool names_resolved(const MachineResolver& machine) {
  const Address stub = Address::v4(127, 0, 0, 53);
  return std::find(machine.servers.begin(), machine.servers.end(), stub) != machine.servers.end();
}

bool listens(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, path.data(), path.size());
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  int status = socket ? ::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) : -1;
  return status == 0 || (socket && errno == EAGAIN);
}

}  // namespace

Result<ResolverFile::Found> ResolverFile::find(const std::string& file) const {
  Found found;
  found.file = behind_links(file);
  struct stat info {};
  if (::stat(found.file.c_str(), &info) != 0) {
    if (errno == ENOENT) return found;
    return fail_errno(errno, "looking at " + found.file);
  }
  if (!S_ISREG(info.st_mode)) return fail(ErrorCode::kConflict, found.file + " is not a file");
  auto content = read_file(found.file, kMaxResolvConf);
  if (!content) return tl::make_unexpected(std::move(content.error()));
  found.exists = true;
  found.one_name = info.st_nlink == 1;
  found.owner = {info.st_mode & 07777, info.st_uid, info.st_gid};
  found.content = std::move(*content);
  return found;
}

Result<std::optional<ResolverState>> ResolverFile::load() const {
  auto text = read_file(paths_.journal, kMaxJournal);
  if (!text && text.error().code == ErrorCode::kNotFound) return std::optional<ResolverState>();
  if (!text) return tl::make_unexpected(std::move(text.error()));
  auto state = ResolverState::parse(*text);
  if (!state) return fail(ErrorCode::kInvalid, paths_.journal + " is not a journal of this version", "remove it");
  return state;
}

bool ResolverFile::clean() const { return ::access(paths_.journal.c_str(), F_OK) != 0; }

Result<void> ResolverFile::save(const ResolverState& state) const {
  return replace_file(paths_.journal, state.text(), {0600, ::geteuid(), ::getegid()});
}

Result<void> ResolverFile::forget() const {
  if (::unlink(paths_.journal.c_str()) != 0 && errno != ENOENT) return fail_errno(errno, "removing " + paths_.journal);
  return sync_folder(std::filesystem::path(paths_.journal).parent_path().string());
}

// The file is as we wrote it: before the last change or after it, or as far as a crash let us.
bool ResolverFile::wrote(const Found& found, const ResolverState& state) const {
  if (!found.exists) return false;
  auto text_of = [&](const std::vector<StandIn>& stubs) {
    return stubs.empty() ? state.original : render_stand_in(state.original, stubs, paths_.journal);
  };
  std::string after = text_of(state.active), before = text_of(state.before);
  if (!state.active.empty() && starts_as(after, found.content)) return true;
  if (!state.before.empty() && starts_as(before, found.content)) return true;
  if (found.content == state.original) return false;
  return cut_off(before, after, found.content) || cut_off(before, state.original, found.content) ||
         cut_off(after, state.original, found.content);
}

std::string ResolverFile::original_behind(const Found& found, const std::optional<ResolverState>& state) const {
  if (state && wrote(found, *state)) return state->original;
  if (state) return take_out(found.content, state->servers(), state->original);
  if (is_stand_in(found.content, paths_.journal)) return original_of_stand_in(found.content);
  return found.content;
}

MachineResolver ResolverFile::describe(const std::string& original, const std::vector<Address>& ours) const {
  ResolvConf conf = parse_resolv_conf(original);
  MachineResolver machine;
  machine.search = std::move(conf.search);
  for (const Address& server : conf.servers) {
    bool is_ours = std::find(ours.begin(), ours.end(), server) != ours.end();
    if (!is_ours && machine.servers.size() < kServersInUse) machine.servers.push_back(server);
  }
  return machine;
}

bool ResolverFile::routed_by_name(const MachineResolver& machine) const {
  return names_resolved(machine) && listens(paths_.resolved);
}

std::vector<Address> ResolverFile::reached_by(const MachineResolver& machine) const {
  std::vector<Address> servers = machine.servers;
  if (!names_resolved(machine)) return servers;
  auto text = read_file(paths_.resolved_servers, kMaxResolvConf);
  for (const Address& server : parse_resolv_conf(text.value_or("")).servers) servers.push_back(server);
  return servers;
}

Result<MachineResolver> ResolverFile::look(const std::vector<Address>& ours) {
  auto state = load();
  auto found = find(paths_.file);
  if (!state) return tl::make_unexpected(std::move(state.error()));
  if (!found) return tl::make_unexpected(std::move(found.error()));
  std::vector<Address> stubs = ours;
  if (*state) {
    for (const Address& server : (*state)->servers()) stubs.push_back(server);
  }
  MachineResolver machine = describe(original_behind(*found, *state), stubs);
  machine.how = routed_by_name(machine) ? "systemd-resolved is asked; it is not told of the cluster's names yet"
                                        : paths_.file + ", left as it is";
  return machine;
}

Result<MachineResolver> ResolverFile::stand_in(const StandIn& stub) {
  auto loaded = load();
  auto found = find(paths_.file);
  auto machine = look(stub.servers);
  if (!loaded) return tl::make_unexpected(std::move(loaded.error()));
  if (!found) return tl::make_unexpected(std::move(found.error()));
  if (!machine || routed_by_name(*machine)) return machine;

  ResolverState state = *loaded ? **loaded : ResolverState();
  bool fresh = !*loaded || state.file != found->file || !wrote(*found, state);
  if (fresh) {
    state.original = original_behind(*found, *loaded);
    state.existed = found->exists;
    state.owner = found->owner;
    state.file = found->file;
  }
  state.before = state.active;
  auto same = [&](const StandIn& one) { return one.profile == stub.profile; };
  auto mine = std::find_if(state.active.begin(), state.active.end(), same);
  if (mine != state.active.end())
    *mine = stub;
  else
    state.active.push_back(stub);

  std::string content = render_stand_in(state.original, state.active, paths_.journal);
  if (content.size() > kMaxResolvConf) return fail(ErrorCode::kLimit, found->file + " is too large to stand in for");
  if (auto saved = save(state); !saved) {
    Error error = std::move(saved.error()).in("the journal of what is to be undone cannot be written");
    error.advice = "see that its file system is writable and not full (df): without it " + found->file + " is left as it is";
    return tl::make_unexpected(std::move(error));
  }
  auto replaced = write(*found, content, state.owner);
  if (!replaced) {
    state.active = state.before;
    (void)(state.active.empty() ? forget() : save(state));
    return tl::make_unexpected(std::move(replaced.error()));
  }
  machine->standing_in = true;
  machine->how = found->file + (*replaced ? ", replaced" : ", written in place");
  return machine;
}

// True where the file was replaced, false where it was written in place.
Result<bool> ResolverFile::write(const Found& found, std::string_view content, const FileOwner& owner) const {
  if (found.one_name) {
    auto replaced = replace_file(found.file, content, owner);
    if (replaced) return true;
    // A mount cannot be replaced, nor a file in a folder that we may not write. What is shorter fits where there is no room.
    ErrorCode code = replaced.error().code;
    bool fits = code == ErrorCode::kLimit && content.size() <= found.content.size();
    if (code != ErrorCode::kConflict && code != ErrorCode::kPermission && !fits)
      return tl::make_unexpected(std::move(replaced.error()));
  }
  auto written = overwrite_file(found.file, content);
  if (written) return false;
  if (found.exists) (void)overwrite_file(found.file, found.content);
  Error error = std::move(written.error());
  error.advice = "see whether it is immutable (lsattr) or on a file system that is read-only or full";
  return tl::make_unexpected(std::move(error));
}

Result<Lines> ResolverFile::stand_down(std::string_view profile) {
  auto state = load();
  if (!state) return tl::make_unexpected(std::move(state.error()));
  if (!*state || !(*state)->has(profile)) return Lines();
  std::vector<StandIn> left = (*state)->active;
  left.erase(std::remove_if(left.begin(), left.end(), [&](const StandIn& one) { return one.profile == profile; }),
             left.end());
  return go_back(std::move(**state), std::move(left));
}

// Makes the file one for the profiles that are `left`, and the original where none is.
Result<Lines> ResolverFile::go_back(ResolverState state, std::vector<StandIn> left) {
  auto found = find(state.file);
  if (!found) return tl::make_unexpected(std::move(found.error()));
  bool ours = wrote(*found, state);
  Lines lines;
  if (left.empty()) {
    // The journal stays as it is until all is done: it knows every file that a crash on the way can leave, and needs no room.
    state.before.insert(state.before.end(), state.active.begin(), state.active.end());
    state.active.clear();
  } else {
    state.before = std::exchange(state.active, std::move(left));
    if (auto saved = save(state); !saved) lines.push_back(saved.error().message);
  }
  auto line = put_back(*found, state, ours);
  if (!line) return tl::make_unexpected(std::move(line.error()));
  lines.insert(lines.begin(), *line);
  if (behind_links(paths_.file) != state.file) lines.push_back(paths_.file + " leads elsewhere now and stays as it is");
  if (state.active.empty()) {
    if (auto forgotten = forget(); !forgotten) return tl::make_unexpected(std::move(forgotten.error()));
  }
  return lines;
}

Result<std::string> ResolverFile::put_back(const Found& found, const ResolverState& state, bool ours) const {
  bool last = state.active.empty();
  if (!found.exists)
    return found.file + (state.existed ? " was removed since by another program, and stays so" : " is gone already");
  if (ours) {
    if (last && !state.existed) {
      if (::unlink(found.file.c_str()) != 0) return fail_errno(errno, "removing " + found.file);
      return found.file + " removed again";
    }
    std::string content = last ? state.original : render_stand_in(state.original, state.active, paths_.journal);
    auto written = write(found, content, state.owner);
    if (!written) return tl::make_unexpected(std::move(written.error()));
    return found.file + (last ? " restored" : " names the stub of " + state.active.front().profile);
  }
  if (last && found.content == state.original) return found.file + " is as it was already";
  std::string rest = found.content;
  if (last) {
    rest = take_out(rest, state.servers(), state.original);
  } else if (names_any(rest, gone(state))) {
    rest = take_out(rest, gone(state), server_lines(state.active.front()));
  }
  if (rest == found.content) return found.file + " was rewritten since by another program, and stays as it is";
  auto written = write(found, rest, found.owner);
  if (!written) return tl::make_unexpected(std::move(written.error()));
  return found.file + " was edited since: only our servers were taken out";
}

Result<Lines> ResolverFile::recover() {
  auto state = load();
  remove_unfinished(behind_links(paths_.file));
  if (state && *state) remove_unfinished((*state)->file);
  if (state && *state) return go_back(std::move(**state), {});
  auto lines = recover_without_journal();
  if (lines && !state) {
    lines->push_back(state.error().message + ", and was put aside");
    ::rename(paths_.journal.c_str(), (paths_.journal + ".unreadable").c_str());
  }
  return lines;
}

// The journal may be lost where the file is not: a state folder that does not survive a power cut.
Result<Lines> ResolverFile::recover_without_journal() const {
  auto found = find(paths_.file);
  if (!found) return tl::make_unexpected(std::move(found.error()));
  if (!is_stand_in(found->content, paths_.journal)) return Lines();
  auto written = write(*found, original_of_stand_in(found->content), found->owner);
  if (!written) return tl::make_unexpected(std::move(written.error()));
  return Lines{found->file + " restored from its own comments"};
}

}  // namespace causeway::platform
