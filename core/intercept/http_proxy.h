// One accepted HTTP/1.1 connection, each of whose requests goes where a Router says: to the service's original backend or to an
// intercept.
//
// The driver owns the connection of the client and those to upstreams, which are named by ids. It hands over what came, then takes the
// events and carries them out in their order. Nothing calls back but Router::route(). One request is under way at a time: what a client
// sends ahead (pipelining) waits, so answers are in order. One connection to each place is kept alive and used again.
//
// What is passed on: heads are written anew, without what is meant for one hop only (RFC 9110, section 7.6.1) and with Forwarded (RFC
// 7239) and X-Forwarded-For; bodies and trailers as they are on the wire, as slices of the blocks they came in. After a 101, or a 2xx to
// CONNECT, and where the client does not begin with HTTP/1.x at all (an HTTP/2 preface, TLS), bytes are opaque, both ways, with half-close; the
// last go to the original. An offer to change to h2c is left out, so that each request can still be told apart.
//
// What is refused, with 400 or as http::Parser::Complaint says, and the connection's end: every head that http::Parser complains of.
// A bad response is answered with 502.
//
// Fail open. A request whose hand-over failed before anything of it was delivered goes to the original (a refusal by the local
// process only where the route says so). When the laptop goes, GET and HEAD of whose answer the client has seen nothing go to the
// original; the rest ends with 502, or with a reset once the client has seen a part. While a laptop is merely silent its requests get `grace` before
// that. Requests other than GET and HEAD are sent only when their upstream is connected, so that it is known whether they were
// delivered. An upstream that was used before and is closed without a byte of answer is dialled anew where the method is idempotent (RFC 9110,
// section 9.2.2); otherwise the client's connection is closed without an answer, as it would have seen without us.
//
// Memory: at most a head, `window` on the way to each side and what the driver had read when told to stop, and `hold` for a request that
// may have to be sent once more, and for what a client sends ahead.
//
// Slices are of one pool. Events may be taken after several calls; calls that name a connection that is gone do nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/buffer.h"
#include "core/base/time.h"
#include "core/intercept/router.h"
#include "core/link/reason.h"
#include "core/packet/address.h"

namespace causeway::intercept {

// A connection of the proxy's: kClient or an upstream's, counted from 1 and not used again.
using ConnectionId = std::uint32_t;
inline constexpr ConnectionId kClient = 0;

struct ProxyEvent {
  enum class Kind : std::uint8_t {
    kConnect,        // open `connection` to `target`; connected() or failed() answer. Bytes may be sent to it before
    kSend,           // send `bytes` on `connection`, after those before
    kFinish,         // half-close `connection` after what was sent
    kClose,          // close `connection` after what was sent; its id is gone. For the client: the proxy is through
    kReset,          // the same at once, with a reset: what was sent is of no use
    kResumeReading,  // reads(connection) is true again
    // For counts and logs.
    kHandedOver,  // a request goes to `target`
    kAnswered,    // its answer is complete: `status`
    kFailed,      // it got none, or half of one: `text`. Where it went to the original instead, kHandedOver follows
    kRefused,     // the client's fault: `status` that it was answered (0: none), `text`
  };
  Kind kind;
  ConnectionId connection = kClient;
  InterceptId target = kOriginal;
  unsigned status = 0;
  Slice bytes;
  std::string text;
};

class HttpProxy {
 public:
  struct Settings {
    packet::Endpoint client;  // whom the requests are from, for Forwarded
    bool forwarded = true;    // Forwarded and X-Forwarded-For are written
    Duration grace = std::chrono::seconds(5);
    Duration head = std::chrono::seconds(60);   // for a request's head to be complete, once it has begun
    Duration idle = std::chrono::seconds(300);  // between requests
    Duration linger = std::chrono::seconds(2);  // in which a client whose body nobody wants hears our answer
    std::size_t window = 256 * 1024;  // bytes handed out and not yet sent, before the other side is not read any more
    std::size_t hold = 64 * 1024;     // in blocks
  };

  HttpProxy(const Settings& settings, Router& router, BufferPool& pool, Instant now);
  ~HttpProxy();
  HttpProxy(const HttpProxy&) = delete;
  HttpProxy& operator=(const HttpProxy&) = delete;

  void connected(ConnectionId upstream, Instant now);
  // Not connected, or reset since. kLinkLost and kShuttingDown: the laptop is gone, not only its process.
  void failed(ConnectionId connection, link::Reason why, Instant now);
  void received(ConnectionId connection, Slice bytes, Instant now);
  void finished(ConnectionId connection, Instant now);
  // `n` of the bytes of kSend have left for the socket or the carrier.
  void sent(ConnectionId connection, std::size_t n, Instant now);
  // Whether this connection should be read now. Where it says no, kResumeReading tells when it should. What comes nevertheless is kept.
  bool reads(ConnectionId connection) const;

  // The intercept's laptop has stopped answering, or answers again.
  void silent(InterceptId target, Instant now);
  void answering(InterceptId target, Instant now);

  Instant deadline() const;
  void advance(Instant now);

  void take_events(std::vector<ProxyEvent>& out) { out.swap(events_); }
  // The client's kClose or kReset was given.
  bool done() const;

 private:
  class Impl;
  std::vector<ProxyEvent> events_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace causeway::intercept
