#include "platform/host/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace causeway::platform {
namespace {

ErrorCode code_of(int number) {
  switch (number) {
    case EPERM:
    case EACCES:
    case EROFS: return ErrorCode::kPermission;
    case ENOENT:
    case ENOTDIR: return ErrorCode::kNotFound;
    case EEXIST:
    case EBUSY:
    case EADDRINUSE: return ErrorCode::kConflict;
    case ENODEV:
    case ENOSYS:
    case EOPNOTSUPP:
    case ENETUNREACH: return ErrorCode::kUnavailable;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE: return ErrorCode::kLimit;
    default: return ErrorCode::kSystem;
  }
}

std::string unfinished(const std::string& path) { return path + std::string(kUnfinished); }

std::string folder_of(const std::string& path) {
  std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

tl::unexpected<Error> fail_errno(int number, std::string doing, std::string advice) {
  return fail(code_of(number), std::move(doing) + ": " + std::strerror(number), std::move(advice));
}

Result<std::string> read_file(const std::string& path, std::size_t most) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) return fail_errno(errno, "reading " + path);
  std::string content;
  char part[4096];
  for (;;) {
    ssize_t n = ::read(file.get(), part, sizeof part);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno(errno, "reading " + path);
    if (n == 0) return content;
    content.append(part, std::size_t(n));
    if (content.size() > most)
      return fail(ErrorCode::kLimit, path + " is larger than " + std::to_string(most) + " bytes");
  }
}

Result<void> write_all(int descriptor, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    ssize_t n = ::write(descriptor, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno(errno, "writing " + path);
    content.remove_prefix(std::size_t(n));
  }
  return {};
}

Result<void> sync_folder(const std::string& path) {
  Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::fsync(folder.get()) != 0) return fail_errno(errno, "syncing " + path);
  return {};
}

Result<void> replace_file(const std::string& path, std::string_view content, const FileOwner& owner) {
  std::string fresh = unfinished(path);
  ::unlink(fresh.c_str());
  Descriptor file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return fail_errno(errno, "writing " + fresh);
  auto fill = [&]() -> Result<void> {
    if (auto written = write_all(file.get(), content, fresh); !written) return written;
    bool other_owner = owner.uid != ::geteuid() || owner.gid != ::getegid();
    if (other_owner && ::fchown(file.get(), owner.uid, owner.gid) != 0)
      return fail_errno(errno, "giving " + fresh + " its owner");
    if (::fchmod(file.get(), owner.mode) != 0) return fail_errno(errno, "giving " + fresh + " its mode");
    if (::fsync(file.get()) != 0) return fail_errno(errno, "syncing " + fresh);
    if (::rename(fresh.c_str(), path.c_str()) != 0) return fail_errno(errno, "replacing " + path);
    return sync_folder(folder_of(path));
  };
  auto done = fill();
  if (!done) ::unlink(fresh.c_str());
  return done;
}

void remove_unfinished(const std::string& path) { ::unlink(unfinished(path).c_str()); }

Result<void> overwrite_file(const std::string& path, std::string_view content) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0644));
  if (!file) return fail_errno(errno, "writing " + path);
  // The length is cut last: whoever reads meanwhile never finds the file empty.
  if (auto written = write_all(file.get(), content, path); !written) return written;
  if (::ftruncate(file.get(), off_t(content.size())) != 0) return fail_errno(errno, "writing " + path);
  if (::fsync(file.get()) != 0) return fail_errno(errno, "syncing " + path);
  return {};
}

Result<void> make_private_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::path parent = std::filesystem::path(path).parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  if (error) return fail_errno(error.value(), "making " + parent.string());
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return fail_errno(errno, "making " + path);
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return fail_errno(errno, "looking at " + path);
  if (!S_ISDIR(found.st_mode)) return fail(ErrorCode::kConflict, path + " is not a folder");
  if (found.st_uid != ::geteuid()) return fail(ErrorCode::kPermission, path + " belongs to somebody else", "remove it");
  if ((found.st_mode & 077) != 0 && ::chmod(path.c_str(), 0700) != 0)
    return fail_errno(errno, "closing " + path + " to others");
  return {};
}

}  // namespace causeway::platform
