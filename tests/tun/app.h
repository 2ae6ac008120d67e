// The other side of the TUN device, for tests: a small TCP as a kernel has it for an app. It keeps order, answers at once and
// remembers what it saw.
#pragma once

#include <string>
#include <vector>

#include "core/packet/parse.h"

namespace causeway::tun {

struct AppOptions {
  packet::Endpoint local = *packet::Endpoint::parse("10.1.0.2:40000");
  packet::Endpoint remote = *packet::Endpoint::parse("10.96.0.10:80");
  std::uint16_t mss = 1460;
  int window_scale = 7;  // -1: the option is not sent
  std::uint32_t window = 1024 * 1024;
  std::size_t segment = 1460;  // payload of what it sends; larger: super-packets
};

class App {
 public:
  using Packet = std::vector<std::uint8_t>;

  explicit App(const AppOptions& options, std::uint32_t initial_sequence = 1000);

  Packet syn() const;
  void send(std::string_view data) { outbox_ += data; }
  void finish() { finish_asked_ = true; }
  void reset() { outgoing_.push_back(segment(packet::kRst | packet::kAck, next_, {})); }
  // An acknowledgement is sent with the next packet, whether something came or not.
  void acknowledge() { ack_owed_ = true; }

  // Takes in a packet as the device would give it: a super-packet is in one piece.
  void take(const packet::Parsed& p);
  // What it has to send now.
  std::vector<Packet> outgoing();
  // Everything sent but not acknowledged goes out again with the next outgoing().
  void resend();
  Packet segment(std::uint8_t flags, std::uint32_t sequence, std::string_view payload) const;

  const AppOptions& options() const { return options_; }
  std::uint32_t next() const { return next_; }
  std::uint32_t expected() const { return expected_; }
  std::uint32_t unacknowledged() const { return next_ - acknowledged_; }
  std::size_t unsent() const { return outbox_.size() - sent_; }
  std::uint32_t peer_window() const { return peer_window_; }

  // Turns.
  bool silent = false;       // acknowledges and sends nothing
  bool reading = true;       // else what has come stays where it is and uses up the window
  std::uint32_t window = 0;  // what it offers while it reads

  // Seen.
  std::string received;
  bool connected = false;
  bool got_fin = false;
  bool got_reset = false;
  std::uint16_t peer_mss = 0;
  int peer_scale = -1;
  std::size_t syn_acks = 0;
  std::size_t pure_acks = 0;
  std::size_t data_packets = 0;
  std::size_t repeated = 0;       // packets with nothing but bytes that came before
  std::size_t out_of_order = 0;
  std::size_t largest = 0;        // payload of one packet
  std::size_t beyond_window = 0;  // bytes that had no room, probes aside

 private:
  void take_syn_ack(const packet::Parsed& p);
  void take_data(const packet::Parsed& p);

  AppOptions options_;
  std::uint32_t first_ = 0;
  std::uint32_t next_ = 0;
  std::uint32_t furthest_ = 0;  // `next_` before what was sent is sent again
  std::uint32_t acknowledged_ = 0;
  std::uint32_t expected_ = 0;
  std::uint32_t peer_window_ = 0;
  mutable std::uint32_t right_edge_ = 0;

  std::string outbox_;    // not acknowledged, or not sent
  std::size_t sent_ = 0;  // bytes of outbox_ on their way
  bool finish_asked_ = false;
  bool finish_sent_ = false;
  bool ack_owed_ = false;
  std::vector<Packet> outgoing_;
};

}  // namespace causeway::tun
