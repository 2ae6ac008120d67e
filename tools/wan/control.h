// The relay's control socket: SOCK_SEQPACKET at a path, for this user alone. A message is a request, answered by one message; then
// the connection is over. One conversation at a time: a newer one takes the place of one that says nothing.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "platform/loop/loop.h"

namespace causeway::wan {

class Control {
 public:
  using Answer = std::function<std::string(std::string_view request)>;

  // The path must be free. It is removed at the end.
  static Result<std::unique_ptr<Control>> open(platform::Loop& loop, const std::string& path, Answer answer);
  ~Control();
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

 private:
  Control(platform::Loop& loop, int listener, std::string path, Answer answer);
  void accept_one();
  void talk();
  void hang_up();

  platform::Loop& loop_;
  int listener_;
  std::string path_;
  Answer answer_;
  int caller_ = -1;
  std::optional<platform::Poll> caller_poll_;
  platform::Poll poll_;
};

}  // namespace causeway::wan
