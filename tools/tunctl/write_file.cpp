#include "tools/tunctl/write_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "platform/net/socket.h"

namespace causeway::tunctl {

using platform::Descriptor;

namespace {

tl::unexpected<Error> cannot_write(const std::string& file) {
  return fail(ErrorCode::kSystem, "cannot write " + file + ": " + std::strerror(errno));
}

}  // namespace

Result<void> write_all(int to, const std::string& text, const std::string& file) {
  for (std::size_t at = 0; at < text.size();) {
    ssize_t size = write(to, text.data() + at, text.size() - at);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return cannot_write(file);
    at += std::size_t(size);
  }
  return {};
}

Result<void> write_new(const std::string& file, const std::string& text) {
  Descriptor to(open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!to && errno == EEXIST) {
    return fail(ErrorCode::kConflict, file + " exists already, and was left as it is");
  }
  if (!to) return cannot_write(file);
  auto written = write_all(to.get(), text, file);
  if (written && (fchmod(to.get(), 0600) != 0 || fsync(to.get()) != 0)) written = cannot_write(file);
  if (!written) unlink(file.c_str());
  return written;
}

Result<void> replace(const std::string& file, const std::string& text) {
  std::string fresh = file + ".XXXXXX";
  Descriptor to(mkostemp(fresh.data(), O_CLOEXEC));  // mode 0600
  if (!to) return cannot_write(file);
  auto written = write_all(to.get(), text, file);
  if (written && (fsync(to.get()) != 0 || rename(fresh.c_str(), file.c_str()) != 0)) written = cannot_write(file);
  if (!written) unlink(fresh.c_str());
  return written;
}

Result<void> write_out(const std::string& file, const std::string& text) {
  if (file == "-") return write_all(STDOUT_FILENO, text, "standard output");
  struct stat found {};
  if (stat(file.c_str(), &found) != 0 || S_ISREG(found.st_mode)) return replace(file, text);
  Descriptor to(open(file.c_str(), O_WRONLY | O_CLOEXEC));
  return to ? write_all(to.get(), text, file) : cannot_write(file);
}

}  // namespace causeway::tunctl
