// A stack, the apps that talk with it and the engine's part of the work, in virtual time.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <unordered_map>

#include "core/base/buffer.h"
#include "tests/tun/app.h"
#include "tun/stack.h"

namespace causeway::tun {

// Bytes that differ at every place a mistake would put them.
std::string pattern(std::size_t size, std::uint32_t seed = 1);

// An app and what the engine knows of its connection.
struct Peer {
  explicit Peer(const AppOptions& options) : app(options) {}

  App app;
  engine::ConnectionId id = 0;
  bool consume = true;  // received bytes are given back at once

  std::string received;
  std::vector<Slice> slices;  // kept when `keep_slices`
  bool keep_slices = false;
  std::size_t consumed = 0;  // of `received`
  std::size_t acknowledged = 0;
  std::size_t established = 0, finished = 0, reset = 0, closed = 0;
};

class StackHarness : public testing::Test {
 protected:
  explicit StackHarness(const StackOptions& options = {});
  ~StackHarness() override;

  // Joins the app's SYN to the stack and lets the handshake complete.
  Peer& connect(const AppOptions& options = {});
  // The SYN only.
  Peer& begin(const AppOptions& options = {});

  void deliver(Peer& peer, const App::Packet& packet);
  // Ends a turn: packets to the apps, events to the peers.
  void turn();
  // Lets both sides talk until nothing moves.
  void settle();
  // Moves time on, stopping at each deadline. `talk`: the apps answer.
  void pass(Duration time, bool talk = true);

  // In blocks, until one was not taken whole.
  std::size_t write(Peer& peer, std::string_view data);
  // All of `data`, as room for it comes.
  void write_all(Peer& peer, std::string_view data);
  void finish(Peer& peer);
  void abort(Peer& peer);
  void consumed(Peer& peer, std::size_t bytes);

  BufferPool pool_;
  SeededRandom random_{1};
  StackOptions options_;
  std::optional<Stack> stack_;
  std::unique_ptr<engine::Stack> tcp_;
  Instant now_ = Instant(std::chrono::hours(1));
  std::vector<std::unique_ptr<Peer>> peers_;
  bool check_wire_ = true;  // what would reach a wire has right checksums and keeps to the app's MSS
  bool drop_ = false;       // the stack's packets do not arrive
  std::vector<packet::Offload> offloads_;  // of the packets of the last turn
  std::size_t packets_ = 0;  // delivered to apps, or dropped

 private:
  void take_packets(const packet::PacketBatch& batch);
  void take_events();

  std::unordered_map<packet::Endpoint, Peer*> by_app_;
  std::vector<Peer*> by_id_;
  packet::PacketBatch batch_;
  std::vector<engine::StackEvent> events_;
  std::vector<Slice> wire_;
};

}  // namespace causeway::tun
