// Tells when this machine's network has changed: routes, routing rules, addresses or devices, by rtnetlink(7). It needs no rights.
//
// What changed is not told, only that something did: whoever is told looks at the whole. So nothing is lost when the kernel has more
// to say than its buffer holds (ENOBUFS), and a burst is one change.
#pragma once

#include <functional>
#include <memory>

#include "core/base/result.h"
#include "platform/loop/loop.h"

struct nl_sock;

namespace causeway::platform {

class RouteWatch {
 public:
  static constexpr Duration kBurst = std::chrono::milliseconds(20);  // from the first change to being told
  static constexpr Duration kPause = std::chrono::milliseconds(200);  // from being told to being told again, at the least

  // `changed` is called on the loop's thread; it may destroy this.
  static Result<std::unique_ptr<RouteWatch>> create(Loop& loop, std::function<void()> changed);
  ~RouteWatch();
  RouteWatch(const RouteWatch&) = delete;
  RouteWatch& operator=(const RouteWatch&) = delete;

 private:
  struct Free {
    void operator()(nl_sock* socket) const;
  };
  using Socket = std::unique_ptr<nl_sock, Free>;
  RouteWatch(Loop& loop, Socket socket, std::function<void()> changed);
  void readable();
  void due();

  Socket socket_;
  std::function<void()> changed_;
  bool pending_ = false;
  Instant quiet_until_{};
  Timer timer_;
  Poll poll_;
};

}  // namespace causeway::platform
