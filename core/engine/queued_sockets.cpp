#include "core/engine/queued_sockets.h"

namespace causeway::engine {

QueuedSockets::Socket* QueuedSockets::find(RelayId id) {
  auto it = sockets_.find(id);
  return it == sockets_.end() ? nullptr : &it->second;
}

QueuedSockets::Socket& QueuedSockets::add(Use use, std::uint64_t connection, intercept::ConnectionId upstream) {
  const RelayId id = host_.new_relay();
  Socket& socket = sockets_[id];
  socket.id = id;
  socket.use = use;
  socket.connection = connection;
  socket.upstream = upstream;
  return socket;
}

std::optional<QueuedSockets::Socket> QueuedSockets::take(RelayId id) {
  auto node = sockets_.extract(id);
  if (node.empty()) return std::nullopt;
  return std::move(node.mapped());
}

void QueuedSockets::connected(Socket& socket) {
  socket.dialling = false;
  note_writable(socket);
  finish_if_due(socket);
}

void QueuedSockets::send(Socket& socket, Slice slice) {
  socket.out.append(std::move(slice), pool_);
  note_writable(socket);
  if (socket.unsettled) return;
  socket.unsettled = true;
  unsettled_.push_back(socket.id);
}

void QueuedSockets::send_all(Socket& socket, OutQueue& from) {
  while (!from.empty()) send(socket, from.pop_front());
}

void QueuedSockets::note_writable(Socket& socket) {
  if (socket.writable_noted || socket.dialling || socket.out.empty()) return;
  socket.writable_noted = true;
  host_.note_writable(socket.id);
}

void QueuedSockets::lent(RelayId id) {
  if (Socket* socket = find(id)) socket->writable_noted = false;
}

void QueuedSockets::resume(Socket& socket) {
  if (!socket.paused) return;
  socket.paused = false;
  host_.resume_relay(socket.id);
}

void QueuedSockets::finish(Socket& socket) {
  socket.finish_due = true;
  finish_if_due(socket);
}

void QueuedSockets::finish_if_due(Socket& socket) {
  if (!socket.finish_due || socket.finish_given || socket.dialling || !socket.out.empty()) return;
  socket.finish_given = true;
  host_.finish_relay(socket.id);
}

void QueuedSockets::close(Socket& socket, bool reset) {
  host_.close_relay(socket.id, reset);
  sockets_.erase(socket.id);
}

void QueuedSockets::close_when_written(Socket& socket, Instant now) {
  if (socket.out.empty() || socket.dialling) return close(socket, false);
  socket.use = Use::kClosing;
  closing_.emplace_back(now + kLinger, socket.id);
}

// What came before the reset is still to be read: it is offered once.
void QueuedSockets::reset_when_offered(Socket& socket) {
  if (socket.out.empty() || socket.dialling) return close(socket, true);
  socket.use = Use::kClosing;
  socket.ending = true;
  note_writable(socket);
  host_.reset_once_offered(socket.id);
}

void QueuedSockets::end_offered(RelayId id) {
  if (Socket* socket = find(id)) close(*socket, true);
}

void QueuedSockets::close_all() {
  while (!sockets_.empty()) close(sockets_.begin()->second, true);
}

std::size_t QueuedSockets::transmit(RelayId id, std::span<Bytes> pieces) {
  Socket* socket = find(id);
  return socket && !socket->dialling ? socket->out.pieces(pieces) : 0;
}

QueuedSockets::Socket* QueuedSockets::transmitted(RelayId id, std::size_t n) {
  Socket* socket = find(id);
  if (!socket || n == 0) return nullptr;
  socket->out.remove(n);
  finish_if_due(*socket);
  if (socket->use != Use::kClosing || !socket->out.empty()) return socket;
  close(*socket, socket->ending);
  return nullptr;
}

void QueuedSockets::settle() {
  for (RelayId id : unsettled_) {
    Socket* socket = find(id);
    if (!socket) continue;
    socket->unsettled = false;
    socket->out.settle(pool_);
  }
  unsettled_.clear();
}

void QueuedSockets::advance(Instant now) {
  while (!closing_.empty() && closing_.front().first <= now) {
    Socket* socket = find(closing_.front().second);
    closing_.pop_front();
    if (socket && socket->use == Use::kClosing) close(*socket, true);
  }
}

}  // namespace causeway::engine
