// TCP sockets of the driver that are joined to no stream by themselves: what goes to them waits here.
#pragma once

#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "core/engine/out_queue.h"
#include "core/engine/relays.h"
#include "core/intercept/http_proxy.h"

namespace causeway::engine {

class QueuedSockets {
 public:
  // What they need of their engine: events for the driver, and its turns.
  class Host {
   public:
    virtual RelayId new_relay() = 0;
    virtual void close_relay(RelayId relay, bool reset) = 0;
    virtual void finish_relay(RelayId relay) = 0;
    virtual void resume_relay(RelayId relay) = 0;
    virtual void note_writable(RelayId relay) = 0;  // once until lent()
    // end_offered() follows, once the driver had the chance to write what waits.
    virtual void reset_once_offered(RelayId relay) = 0;

   protected:
    ~Host() = default;
  };

  enum class Use : std::uint8_t {
    kPlain,    // one of the two ends of `connection`, whose bytes nobody looks into
    kHttp,     // of an HttpProxy: `connection`, and `upstream`, its name there
    kProbe,    // the gateway's own connection to its listener, or that one's other end
    kClosing,  // nobody's any more: closed once everything is written
  };

  struct Socket {
    RelayId id = 0;
    Use use = Use::kPlain;
    intercept::ConnectionId upstream = intercept::kClient;
    std::uint64_t connection = 0;
    bool dialling = false;
    bool paused = false;      // the driver was told to stop reading
    bool finished = false;    // its other end sent FIN
    bool finish_due = false;  // the sending side is shut down once everything is written
    bool finish_given = false;
    bool ending = false;  // only what waits is still offered
    bool writable_noted = false;
    bool unsettled = false;
    OutQueue out;

    bool readable() const { return !dialling && !finished && !ending && (use == Use::kPlain || use == Use::kHttp); }
  };

  QueuedSockets(Host& host, BufferPool& pool) : host_(host), pool_(pool) {}

  Socket* find(RelayId id);
  Socket& add(Use use, std::uint64_t connection, intercept::ConnectionId upstream = intercept::kClient);
  // Without an event: the driver has closed it, or it is joined to a stream now.
  std::optional<Socket> take(RelayId id);
  std::size_t size() const { return sockets_.size(); }

  void connected(Socket& socket);
  void send(Socket& socket, Slice slice);
  void send_all(Socket& socket, OutQueue& from);
  void finish(Socket& socket);
  void resume(Socket& socket);
  void close(Socket& socket, bool reset);
  void close_when_written(Socket& socket, Instant now);
  void reset_when_offered(Socket& socket);
  void close_all();

  std::size_t transmit(RelayId id, std::span<Bytes> pieces);
  // `n` bytes were written. Null where it was closed with that.
  Socket* transmitted(RelayId id, std::size_t n);

  void lent(RelayId id);
  void end_offered(RelayId id);
  void settle();
  Instant deadline() const { return closing_.empty() ? kNever : closing_.front().first; }
  void advance(Instant now);

 private:
  // For an other end that does not read.
  static constexpr Duration kLinger = std::chrono::seconds(10);

  void note_writable(Socket& socket);
  void finish_if_due(Socket& socket);

  Host& host_;
  BufferPool& pool_;
  std::unordered_map<RelayId, Socket> sockets_;
  std::vector<RelayId> unsettled_;
  std::deque<std::pair<Instant, RelayId>> closing_;
};

}  // namespace causeway::engine
