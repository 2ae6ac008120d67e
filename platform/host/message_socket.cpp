#include "platform/host/message_socket.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "platform/host/files.h"
#include "platform/host/host_protocol.h"

namespace causeway::platform {
namespace {

// Room for more than one, so that what a peer sends too much is seen and closed rather than cut off in the kernel.
constexpr std::size_t kMostDescriptors = 4;

// All of them become ours, whatever we keep.
std::vector<Descriptor> take_descriptors(msghdr& header) {
  std::vector<Descriptor> taken;
  for (cmsghdr* control = CMSG_FIRSTHDR(&header); control; control = CMSG_NXTHDR(&header, control)) {
    if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS) continue;
    std::size_t n = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < n; ++i) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(control) + i * sizeof number, sizeof number);
      taken.emplace_back(number);
    }
  }
  return taken;
}

}  // namespace

Result<std::pair<Descriptor, Descriptor>> make_message_sockets() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return fail_errno(errno, "making a socket pair");
  return std::pair(Descriptor(ends[0]), Descriptor(ends[1]));
}

Result<void> send_message(int socket, Bytes message, int descriptor) {
  CAUSEWAY_ASSERT(message.size() <= kMaxHostMessage);
  iovec part{const_cast<std::uint8_t*>(message.data()), message.size()};
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int))]{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (descriptor >= 0) {
    header.msg_control = space;
    header.msg_controllen = sizeof space;
    cmsghdr* control = CMSG_FIRSTHDR(&header);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(sizeof descriptor);
    std::memcpy(CMSG_DATA(control), &descriptor, sizeof descriptor);
  }
  for (;;) {
    if (::sendmsg(socket, &header, MSG_NOSIGNAL) >= 0) return {};
    if (errno == EINTR) continue;
    if (errno == EPIPE || errno == ECONNRESET) return fail(ErrorCode::kUnavailable, "the other process has gone");
    return fail_errno(errno, "sending to the other process");
  }
}

Result<SocketMessage> receive_message(int socket) {
  SocketMessage message;
  message.bytes.resize(kMaxHostMessage);
  iovec part{message.bytes.data(), message.bytes.size()};
  alignas(cmsghdr) char space[CMSG_SPACE(kMostDescriptors * sizeof(int))]{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = space;
  header.msg_controllen = sizeof space;
  ssize_t n;
  do {
    n = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
  } while (n < 0 && errno == EINTR);
  if (n == 0 || (n < 0 && errno == ECONNRESET)) return fail(ErrorCode::kUnavailable, "the other process has gone");
  if (n < 0) return fail_errno(errno, "receiving from the other process");
  std::vector<Descriptor> descriptors = take_descriptors(header);
  if (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) return fail(ErrorCode::kProtocol, "a message that is too large");
  message.bytes.resize(std::size_t(n));
  if (!descriptors.empty()) message.descriptor = std::move(descriptors.front());
  return message;
}

}  // namespace causeway::platform
