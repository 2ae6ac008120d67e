// HTTP connections of an engine: what each one's HttpProxy asks for is carried out, and what comes of it is told to the proxy.
//
// Upstreams are queued sockets or streams of a mux, as the host says. On the gateway the client's end is a socket, intercepts are streams
// and the original is a socket; on the laptop the client's end is a connection of the stack, the original is a stream and intercepts are sockets.
#pragma once

#include <set>

#include "core/engine/queued_sockets.h"
#include "core/mux/mux.h"

namespace causeway::engine {

using CarrierId = std::uint32_t;

class HttpConnections {
 public:
  using Key = std::uint64_t;  // the host's name for a connection

  // A way to an upstream. Neither a socket nor a stream: there is none now, as `why` says.
  struct Way {
    RelayId socket = 0;
    CarrierId carrier = 0;
    link::StreamId stream = 0;
    bool open = false;  // the stream was accepted already
    link::Reason why = link::Reason::kLinkLost;
  };

  class Host {
   public:
    // The client's end. close: after what was sent; the connection is over.
    virtual void send_to_client(Key key, Slice bytes) = 0;
    virtual void finish_client(Key key) = 0;
    virtual void close_client(Key key, bool reset, Instant now) = 0;
    virtual void resume_client(Key key) = 0;

    // How many bytes may ride on the OPEN of a stream to it; 0 where the way is no stream.
    virtual std::size_t first_bytes(Key key, intercept::InterceptId target) = 0;
    virtual Way way_to(Key key, intercept::ConnectionId upstream, intercept::InterceptId target,
                       const Slice& first) = 0;
    // Null: its session is over.
    virtual mux::Mux* mux_of(CarrierId carrier) = 0;
    // The stream is nobody's any more. What still comes on it is to be discarded, unless it was `reset`.
    virtual void stream_left(CarrierId carrier, link::StreamId stream, bool reset, Instant now) = 0;
    // kHandedOver, kAnswered, kFailed and kRefused.
    virtual void happened(Key key, const intercept::ProxyEvent& event, Instant now) = 0;
    virtual void http_over(Key key) = 0;

   protected:
    ~Host() = default;
  };

  HttpConnections(Host& host, QueuedSockets& sockets, BufferPool& pool) : host_(host), sockets_(sockets), pool_(pool) {}

  void begin(Key key, intercept::Router& router, const intercept::HttpProxy::Settings& settings, Instant now);
  bool contains(Key key) const { return connections_.contains(key); }
  std::size_t size() const { return connections_.size(); }
  void clear();

  // Calls of HttpProxy; the connection may be over afterwards.
  void connected(Key key, intercept::ConnectionId upstream, Instant now);
  void failed(Key key, intercept::ConnectionId connection, link::Reason why, Instant now);
  void received(Key key, intercept::ConnectionId connection, Slice bytes, Instant now);
  void finished(Key key, intercept::ConnectionId connection, Instant now);
  void sent(Key key, intercept::ConnectionId connection, std::size_t n, Instant now);
  bool reads(Key key, intercept::ConnectionId connection) const;
  void silent(Key key, intercept::InterceptId target, Instant now);
  void answering(Key key, intercept::InterceptId target, Instant now);

  // Of a stream that way_to() gave. True where the stream is gone with it.
  bool stream_event(Key key, intercept::ConnectionId upstream, const mux::MuxEvent& event, Instant now);

  Instant deadline() const { return due_.empty() ? kNever : due_.begin()->first; }
  void advance(Instant now);

 private:
  struct Upstream {
    intercept::ConnectionId id = 0;
    intercept::InterceptId target = intercept::kOriginal;
    Way way;
    bool asked = false;        // for a way
    bool finish_due = false;   // the stream, once it is open
    bool finish_told = false;  // the proxy knows that its other end has finished
    OutQueue pending;          // until there is a way, and an open one where it is a stream
  };
  struct Connection {
    std::unique_ptr<intercept::HttpProxy> proxy;
    std::vector<Upstream> upstreams;
    Instant due = kNever;  // its place in due_
  };
  // What the proxy is told once the events of a call are carried out.
  struct Answer {
    enum class Kind : std::uint8_t { kSent, kConnected, kFailed } kind;
    intercept::ConnectionId connection = 0;
    std::size_t sent = 0;
    link::Reason why = link::Reason::kNone;
  };

  Connection& at(Key key) { return connections_.at(key); }
  static Upstream* find(Connection& connection, intercept::ConnectionId id);
  void run(Key key, Instant now);
  void drain(Key key, Connection& connection, Instant now);
  void carry_out(Key key, Connection& connection, intercept::ProxyEvent& event, Instant now);
  void open_ways(Key key, Connection& connection);
  Slice first_of(Upstream& upstream, std::size_t most);
  void write(const Upstream& upstream, Slice bytes);
  void write_pending(Upstream& upstream);
  void finish(const Upstream& upstream);
  void leave(const Upstream& upstream, bool reset, Instant now);
  void read(Key key, intercept::ConnectionId id, Instant now);
  void set_due(Key key, Connection& connection);

  Host& host_;
  QueuedSockets& sockets_;
  BufferPool& pool_;
  std::unordered_map<Key, Connection> connections_;
  std::set<std::pair<Instant, Key>> due_;  // each that waits for something
  std::vector<intercept::ProxyEvent> events_;
  std::deque<Answer> answers_;
  std::vector<intercept::ConnectionId> resumed_;
};

}  // namespace causeway::engine
