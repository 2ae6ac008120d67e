// What the client engine needs of DNS; dns::Stub (with dns::Resolver behind it) implements it.
//
// The engine hands over the questions that the laptop's programs send to the stub's virtual address, over UDP and TCP, and the
// answers of the two places that can be asked: the cluster's DNS (through the link) and the machine's own servers (through
// platform, by c-ares). This process asks too, for the name service of another tunnel. What is to be sent is taken as a list of actions. One thread, no call calls back.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/time.h"
#include "core/packet/address.h"

namespace causeway::engine {

// A TCP connection to the stub, named by the engine.
using DnsStreamId = std::uint64_t;
// A question under way to the cluster's or the machine's DNS, named by the name service, never used again; or one of this process,
// named by whoever asks it.
using DnsRequestId = std::uint64_t;

struct DnsAction {
  enum class Kind : std::uint8_t {
    kAnswerDatagram,  // `message` to `peer` over UDP, from the address that was asked
    kAnswerStream,    // `message` (with its length prefix) on `stream`
    kCloseStream,     // end `stream` after what was answered
    kAnswerAsked,     // `message` to who asked `request` in this process
    kAskCluster,      // `message` to the cluster's DNS; its answer goes to cluster_answered(request)
    kAskMachine,      // `message` to the machine's own servers; its answer goes to machine_answered(request)
    kForget,          // `request` is no longer wanted
  };
  Kind kind;
  DnsRequestId request = 0;
  DnsStreamId stream = 0;
  packet::Endpoint peer;
  packet::Endpoint local;  // the stub's own address that `peer` asked
  std::vector<std::uint8_t> message;
};

enum class DnsFailure : std::uint8_t { kNoLink, kRefused, kTimedOut, kUnreachable };

class NameService {
 public:
  virtual ~NameService() = default;

  virtual void datagram(const packet::Endpoint& peer, const packet::Endpoint& local, Bytes message, Instant now) = 0;
  virtual void stream_opened(DnsStreamId stream, Instant now) = 0;
  virtual void stream_received(DnsStreamId stream, Bytes bytes, Instant now) = 0;  // framed as RFC 7766 says
  virtual void stream_finished(DnsStreamId stream, Instant now) = 0;               // the peer sent FIN, or is gone
  // A question of this process. A kAnswerAsked follows, of any length up to that of a DNS message.
  virtual void asked(DnsRequestId request, Bytes message, Instant now) = 0;

  virtual void cluster_answered(DnsRequestId request, Bytes message, Instant now) = 0;
  virtual void cluster_failed(DnsRequestId request, DnsFailure why, Instant now) = 0;
  virtual void machine_answered(DnsRequestId request, Bytes message, Instant now) = 0;
  virtual void machine_failed(DnsRequestId request, DnsFailure why, Instant now) = 0;

  // The link to the cluster came up or went down.
  virtual void link_changed(bool up, Instant now) = 0;

  // What is to be done since the last call; swapped into `out`, which must be empty.
  virtual void take_actions(std::vector<DnsAction>& out) = 0;

  virtual Instant deadline() const = 0;
  virtual void advance(Instant now) = 0;
};

}  // namespace causeway::engine
