#include <sys/resource.h>

#include <cerrno>
#include <cstdio>
#include <vector>

#include "bench/load/load.h"
#include "bench/load/sockets.h"

namespace causeway::load {

int hold(const Target& target, unsigned flows) {
  const Address address = address_of(target.address, target.port);
  const auto start = Clock::now();
  std::vector<Descriptor> open;
  open.reserve(flows);
  while (open.size() < flows) {
    Descriptor socket = connected(address, SOCK_STREAM);
    read_timeout(socket.get(), std::chrono::seconds(10));
    char byte = 'x';
    if (send(socket.get(), &byte, 1, MSG_NOSIGNAL) != 1 || recv(socket.get(), &byte, 1, 0) != 1)
      fail("a flow without an echo");
    open.push_back(std::move(socket));
  }
  std::printf("{\"open\": %zu, \"seconds\": %.3f}\n", open.size(),
              std::chrono::duration<double>(Clock::now() - start).count());
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  return 0;
}

}  // namespace causeway::load
