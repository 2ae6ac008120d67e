#include "platform/host/machine_host.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>

#include "platform/host/files.h"
#include "platform/host/profile_files.h"
#include "platform/host/request_check.h"
#include "platform/host/tun_device.h"

namespace causeway::platform {
namespace {

using packet::Address;
using packet::Cidr;
using Lines = std::vector<std::string>;

void append(Lines& to, Lines from) { std::move(from.begin(), from.end(), std::back_inserter(to)); }

// A lock of the process, so that it ends with it and a forked child does not hold it.
Result<Descriptor> lock_file(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return fail_errno(errno, "opening " + path);
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (::fcntl(file.get(), F_SETLK, &whole) == 0) return file;
  if (errno != EAGAIN && errno != EACCES) return fail_errno(errno, "locking " + path);
  return fail(ErrorCode::kConflict, "another process uses " + path,
              "stop it first, or give this one a state directory of its own");
}

// A device whose number did not get into the journal ends with the process that made it. That process gives its lock up a moment
// before its devices.
void wait_for_end_of_unknown(const Changes& changes) {
  if (changes.index != 0 || changes.device.empty() || changes.where != whereabouts()) return;
  for (int tries = 100; tries > 0 && Netlink::device_index(changes.device) != 0; --tries)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

std::string counted(std::size_t n, const char* one, const char* many) {
  return std::to_string(n) + ' ' + (n == 1 ? one : many);
}

}  // namespace

Result<std::unique_ptr<MachineHost>> MachineHost::create(const Options& options) {
  std::string folder = options.state_directory + "/journal";
  if (auto made = make_private_folder(folder); !made) return tl::make_unexpected(std::move(made.error()));
  auto lock = lock_file(folder + "/lock");
  if (!lock) return tl::make_unexpected(std::move(lock.error()));
  return std::unique_ptr<MachineHost>(new MachineHost(options, std::move(folder), std::move(*lock)));
}

MachineHost::MachineHost(const Options& options, std::string journal_folder, Descriptor lock)
    : options_(options),
      journal_(journal_folder),
      resolver_({options.resolv_conf, journal_folder + "/resolver"}),
      lock_(std::move(lock)),
      owner_(::getpid()) {}

MachineHost::~MachineHost() {
  if (::getpid() == owner_) detach_all();
}

std::vector<MachineHost::Attached>::iterator MachineHost::find(std::string_view profile) {
  return std::find_if(attached_.begin(), attached_.end(), [&](const Attached& one) { return one.profile == profile; });
}

Result<AttachedNetwork> MachineHost::attach(const NetworkRequest& request) {
  if (auto checked = check_request(request); !checked) return tl::make_unexpected(std::move(checked.error()));
  std::string device = device_name(request.profile);
  if (find(request.profile) != attached_.end())
    return fail(ErrorCode::kConflict, device + " is there already", "take it down first");
  auto netlink = Netlink::open();
  if (!netlink) return tl::make_unexpected(std::move(netlink.error()));
  // Looked at before the journal names the device: nobody else's must ever be removed.
  if (Netlink::device_index(device) != 0) {
    return fail(ErrorCode::kConflict, "a device " + device + " exists and is not ours",
                "remove it (ip link delete " + device + ") or rename the profile");
  }
  auto machine = MachineRoutes::look(*netlink);
  if (!machine) return tl::make_unexpected(std::move(machine.error()));
  auto table = find_free_table(*machine);
  if (!table) return tl::make_unexpected(std::move(table.error()));
  auto planned = plan({request.profile, request.routes, request.exclude, request.keep}, *machine);
  if (!planned) return tl::make_unexpected(std::move(planned.error()));
  if (auto way = check_way(*netlink, request, *planned); !way) return tl::make_unexpected(std::move(way.error()));

  Attached attached{request.profile, {}, request.mtu, {*table, kRulePriority, 0, false, false, {}}, request.keep};
  Changes& changes = attached.changes;
  changes.where = whereabouts();
  changes.device = device;
  changes.table = *table;
  changes.priority = kRulePriority;
  changes.routes = planned->routes;
  for (const Address& address : request.addresses) {
    if (address.is_v4() || ipv6_usable()) changes.addresses.push_back(address);
  }
  attached.table.plan = *planned;
  if (auto begun = journal_.begin(request.profile, changes); !begun)
    return tl::make_unexpected(std::move(begun.error()));
  auto tun = make(*netlink, request, attached);
  if (!tun) {
    bool failed = false;
    undo(*netlink, changes, failed);
    if (!failed) (void)journal_.end(request.profile);
    return tl::make_unexpected(std::move(tun.error()));
  }
  attached_.push_back(std::move(attached));
  return AttachedNetwork{std::move(device), std::move(*tun), std::move(planned->skipped)};
}

Result<Descriptor> MachineHost::make(Netlink& netlink, const NetworkRequest& request, Attached& attached) {
  Changes& changes = attached.changes;
  for (const Address& address : changes.addresses) {
    auto holder = netlink.holder_of(address);
    if (!holder) return tl::make_unexpected(std::move(holder.error()));
    if (*holder)
      return fail(ErrorCode::kConflict,
                  address.text() + " is an address of " + Netlink::device_text(*holder) + " already");
  }
  auto tun = open_tun(changes.device);
  if (!tun) return tun;
  unsigned index = Netlink::device_index(changes.device);
  changes.index = attached.table.device = index;
  Result<void> done = journal_.add_index(request.profile, index);
  if (done) done = restore_device(netlink, attached, changes.addresses);
  for (const Cidr& route : changes.routes) (route.network().is_v4() ? attached.table.v4 : attached.table.v6) = true;
  if (done) done = apply(netlink, {attached.table.routes(), {}, attached.table.rules()});
  if (done) done = check_kept(netlink, request.keep, index);
  if (!done) return tl::make_unexpected(std::move(done.error()));
  return tun;
}

std::vector<std::string> MachineHost::undo(Netlink& netlink, const Changes& changes, bool& failed) {
  Lines lines;
  if (changes.where != whereabouts()) return lines;  // all of it went with that boot, or that network namespace
  auto note = [&](const Result<void>& done) {
    if (done) return;
    failed = true;
    lines.push_back(done.error().message);
  };
  if (changes.table) note(remove_rules(netlink, changes.table, changes.priority));
  if (changes.index != 0 && Netlink::device_index(changes.device) == changes.index) {
    auto removed = netlink.remove_device(changes.index);
    if (!removed && removed.error().code != ErrorCode::kNotFound) {
      note(removed);
    } else {
      lines.push_back(changes.device + " removed, with " + counted(changes.addresses.size(), "address", "addresses") +
                      " and " + counted(changes.routes.size(), "route", "routes"));
    }
  } else if (changes.index != 0) {
    lines.push_back(changes.device + " is gone, and its addresses and routes with it");
  }
  if (changes.table) note(empty_table(netlink, changes.table));
  return lines;
}

Result<MachineResolver> MachineHost::set_resolver(const ResolverRequest& request) {
  if (auto checked = check_request(request); !checked) return tl::make_unexpected(std::move(checked.error()));
  if (!request.take_over) return resolver_.look(request.servers);
  return resolver_.stand_in({request.profile, request.servers});
}

Result<std::vector<std::string>> MachineHost::detach(std::string_view profile) {
  if (auto checked = check_profile_name(profile); !checked) return tl::make_unexpected(std::move(checked.error()));
  auto resolver = resolver_.stand_down(profile);
  Lines lines = resolver ? std::move(*resolver) : Lines();
  bool failed = false;
  auto found = find(profile);
  if (found != attached_.end()) {
    auto netlink = Netlink::open();
    if (!netlink) return tl::make_unexpected(std::move(netlink.error()));
    append(lines, undo(*netlink, found->changes, failed));
  }
  if (failed)
    return fail(ErrorCode::kSystem, lines.back(), "the journal stays; what is left is undone at the next start");
  if (found != attached_.end()) {
    attached_.erase(found);
    if (auto ended = journal_.end(profile); !ended) return tl::make_unexpected(std::move(ended.error()));
  }
  if (!resolver) return tl::make_unexpected(std::move(resolver.error()));
  return lines;
}

std::vector<std::string> MachineHost::detach_all() {
  Lines lines;
  // The file goes back at once, whichever profiles it names.
  auto resolver = resolver_.recover();
  append(lines, resolver ? std::move(*resolver) : Lines{resolver.error().message});
  while (!attached_.empty()) {
    auto done = detach(std::string(attached_.back().profile));
    append(lines, done ? std::move(*done) : Lines{done.error().message});
    if (!done && !attached_.empty()) attached_.pop_back();
  }
  return lines;
}

std::vector<std::string> MachineHost::recover() {
  Lines lines;
  journal_.remove_unfinished();
  auto resolver = resolver_.recover();
  append(lines, resolver ? std::move(*resolver) : Lines{resolver.error().message});
  auto netlink = Netlink::open();
  for (const std::string& profile : journal_.left_over()) {
    auto changes = journal_.read(profile);
    bool failed = !netlink;
    if (changes) wait_for_end_of_unknown(*changes);
    if (changes && netlink) append(lines, undo(*netlink, *changes, failed));
    if (changes && changes->unreadable) {
      lines.push_back("the journal of " + profile + " has " + counted(changes->unreadable, "line", "lines") +
                      " nobody can read");
    }
    if (!changes) lines.push_back(changes.error().message + "; it is left out");
    if (!netlink) lines.push_back(netlink.error().message);
    if (!failed) (void)journal_.end(profile);
  }
  return lines;
}

Result<Descriptor> MachineHost::open_file(std::string_view name, bool secret) {
  return open_beneath(options_.profiles_directory, name, secret);
}

}  // namespace causeway::platform
