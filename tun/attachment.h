// One device's view of the stack: its connections, events and packets.
#pragma once

#include <vector>

#include "core/base/ring.h"
#include "core/engine/stack.h"
#include "tun/machine.h"

namespace causeway::tun {

class Attachment final : public engine::Stack {
 public:
  explicit Attachment(Machine& machine);
  ~Attachment() override;

  engine::ConnectionId accept(const packet::Parsed& syn, std::uint64_t cookie, Instant now) override;
  void input(std::span<const engine::StackSegment> batch, Instant now) override;
  std::size_t write(engine::ConnectionId connection, const Slice& data) override;
  void finish(engine::ConnectionId connection) override;
  void abort(engine::ConnectionId connection) override;
  void consumed(engine::ConnectionId connection, std::size_t bytes) override;
  void take_events(std::vector<engine::StackEvent>& out) override;
  void flush(packet::PacketBatch& out, Instant now) override;
  Instant deadline() const override;
  void advance(Instant now) override;
  std::size_t connections() const override { return open_; }

  // For the machine.
  packet::PacketBatch& pending() { return pending_; }
  void add_event(engine::StackEvent::Kind kind, Connection& connection);
  void add_received(Connection& connection, Slice data);
  void add_acknowledged(Connection& connection, std::size_t bytes);
  // lwIP has freed the connection's control block.
  void closed(Connection& connection);
  // Lets a block go as soon as no packet that was lent points into it.
  void retire(Buffer&& owner);

 private:
  struct DelayedAck {
    Connection* connection = nullptr;
    Instant deadline{};
  };

  Connection& own(engine::ConnectionId id);
  void begin_call();
  void touch(Connection& connection);
  void settle(Connection& connection);
  void update_timer(Connection& connection);
  void prune_delayed_acks();
  std::size_t write_in_place(Connection& connection, const Slice& data);
  std::size_t queue_pieces(Connection& connection, const Buffer& owner, Bytes data);
  std::size_t write_copied(Connection& connection, Bytes data);

  Machine& machine_;
  std::vector<engine::StackEvent> events_;
  std::vector<engine::ConnectionId> closed_;        // their kClosed is in events_
  std::vector<engine::ConnectionId> closed_taken_;  // it was taken by the last take_events()
  packet::PacketBatch pending_;
  std::vector<Buffer> retired_;  // packets that are pending or lent may point into them
  bool lent_ = false;

  std::size_t open_ = 0;  // connections that lwIP has
  std::vector<Connection*> touched_;
  std::vector<Connection*> busy_;
  Ring<DelayedAck> delayed_acks_;  // by deadline
  Instant next_tick_ = kNever;
};

}  // namespace causeway::tun
