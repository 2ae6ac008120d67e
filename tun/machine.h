// lwIP and its one instance of state: connections in a table, and the one door through which lwIP is entered.
#pragma once

#include <memory>
#include <vector>

#include "core/base/siphash.h"
#include "core/packet/address.h"
#include "tun/connection.h"
#include "tun/stack.h"

struct pbuf;
struct tcp_pcb_listen;

namespace causeway::tun {

class Machine {
 public:
  Machine(BufferPool& pool, Random& random, const StackOptions& options);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // The one of this process; it must be there.
  static Machine& instance();

  BufferPool& pool() { return pool_; }
  const StackOptions& options() const { return options_; }
  StackCounters& counters() { return counters_; }
  std::size_t connections() const { return live_; }
  std::size_t attachments = 0;

  Instant now() const { return now_; }
  // Moves the clock that sequence numbers and retransmission read. Never backwards.
  void set_now(Instant now);

  // A free slot with an id, or null when the bound is reached. give_back() once its kClosed has been taken.
  Connection* take_slot(Attachment& owner);
  void give_back(Connection& connection);
  // Null where no connection ever had the id.
  Connection* find(engine::ConnectionId id);
  // Forgets what `owner` has, without a word to the apps.
  void drop_all(Attachment& owner);

  // Lets lwIP answer a SYN. False where it would not.
  bool open(Connection& connection, const packet::Parsed& syn);
  // Lets lwIP take in a segment; received bytes are handed on with a handle to `owner`.
  void input(Connection& connection, const packet::Parsed& segment, const Buffer& owner);
  // One tick of the connection's timers.
  void tick(Connection& connection);
  // Any other call into lwIP for a connection that is alive: `call` gets its control block.
  template <class Call>
  void enter(Connection& connection, Call&& call) {
    begin(connection);
    call(connection.pcb);
    end(connection);
  }

  // Puts bytes behind those queued before, and gives whether lwIP took them. They stay where they are, in `owner`.
  bool queue(Connection& connection, const Buffer& owner, Bytes bytes);
  // How many more bytes the app's window has room for, behind those queued before.
  static std::size_t window_left(const Connection& connection);
  // How many more bytes may be queued.
  static std::size_t send_space(const Connection& connection);
  // Counts received bytes that are not consumed, and those that have been.
  void hold(Connection& connection, std::size_t bytes);
  void release(Connection& connection, std::size_t bytes);
  // Lets the receive window grow again after release(), and gives whether the app should hear of it now.
  bool widen_window(Connection& connection);
  // FIN may be queued. While the app has no room for all the data it may not: lwIP puts it on the last segment, and where it
  // has to split that one for a small window it leaves the FIN on the first half (tcp_split_unsent_seg, 2.1.3).
  static bool may_finish(const Connection& connection);
  // Has something to send again or to wait for, so that timers are needed.
  static bool has_timer(const Connection& connection);
  // An acknowledgement is owed and waits for a reply to carry it.
  static bool owes_ack(const Connection& connection);
  // The length of a tick.
  static Duration tick_length();

  // lwIP calls back with these, by way of functions in machine.cpp and ip_output.cpp.
  void output(pbuf* p, const packet::Address& source, const packet::Address& destination, std::uint8_t hop_limit);
  std::uint32_t initial_sequence(Bytes tuple) const;

 private:
  struct Callbacks;
  static constexpr std::size_t kSlotsPerChunk = 256;

  void begin(Connection& connection);
  void end(Connection& connection);
  void release_sent(Connection& connection);
  std::uint32_t window_of_each() const;

  BufferPool& pool_;
  const StackOptions options_;
  const SipHash sequence_hash_;
  StackCounters counters_;
  Instant now_{};
  tcp_pcb_listen* listener_ = nullptr;

  std::vector<std::unique_ptr<Connection[]>> chunks_;
  std::vector<engine::ConnectionId> free_;
  std::size_t live_ = 0;
  std::size_t holding_ = 0;  // connections with received bytes that are not consumed
  std::uint32_t period_ = 1;      // of kBusyPeriod each
  std::size_t busy_ = 0;          // connections that received something in this period
  std::size_t busy_before_ = 0;   // and in the one before

  Connection* current_ = nullptr;  // whom lwIP is working for
  Buffer incoming_;                // the block of the segment that is being taken in
};

}  // namespace causeway::tun
