#include "tools/tund/ready.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "platform/net/socket.h"

namespace causeway::tund {

void tell_ready() {
  const char* name = std::getenv("NOTIFY_SOCKET");
  if (!name) return;
  std::string_view path = name;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() < 2 || path.size() >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (path[0] == '@') address.sun_path[0] = '\0';  // the abstract namespace
  platform::Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  std::string_view ready = "READY=1";
  auto size = socklen_t(offsetof(sockaddr_un, sun_path) + path.size());
  [[maybe_unused]] ssize_t sent =
      sendto(socket.get(), ready.data(), ready.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), size);
  unsetenv("NOTIFY_SOCKET");
}

}  // namespace causeway::tund
