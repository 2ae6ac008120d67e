// A client's connection, joined to a carrier of the engine by its id.
#pragma once

#include <memory>

#include "core/engine/gateway.h"
#include "platform/loop/deadline_list.h"
#include "platform/net/socket.h"
#include "platform/net/unsent_limit.h"

namespace causeway::platform {

// What carriers need of the driver.
class CarrierHost {
 public:
  virtual Loop& loop() = 0;
  virtual engine::Gateway& engine() = 0;
  virtual void touched() = 0;
  virtual MutableBytes scratch() = 0;
  // Bytes are on their way whose acknowledgement by the peer's kernel should be looked at, see AcceptedCarrier::progressed(); said
  // once until outstanding() was false.
  virtual void sent(engine::CarrierId carrier) = 0;
  virtual DeadlineList& close_deadlines() = 0;
  // The socket is closed. The carrier is destroyed later.
  virtual void carrier_ended(engine::CarrierId carrier) = 0;

 protected:
  ~CarrierHost() = default;
};

class AcceptedCarrier {
 public:
  AcceptedCarrier(CarrierHost& host, engine::CarrierId id, Descriptor socket);

  // The engine has something to be written.
  void writable();
  // The engine wants the connection closed once its bytes are written. The peer gets a moment to read them: closing with its
  // bytes unread would send a reset that overtakes ours.
  void close();
  // Whether the peer's kernel acknowledged more since the last call.
  bool progressed();
  // Whether the driver should go on looking.
  bool outstanding() { return looked_at_ = written_ > acknowledged_; }

  bool ended() const { return !socket_; }
  std::uint64_t received() const { return received_; }
  std::uint64_t written() const { return written_; }
  Instant since() const { return since_; }

 private:
  void ready(int events);
  void read();
  void discard();
  void write();
  void write_what_fits();
  void watch();
  void end();

  CarrierHost& host_;
  engine::CarrierId id_;
  Descriptor socket_;
  std::unique_ptr<Poll> poll_;
  DeadlineList::Deadline deadline_;
  Instant since_;
  UnsentLimit unsent_limit_;
  std::size_t room_ = UnsentLimit::kMost;  // as the engine was told
  bool blocked_ = false;  // something waits for the socket to take it
  bool closing_ = false;
  bool shut_ = false;       // closing, and everything is written
  bool looked_at_ = false;  // the driver looks for its progress
  std::uint64_t received_ = 0, written_ = 0, acknowledged_ = 0;
};

}  // namespace causeway::platform
