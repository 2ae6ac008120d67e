#include "platform/net/socket.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>

#include <cerrno>
#include <vector>

namespace causeway::platform {
namespace {

constexpr int kPatienceMs = 10'000;  // a guard against hanging

struct Listening {
  Descriptor socket{::socket(AF_INET, SOCK_STREAM, 0)};
  packet::Endpoint at;

  explicit Listening(int backlog) {
    SocketAddress any({packet::Address::v4(127, 0, 0, 1), 0});
    EXPECT_EQ(bind(socket.get(), any.get(), any.size), 0);
    EXPECT_EQ(listen(socket.get(), backlog), 0);
    at = local_endpoint(socket.get());
  }
};

Descriptor begin_to_connect(const packet::Endpoint& to) {
  Descriptor socket(::socket(family_of(to.address), SOCK_STREAM | SOCK_NONBLOCK, 0));
  SocketAddress address(to);
  connect(socket.get(), address.get(), address.size);
  return socket;
}

void wait_for(const Descriptor& socket) {
  pollfd one{socket.get(), POLLOUT, 0};
  ASSERT_EQ(poll(&one, 1, kPatienceMs), 1);
}

TEST(ConnectOutcome, IsNothingButConnectedWhereSomebodyListens) {
  Listening service(8);
  Descriptor socket = begin_to_connect(service.at);
  wait_for(socket);
  EXPECT_EQ(connect_outcome(socket.get(), service.at), 0);
  EXPECT_EQ(connect_outcome(socket.get(), service.at), 0) << "asked again";
}

TEST(ConnectOutcome, IsThatItIsUnderWayWhileNobodyHasAnswered) {
  Listening full(0);  // a listener whose queue is full answers no SYN
  std::vector<Descriptor> waiting;
  for (int i = 0; i < 4; ++i) waiting.push_back(begin_to_connect(full.at));
  EXPECT_EQ(connect_outcome(waiting.back().get(), full.at), EALREADY);
}

TEST(ConnectOutcome, IsTheReasonWhereItFailed) {
  packet::Endpoint closed = Listening(1).at;
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
  SocketAddress address(closed);
  if (connect(socket.get(), address.get(), address.size) != 0 && errno == ECONNREFUSED) return;  // told at once
  wait_for(socket);
  EXPECT_EQ(connect_outcome(socket.get(), closed), ECONNREFUSED);
}

}  // namespace
}  // namespace causeway::platform
