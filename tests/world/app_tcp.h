// One TCP connection as the laptop's kernel keeps it, small enough to be read in one go: the engine's lwIP has the only lwIP
// there can be in a process, so the other end of the device needs a TCP of its own.
//
// It connects, moves bytes both ways in order under windows, half-closes, resets, sends again what was not acknowledged, and
// believes a RST only where a Linux kernel would. It knows nothing of congestion, as a device does not either.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/packet/build.h"
#include "core/packet/parse.h"
#include "tests/world/talker.h"

namespace causeway::world {

class AppTcp final : public StreamSocket {
 public:
  struct Options {
    std::uint16_t mss = 1460;
    int window_scale = 7;  // below 0: the option is not sent
    std::size_t receive_buffer = 256 * 1024;
    std::size_t send_buffer = 256 * 1024;
    std::size_t largest_payload = 65000;  // of a super-packet; not above `mss` without segmentation offload
    std::uint32_t first_sequence = 1;
    Duration ack_delay{};
    unsigned syn_retries = 5;  // after 1, 3, 7 ... seconds
  };
  enum class State : std::uint8_t { kSynSent, kOpen, kDone };
  enum class End : std::uint8_t { kNone, kClosed, kReset, kOwnReset, kRefused, kUnreachable, kTimedOut };

  // What the connection sends goes to `output`: headers and payload of one packet.
  struct Segment {
    std::uint8_t flags = 0;
    std::uint32_t sequence = 0, acknowledgement = 0;
    std::uint16_t window = 0;
    std::vector<std::uint8_t> options;
    Bytes payload;
  };
  using Output = std::function<void(const packet::FiveTuple&, const Segment&)>;

  AppTcp(const Timeline& time, const packet::FiveTuple& tuple, const Options& options, Output output);

  void connect();
  void received(const packet::Parsed& segment);
  void unreachable(std::uint8_t type, std::uint8_t code);  // an ICMP error that quotes this connection
  Instant deadline() const { return std::min(resend_at_, ack_at_); }
  void advance();

  std::size_t write(Bytes bytes) override;
  std::size_t read(MutableBytes out) override;
  bool at_end() const override { return peer_finished_ && unread() == 0; }
  void finish() override { finishing_ = true; }
  void reset() override;
  void flush() override;
  // As close(): RST where something is unread, else FIN and no interest in what comes.
  void close();

  const packet::FiveTuple& tuple() const { return tuple_; }
  State state() const { return state_; }
  End end() const { return end_; }
  std::uint8_t icmp_type() const { return icmp_type_; }
  std::uint8_t icmp_code() const { return icmp_code_; }
  std::size_t unread() const { return in_.size() - in_read_; }
  unsigned syns_sent() const { return syns_; }
  // A rule that the other end broke; empty: none.
  const std::string& fault() const { return fault_; }

 private:
  void syn_sent_received(const packet::Parsed& segment);
  void read_options(const packet::Parsed& segment);
  void acknowledged(const packet::Parsed& segment);
  void take_payload(const packet::Parsed& segment);
  void send_data();
  void send(std::uint8_t flags, std::uint32_t sequence, Bytes payload);
  void send_syn();
  void end(End how);
  std::uint32_t in_flight() const { return sent_ - unacknowledged_; }
  std::size_t window() const;

  const Timeline& time_;
  packet::FiveTuple tuple_;
  Options options_;
  Output output_;
  State state_ = State::kSynSent;
  End end_ = End::kNone;
  std::uint8_t icmp_type_ = 0, icmp_code_ = 0;
  std::string fault_;

  // Sending. Sequence numbers count the FIN as one byte behind the data.
  std::vector<std::uint8_t> out_;  // from unacknowledged_ on
  std::uint32_t unacknowledged_ = 0, sent_ = 0;
  std::uint32_t peer_window_ = 0;
  int peer_scale_ = 0;
  std::uint16_t peer_mss_ = 536;
  bool finishing_ = false, fin_sent_ = false, fin_acknowledged_ = false;
  Instant resend_at_ = kNever;
  unsigned resends_ = 0, syns_ = 0;

  // Receiving.
  std::vector<std::uint8_t> in_;
  std::size_t in_read_ = 0;
  std::uint32_t expected_ = 0;   // the next byte of the peer
  std::uint32_t announced_ = 0;  // how far it may send
  bool scaled_ = false;
  bool peer_finished_ = false, orphan_ = false;
  bool ack_now_ = false;
  Instant ack_at_ = kNever;
};

}  // namespace causeway::world
