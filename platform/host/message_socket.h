// Messages with at most one descriptor beside them, over a SOCK_SEQPACKET socket.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "platform/host/host.h"

namespace causeway::platform {

// A connected pair; neither outlives an exec.
Result<std::pair<Descriptor, Descriptor>> make_message_sockets();

struct SocketMessage {
  std::vector<std::uint8_t> bytes;
  Descriptor descriptor;
};

// Waits until there is room. `descriptor` is left open here.
Result<void> send_message(int socket, Bytes message, int descriptor = -1);

// The next message; kUnavailable where the peer has gone, kProtocol for one that is larger than kMaxHostMessage. Waits.
Result<SocketMessage> receive_message(int socket);

}  // namespace causeway::platform
