#include "platform/control/server.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "platform/control/connection.h"

namespace causeway::platform {

ControlServer::ControlServer(Loop& loop, Descriptor listening, const Options& options, Handler& handler)
    : loop_(loop),
      options_(options),
      handler_(handler),
      listening_(std::move(listening)),
      poll_(std::make_unique<Poll>(loop, listening_.get(), [this](int) { accept(); })),
      accept_again_(std::make_unique<Timer>(loop, [this] { poll_->watch(Poll::kReadable); })) {
  poll_->watch(Poll::kReadable);
}

ControlServer::~ControlServer() = default;

void ControlServer::send(CallerId caller, const control::Answer& answer) {
  auto found = connections_.find(caller);
  if (found != connections_.end()) found->second->send(answer);
}

void ControlServer::accept() {
  // A bound on how many at once, so that a storm of callers does not hold up the tunnels.
  for (int i = 0; i < 16; ++i) {
    Descriptor socket(accept4(listening_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket) {
      admit(std::move(socket));
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      poll_->watch(Poll::kNone);
      accept_again_->set(boot_now() + std::chrono::seconds(1));
      return;
    } else if (errno != EINTR && errno != ECONNABORTED) {
      return;
    }
  }
}

void ControlServer::admit(Descriptor socket) {
  auto peer = peer_of(socket.get());
  if (!peer) return;
  auto same_user = std::size_t(std::count_if(connections_.begin(), connections_.end(),
                                             [&](const auto& each) { return each.second->user() == peer->user; }));
  if (connections_.size() >= options_.max_callers || (peer->user != 0 && same_user >= options_.max_callers_of_user)) {
    std::string line = control::encode(control::Answer(control::ErrorAnswer{
        ErrorCode::kLimit, "", "too many callers at once", "wait for the others to end, or end those that hang"}));
    // Said if it can be said at once.
    [[maybe_unused]] ssize_t sent = ::send(socket.get(), line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return;
  }
  CallerId id = ++last_id_;
  connections_.emplace(id, std::make_unique<Connection>(*this, id, std::move(socket), std::move(*peer)));
}

void ControlServer::remove(CallerId caller) {
  auto found = connections_.find(caller);
  if (found == connections_.end()) return;
  // Kept to the end: it is removed from inside its own callbacks.
  std::unique_ptr<Connection> connection = std::move(found->second);
  connections_.erase(found);
  if (connection->answering()) handler_.left(caller);
}

}  // namespace causeway::platform
