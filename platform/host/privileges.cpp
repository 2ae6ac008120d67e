#include "platform/host/privileges.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "platform/host/files.h"

namespace causeway::platform {
namespace {

using CapabilitySet = std::uint64_t;

constexpr CapabilitySet bit(int capability) { return CapabilitySet(1) << capability; }

constexpr CapabilitySet kHelperNeeds =
    bit(CAP_NET_ADMIN) | bit(CAP_DAC_OVERRIDE) | bit(CAP_CHOWN) | bit(CAP_FOWNER) | bit(CAP_KILL);

struct Capabilities {
  CapabilitySet effective = 0, permitted = 0, inheritable = 0;
};

// The C library has no function for these two calls.
Result<Capabilities> capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  if (::syscall(SYS_capget, &header, data) != 0) return fail_errno(errno, "reading the capabilities");
  auto join = [](std::uint32_t low, std::uint32_t high) { return CapabilitySet(high) << 32 | low; };
  return Capabilities{join(data[0].effective, data[1].effective), join(data[0].permitted, data[1].permitted),
                      join(data[0].inheritable, data[1].inheritable)};
}

Result<void> set_capabilities(CapabilitySet kept) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  data[0].effective = data[0].permitted = std::uint32_t(kept);
  data[1].effective = data[1].permitted = std::uint32_t(kept >> 32);
  if (::syscall(SYS_capset, &header, data) != 0) return fail_errno(errno, "giving capabilities away");
  return {};
}

// The bounding set; the kernel knows as many capabilities as it says.
Result<void> bound(CapabilitySet kept) {
  for (int capability = 0; capability < 64; ++capability) {
    int there = ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
    if (there < 0) return {};
    if (there == 0 || (kept & bit(capability))) continue;
    if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) return fail_errno(errno, "emptying the bounding set");
  }
  return {};
}

Result<void> no_new_privileges() {
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0,
          0);  // kernels without ambient capabilities have none to clear
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return fail_errno(errno, "ruling out new privileges");
  return {};
}

// Nothing is taken for granted that can be looked at.
Result<void> verify_dropped(const EngineUser& user) {
  uid_t uids[3];
  gid_t gids[3];
  bool same = ::getresuid(&uids[0], &uids[1], &uids[2]) == 0 && ::getresgid(&gids[0], &gids[1], &gids[2]) == 0 &&
              std::all_of(uids, uids + 3, [&](uid_t id) { return id == user.uid; }) &&
              std::all_of(gids, gids + 3, [&](gid_t id) { return id == user.gid; }) && ::getgroups(0, nullptr) == 0;
  auto now = capabilities();
  bool none = now && (now->effective | now->permitted | now->inheritable) == 0;
  bool final = ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 &&
               ::setresuid(uid_t(-1), 0, uid_t(-1)) != 0;
  if (same && none && final) return {};
  return fail(ErrorCode::kSystem, "the engine process could not give its privileges away");
}

tl::unexpected<Error> root_refused() {
  return fail(ErrorCode::kInvalid, "the engine process does not run as root", "name an ordinary user");
}

}  // namespace

Result<EngineUser> find_engine_user(std::string_view user) {
  EngineUser found;
  uid_t number = 0;
  auto [end, error] = std::from_chars(user.data(), user.data() + user.size(), number);
  if (!user.empty() && error == std::errc() && end == user.data() + user.size()) {
    if (number == 0 || number == uid_t(-1)) return root_refused();
    return EngineUser{number, gid_t(number), "uid " + std::string(user)};
  }
  const passwd* entry = ::getpwnam(std::string(user).c_str());
  if (!entry) {
    found.text = "uid " + std::to_string(kNamelessId) + ", as there is no user " + std::string(user);
    return found;
  }
  if (entry->pw_uid == 0 || entry->pw_gid == 0) return root_refused();
  return EngineUser{entry->pw_uid, entry->pw_gid, std::string(user)};
}

Result<void> drop_privileges(const EngineUser& user) {
  if (user.uid == 0 || user.gid == 0) return root_refused();
  if (auto bounded = bound(0); !bounded) return bounded;
  if (::setgroups(0, nullptr) != 0) return fail_errno(errno, "leaving the supplementary groups", "start it as root");
  if (::setresgid(user.gid, user.gid, user.gid) != 0)
    return fail_errno(errno, "becoming group " + std::to_string(user.gid));
  if (::setresuid(user.uid, user.uid, user.uid) != 0)
    return fail_errno(errno, "becoming user " + std::to_string(user.uid));
  if (auto none = set_capabilities(0); !none) return none;
  if (auto final = no_new_privileges(); !final) return final;
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return fail_errno(errno, "ruling out core dumps");
  return verify_dropped(user);
}

Result<void> keep_helper_privileges() {
  auto now = capabilities();
  if (!now) return tl::make_unexpected(std::move(now.error()));
  if (auto final = no_new_privileges(); !final) return final;
  // Without CAP_SETPCAP the bounding set cannot shrink; no_new_privs makes up for it.
  if (now->effective & bit(CAP_SETPCAP)) {
    if (auto bounded = bound(kHelperNeeds); !bounded) return bounded;
  }
  return set_capabilities(now->permitted & kHelperNeeds);
}

}  // namespace causeway::platform
