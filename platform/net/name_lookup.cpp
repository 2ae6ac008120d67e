#include "platform/net/name_lookup.h"

#include <ares.h>

#include <unordered_map>

#include "core/base/assert.h"
#include "platform/loop/clock.h"
#include "platform/net/socket.h"

namespace causeway::platform {
namespace {

constexpr int kTimeoutMs = 2000;  // of the first try; c-ares doubles it
constexpr int kTries = 2;

Error error_of(int status) {
  std::string text = ares_strerror(status);
  switch (status) {
    case ARES_ENOTFOUND:
    case ARES_ENODATA:
    case ARES_EBADNAME: return {ErrorCode::kNotFound, std::move(text), {}};
    case ARES_ETIMEOUT: return {ErrorCode::kTimedOut, std::move(text), {}};
    default: return {ErrorCode::kUnavailable, std::move(text), {}};
  }
}

std::vector<packet::Address> addresses_of(const ares_addrinfo* info) {
  std::vector<packet::Address> addresses;
  for (const ares_addrinfo_node* node = info->nodes; node; node = node->ai_next) {
    SocketAddress address;
    std::memcpy(&address.storage, node->ai_addr, node->ai_addrlen);
    addresses.push_back(address.endpoint().address);
  }
  return addresses;
}

// Initialises the library with the first use.
void library() {
  static const int status = ares_library_init(ARES_LIB_INIT_ALL);
  CAUSEWAY_ASSERT(status == ARES_SUCCESS);
}

}  // namespace

struct NameLookup::Inside {
  explicit Inside(Loop& on) : loop(on), timer(on, [this] { handle(ARES_SOCKET_BAD, ARES_SOCKET_BAD); }) {}

  void handle(ares_socket_t readable, ares_socket_t writable) {
    ares_process_fd(channel, readable, writable);
    set_timer();
  }
  void set_timer() {
    timeval left{};
    timeval* next = ares_timeout(channel, nullptr, &left);
    timer.set(next ? boot_now() + std::chrono::seconds(next->tv_sec) + std::chrono::microseconds(next->tv_usec)
                   : kNever);
  }
  void socket_wants(ares_socket_t socket, bool readable, bool writable) {
    if (!readable && !writable) {
      sockets.erase(socket);
      return;
    }
    auto [it, fresh] = sockets.try_emplace(socket);
    if (fresh) {
      it->second = std::make_unique<Poll>(loop, socket, [this, socket](int events) {
        handle((events & Poll::kReadable) ? socket : ARES_SOCKET_BAD,
               (events & Poll::kWritable) ? socket : ARES_SOCKET_BAD);
        // An error stops the poll; a socket that is still in use is watched on.
        if (auto at = sockets.find(socket); at != sockets.end()) at->second->watch(wanted[socket]);
      });
    }
    wanted[socket] = (readable ? Poll::kReadable : 0) | (writable ? Poll::kWritable : 0);
    it->second->watch(wanted[socket]);
  }

  Loop& loop;
  ares_channel channel = nullptr;
  std::unordered_map<ares_socket_t, std::unique_ptr<Poll>> sockets;
  std::unordered_map<ares_socket_t, int> wanted;
  Timer timer;
};

NameLookup::NameLookup(Loop& loop, const std::vector<packet::Endpoint>& servers)
    : inside_(std::make_unique<Inside>(loop)) {
  library();
  ares_options options{};
  options.timeout = kTimeoutMs;
  options.tries = kTries;
  options.sock_state_cb = [](void* data, ares_socket_t socket, int readable, int writable) {
    static_cast<Inside*>(data)->socket_wants(socket, readable != 0, writable != 0);
  };
  options.sock_state_cb_data = inside_.get();
  CAUSEWAY_ASSERT(ares_init_options(&inside_->channel, &options,
                                    ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB) == ARES_SUCCESS);
  std::string list;
  for (const packet::Endpoint& server : servers) list += (list.empty() ? "" : ",") + server.text();
  if (!list.empty()) ares_set_servers_ports_csv(inside_->channel, list.c_str());
}

NameLookup::~NameLookup() { ares_destroy(inside_->channel); }

void NameLookup::find(const std::string& name, Done done) {
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  ares_getaddrinfo(
      inside_->channel, name.c_str(), nullptr, &hints,
      [](void* data, int status, int, ares_addrinfo* info) {
        std::unique_ptr<Done> waiting(static_cast<Done*>(data));
        std::vector<packet::Address> addresses = info ? addresses_of(info) : std::vector<packet::Address>();
        if (info) ares_freeaddrinfo(info);
        if (status == ARES_SUCCESS && addresses.empty()) status = ARES_ENODATA;
        if (status != ARES_SUCCESS) return (*waiting)(tl::make_unexpected(error_of(status)));
        (*waiting)(std::move(addresses));
      },
      new Done(std::move(done)));
  inside_->set_timer();
}

}  // namespace causeway::platform
