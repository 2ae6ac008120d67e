// A program's end of the control socket: requests out, answers in, waiting for them.
#pragma once

#include <sys/un.h>

#include <optional>
#include <string>
#include <string_view>

#include "core/base/time.h"
#include "core/control/message.h"
#include "platform/net/socket.h"

namespace causeway::platform {

class ControlClient {
 public:
  // kUnavailable: nobody listens there. kPermission: the socket may not be opened.
  static Result<ControlClient> connect(const std::string& path);

  Result<void> send(const control::Request& request);
  // The next answer. kTimedOut: none came in `patience`. kUnavailable: tund went away.
  Result<control::Answer> receive(Duration patience);
  // The same without waiting: nothing where it has not come whole. descriptor() is readable when it is worth asking.
  Result<std::optional<control::Answer>> take();
  int descriptor() const { return socket_.get(); }

 private:
  explicit ControlClient(Descriptor socket) : socket_(std::move(socket)) {}

  Descriptor socket_;
  std::string received_;
};

// The address of a local socket; fails where the path is too long for one (107 bytes).
Result<void> fill_socket_address(const std::string& path, sockaddr_un& address);

}  // namespace causeway::platform
