// One DNS message on its way to servers, in their order, and the answer as the server gave it.
//
// Each try has a socket of its own, so a source port of its own, and an id from our generator: what the asker chose does not help
// somebody who wants to forge the answer. A truncated answer is asked for again by TCP from the same server. SERVFAIL, NOTIMP and
// REFUSED are handed over only where no other server knows better.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/base/random.h"
#include "core/link/reason.h"
#include "core/packet/address.h"
#include "platform/loop/deadline_list.h"
#include "platform/net/socket.h"

namespace causeway::platform {

class DnsQuestion {
 public:
  static constexpr std::size_t kHeader = 12;  // no message is shorter

  // An answer, or none and why. Called once, from the loop; it may destroy the question.
  using Done = std::function<void(Bytes answer, link::Reason why)>;

  // `tries` limits each try; `space` is where answers are read into, 64 KiB.
  DnsQuestion(Loop& loop, DeadlineList& tries, Random& random, std::vector<packet::Endpoint> servers, Bytes message,
              MutableBytes space);

  // kNone: `done` will be called. Otherwise no server could be asked.
  link::Reason start(Done done);

 private:
  static constexpr std::size_t kTries = 3;

  const packet::Endpoint& server() const { return servers_[(try_ - 1) % servers_.size()]; }
  bool next_try();
  void failed(int error);
  bool open(int type);
  void read_datagram();
  void ask_by_stream();
  void stream_ready(int events);
  bool is_answer(Bytes message) const;
  void answered(MutableBytes message);
  void finish(Bytes answer, link::Reason why);

  Loop& loop_;
  DeadlineList& tries_;
  Random& random_;
  std::vector<packet::Endpoint> servers_;
  std::vector<std::uint8_t> message_;  // behind two bytes of length, as it goes over TCP
  MutableBytes space_;
  Done done_;
  std::uint16_t asked_id_, id_ = 0;
  std::size_t try_ = 0;
  Descriptor socket_;
  std::unique_ptr<Poll> poll_;
  DeadlineList::Deadline deadline_;
  bool stream_ = false;
  std::size_t written_ = 0;
  std::vector<std::uint8_t> received_;   // over TCP
  std::vector<std::uint8_t> unwilling_;  // the last SERVFAIL, NOTIMP or REFUSED
  link::Reason why_ = link::Reason::kTimedOut;
};

}  // namespace causeway::platform
