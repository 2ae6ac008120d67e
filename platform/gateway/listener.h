// One listening socket.
#pragma once

#include <functional>
#include <memory>

#include "core/base/result.h"
#include "platform/loop/loop.h"
#include "platform/net/socket.h"

namespace causeway::platform {

class Listener {
 public:
  using Accepted = std::function<void(Descriptor socket, const packet::Endpoint& source)>;

  // An IPv6 address takes IPv6 only, "[::]" too, so that IPv4 can be listened to beside it. Where descriptors run out, accepting
  // rests for a moment.
  static Result<std::unique_ptr<Listener>> open(Loop& loop, const packet::Endpoint& at, Accepted accepted);

  const packet::Endpoint& endpoint() const { return endpoint_; }

 private:
  Listener(Loop& loop, Descriptor socket, Accepted accepted);
  void ready();
  void rest(int error);

  Descriptor socket_;
  packet::Endpoint endpoint_;
  Accepted accepted_;
  std::unique_ptr<Poll> poll_;
  Timer again_;
  std::uint64_t rests_ = 0, told_ = 0;
  Instant tell_at_{};
};

}  // namespace causeway::platform
