#include "platform/client/hello_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "platform/log.h"
#include "platform/net/socket.h"

namespace causeway::platform {
namespace {

constexpr std::size_t kDigits = 20;  // of the largest number

// All lines have one length, so that one takes the other's place in a single write: nothing is left beside the file by a crash.
std::string line_of(std::uint64_t number) {
  std::string digits = std::to_string(number);
  return std::string(kDigits - digits.size(), '0') + digits + '\n';
}

}  // namespace

HelloStore::HelloStore(std::string folder, const noise::PublicKey& key) {
  if (!folder.empty()) path_ = std::move(folder) + "/hello-" + noise::fingerprint(key);
}

std::uint64_t HelloStore::load() const {
  if (path_.empty()) return 0;
  int file = open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) return 0;
  char text[32];
  ssize_t n = read(file, text, sizeof text);
  close(file);
  std::uint64_t number = 0;
  if (n <= 0 || std::from_chars(text, text + n, number).ec != std::errc()) return 0;
  return number;
}

void HelloStore::keep(std::uint64_t number) {
  if (path_.empty() || write(line_of(number)) || complained_) return;
  complained_ = true;
  spdlog::warn(
      "cannot keep the hello number in {}: {}; if the clock goes back the gateway will refuse us until it has caught "
      "up",
      path_, error_text(errno));
}

bool HelloStore::write(const std::string& text) const {
  auto opened = [&] { return open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600); };
  int file = opened();
  if (file < 0 && errno == ELOOP && unlink(path_.c_str()) == 0) file = opened();
  if (file < 0) return false;
  bool written = ::write(file, text.data(), text.size()) == ssize_t(text.size());
  return (close(file) == 0) & written;
}

}  // namespace causeway::platform
