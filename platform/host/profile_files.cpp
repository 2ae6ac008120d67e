#include "platform/host/profile_files.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "platform/host/files.h"
#include "platform/host/request_check.h"

namespace causeway::platform {
namespace {

// Non-blocking: opening a pipe that lies there must not wait for its writer.
constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW;

int open_at_once(int folder, const std::string& name) {
  open_how how{};
  how.flags = kFlags;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return int(::syscall(SYS_openat2, folder, name.c_str(), &how, sizeof how));
}

// For kernels before 5.6, and filters that do not know the call. The name has no "..".
int open_step_by_step(int folder, std::string_view name) {
  Descriptor inside;
  for (std::size_t slash; (slash = name.find('/')) != std::string_view::npos; name.remove_prefix(slash + 1)) {
    int next =
        ::openat(folder, std::string(name.substr(0, slash)).c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (next < 0) return -1;
    inside = Descriptor(next);
    folder = next;
  }
  return ::openat(folder, std::string(name).c_str(), kFlags);
}

Result<void> check_secret(const struct stat& info, const std::string& path) {
  if (info.st_mode & 077) {
    char mode[8];
    std::snprintf(mode, sizeof mode, "%04o", info.st_mode & 07777u);
    return fail(ErrorCode::kPermission, path + " is open to others (mode " + mode + ")", "chmod 600 " + path);
  }
  if (info.st_uid != 0 && info.st_uid != ::geteuid()) {
    return fail(ErrorCode::kPermission, path + " does not belong to root", "chown root " + path);
  }
  return {};
}

}  // namespace

Result<Descriptor> open_beneath(const std::string& folder, std::string_view name, bool secret) {
  if (auto named = check_file_name(name); !named) return tl::make_unexpected(std::move(named.error()));
  std::string path = folder + '/' + std::string(name);
  Descriptor inside(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!inside) return fail_errno(errno, "opening " + folder);
  Descriptor file(open_at_once(inside.get(), std::string(name)));
  if (!file && (errno == ENOSYS || errno == EPERM)) file = Descriptor(open_step_by_step(inside.get(), name));
  if (!file && (errno == ELOOP || errno == EXDEV)) {
    return fail(ErrorCode::kPermission, path + " is reached by a symbolic link", "put the file itself there");
  }
  if (!file) return fail_errno(errno, "opening " + path);

  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return fail_errno(errno, "looking at " + path);
  if (!S_ISREG(info.st_mode)) return fail(ErrorCode::kInvalid, path + " is not a regular file");
  if (std::size_t(info.st_size) > kMaxFileSize) {
    return fail(ErrorCode::kLimit, path + " is larger than " + std::to_string(kMaxFileSize) + " bytes");
  }
  if (secret) {
    if (auto checked = check_secret(info, path); !checked) return tl::make_unexpected(std::move(checked.error()));
  }
  ::fcntl(file.get(), F_SETFL, 0);
  return file;
}

}  // namespace causeway::platform
