#include "platform/client/hello_store.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <charconv>

#include "platform/log.h"
#include "platform/net/socket.h"

namespace causeway::platform {

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
  if (path_.empty() || write(std::to_string(number) + "\n") || complained_) return;
  complained_ = true;
  spdlog::warn(
      "cannot keep the hello number in {}: {}; if the clock goes back the gateway will refuse us until it has caught "
      "up",
      path_, error_text(errno));
}

bool HelloStore::write(const std::string& text) const {
  std::string fresh = path_ + ".new";
  int file = open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return false;
  bool written = ::write(file, text.data(), text.size()) == ssize_t(text.size());
  return (close(file) == 0) & written && rename(fresh.c_str(), path_.c_str()) == 0;
}

}  // namespace causeway::platform
