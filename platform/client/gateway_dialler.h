// Gets a connected socket to one of a profile's gateways: each in its order, each address of it in its order.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "platform/client/gateway_names.h"
#include "platform/loop/loop.h"
#include "platform/net/socket.h"

namespace causeway::platform {

class GatewayDialler {
 public:
  static constexpr Duration kConnectTimeout = std::chrono::seconds(5);

  struct Dialled {
    Descriptor socket;  // connected, non-blocking, with the options of a carrier
    std::string text;   // "10.77.0.1:7700", "gw.example.org:7700 (10.77.0.1)"
  };
  using Done = std::function<void(Result<Dialled>)>;

  // `routes`: what goes into the tunnel, where no gateway can be.
  GatewayDialler(Loop& loop, std::vector<config::HostPort> gateways, std::vector<packet::Cidr> routes);

  // Finds the gateways' addresses, before the first dial() and whenever they may have changed; `done` comes later.
  void resolve(const MachineResolver& machine, std::function<void()> done);
  std::vector<packet::Address> addresses() const;
  bool has_names() const;

  // `done` comes once, with the reasons of all that failed if none could be had; not after cancel() or the destructor.
  void dial(Done done);
  void cancel();
  // What was dialled last turned out to be no good: the next dial() begins behind it. Gives whether dial() has begun with each
  // gateway by now.
  bool skip();
  // The link came up: the next dial() begins with the first gateway again.
  void start_over() { first_ = 0; }

  const std::string& last() const { return last_; }

 private:
  struct Attempt {
    std::size_t gateway;
    packet::Endpoint endpoint;
    std::string text;
  };

  void list_attempts();
  void next();
  void connect(const Attempt& attempt);
  void check();
  void failed(const std::string& why, bool timed_out = false);
  void finish(Result<Dialled> result);

  Loop& loop_;
  std::vector<config::HostPort> gateways_;
  std::vector<packet::Cidr> routes_;
  GatewayNames names_;
  std::vector<GatewayTarget> targets_;
  std::size_t first_ = 0;
  std::string last_;

  Done done_;
  std::vector<Attempt> attempts_;
  std::size_t at_ = 0;
  std::string failures_;
  bool timed_out_ = false;  // the last of them
  Descriptor socket_;
  std::unique_ptr<Poll> poll_;  // gone before its socket
  Timer timeout_;
  TurnEnd begin_;
};

}  // namespace causeway::platform
