#include "platform/net/route_watch.h"

#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include <algorithm>

#include "core/base/assert.h"
#include "platform/loop/clock.h"

namespace causeway::platform {
namespace {

constexpr int kReceiveBuffer = 256 * 1024;
// Of one turn; the kernel's buffer holds what is more.
constexpr int kReads = 64;

int note(nl_msg*, void* pending) {
  *static_cast<bool*>(pending) = true;
  return NL_OK;
}

}  // namespace

void RouteWatch::Free::operator()(nl_sock* socket) const { nl_socket_free(socket); }

Result<std::unique_ptr<RouteWatch>> RouteWatch::create(Loop& loop, std::function<void()> changed) {
  Socket socket(nl_socket_alloc());
  CAUSEWAY_ASSERT(socket);
  // What comes unasked has no sequence.
  nl_socket_disable_seq_check(socket.get());
  int status = nl_connect(socket.get(), NETLINK_ROUTE);
  if (status >= 0) status = nl_socket_set_nonblocking(socket.get());
  if (status >= 0) {
    status = nl_socket_add_memberships(socket.get(), RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
                                       RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE, 0);
  }
  if (status < 0) {
    return fail(ErrorCode::kSystem,
                std::string("changes of this machine's network cannot be followed: ") + nl_geterror(status));
  }
  nl_socket_set_buffer_size(socket.get(), kReceiveBuffer, 0);  // best effort: the full look makes up for it
  return std::unique_ptr<RouteWatch>(new RouteWatch(loop, std::move(socket), std::move(changed)));
}

RouteWatch::RouteWatch(Loop& loop, Socket socket, std::function<void()> changed)
    : socket_(std::move(socket)),
      changed_(std::move(changed)),
      timer_(loop, [this] { due(); }),
      poll_(loop, nl_socket_get_fd(socket_.get()), [this](int) { readable(); }) {
  nl_socket_modify_cb(socket_.get(), NL_CB_VALID, NL_CB_CUSTOM, note, &pending_);
  poll_.watch(Poll::kReadable);
}

RouteWatch::~RouteWatch() = default;

void RouteWatch::readable() {
  bool before = pending_;
  for (int reads = 0; reads < kReads; ++reads) {
    int status = nl_recvmsgs_default(socket_.get());
    if (status == -NLE_AGAIN) break;
    // The kernel had more than there was room for, or it makes no sense: a full look finds it all.
    if (status < 0) pending_ = true;
  }
  poll_.watch(Poll::kReadable);  // an error ends it
  if (!pending_ || before) return;
  timer_.set(std::max(boot_now() + kBurst, quiet_until_));
}

void RouteWatch::due() {
  pending_ = false;
  quiet_until_ = boot_now() + kPause;
  auto changed = changed_;
  changed();
}

}  // namespace causeway::platform
