#include "platform/net/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "core/noise/keys.h"
#include "platform/net/socket.h"

namespace causeway::platform {
namespace {

tl::unexpected<Error> cannot_read(const std::string& path, int error) {
  ErrorCode code = error == ENOENT   ? ErrorCode::kNotFound
                   : error == EACCES ? ErrorCode::kPermission
                                     : ErrorCode::kSystem;
  return fail(code, "cannot read " + path + ": " + error_text(error));
}

// Reads until the end or until `to` is full; -1 with errno.
ssize_t read_all(int descriptor, char* to, std::size_t most) {
  std::size_t size = 0;
  while (size < most) {
    ssize_t n = read(descriptor, to + size, most - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) break;
    size += std::size_t(n);
  }
  return ssize_t(size);
}

}  // namespace

Result<Secret<32>> read_key_file(const std::string& path) {
  Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return cannot_read(path, errno);
  struct stat info {};
  if (fstat(file.get(), &info) != 0) return cannot_read(path, errno);
  if (!S_ISREG(info.st_mode)) return fail(ErrorCode::kInvalid, path + " is not a regular file");
  bool mounted = info.st_uid == 0 && geteuid() != 0;
  if ((info.st_mode & (mounted ? 037 : 077)) != 0) {
    return fail(ErrorCode::kPermission, path + " can be read or changed by others, so its key may be known already",
                "chmod 600 " + path + ", and a new key if somebody else may have read it");
  }
  std::array<char, 256> text;
  ssize_t n = read_all(file.get(), text.data(), text.size());
  if (n < 0) return cannot_read(path, errno);
  auto key = noise::parse_key({text.data(), std::size_t(n)});
  explicit_bzero(text.data(), text.size());
  if (!key)
    return fail(ErrorCode::kInvalid, path + " does not hold a key (44 characters of base64)",
                "tunctl keygen makes one");
  return *key;
}

Result<std::string> read_text_file(const std::string& path, std::size_t most) {
  Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return cannot_read(path, errno);
  std::string text(most + 1, '\0');
  ssize_t n = read_all(file.get(), text.data(), text.size());
  if (n < 0) return cannot_read(path, errno);
  if (std::size_t(n) > most)
    return fail(ErrorCode::kLimit, path + " is longer than " + std::to_string(most) + " bytes");
  text.resize(std::size_t(n));
  return text;
}

}  // namespace causeway::platform
