#include "platform/net/listening.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include "platform/net/interfaces.h"
#include "platform/net/socket.h"

namespace causeway::platform {
namespace {

struct Socket {
  explicit Socket(const char* address, bool only_v6 = false) {
    packet::Endpoint at{*packet::Address::parse(address), 0};
    descriptor = Descriptor(socket(family_of(at.address), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (at.address.is_v6()) set_option(descriptor.get(), IPPROTO_IPV6, IPV6_V6ONLY, only_v6);
    SocketAddress bound(at);
    EXPECT_EQ(bind(descriptor.get(), bound.get(), bound.size), 0) << address;
  }
  void listen() const { EXPECT_EQ(::listen(descriptor.get(), 4), 0); }
  bool found_at(const char* address) const {
    return listens({*packet::Address::parse(address), local_endpoint(descriptor.get()).port});
  }
  bool noticed() const { return Descriptor(accept4(descriptor.get(), nullptr, nullptr, SOCK_CLOEXEC)).get() >= 0; }
  Descriptor descriptor;
};

TEST(Listening, IsFoundOnceItListensAndIsNotNoticed) {
  Socket socket("127.0.0.1");
  EXPECT_FALSE(socket.found_at("127.0.0.1"));
  socket.listen();
  EXPECT_TRUE(socket.found_at("127.0.0.1"));
  EXPECT_FALSE(socket.noticed());
}

TEST(Listening, IsFoundWhereAConnectionWouldReachIt) {
  Socket one("127.0.0.1"), all("0.0.0.0"), six("::1"), both("::"), only("::", true);
  for (const Socket* socket : {&one, &all, &six, &both, &only}) socket->listen();
  EXPECT_FALSE(one.found_at("127.0.0.2"));
  EXPECT_FALSE(one.found_at("::1"));
  EXPECT_TRUE(all.found_at("127.0.0.1"));
  EXPECT_TRUE(all.found_at("127.9.9.9"));
  EXPECT_FALSE(all.found_at("::1"));
  EXPECT_TRUE(six.found_at("::1"));
  EXPECT_FALSE(six.found_at("127.0.0.1"));
  EXPECT_TRUE(both.found_at("::1"));
  EXPECT_TRUE(both.found_at("127.0.0.1"));
  EXPECT_TRUE(only.found_at("::1"));
  EXPECT_FALSE(only.found_at("127.0.0.1"));
  for (const packet::Address& own : own_addresses()) {
    EXPECT_EQ(all.found_at(own.text().c_str()), own.is_v4()) << own.text();
  }
  for (const Socket* socket : {&one, &all, &six, &both, &only}) EXPECT_FALSE(socket->noticed());
}

TEST(Listening, ElsewhereAConnectionIsTriedAndNotForLong) {
  // TEST-NET-1 (RFC 5737): nobody answers there.
  auto began = std::chrono::steady_clock::now();
  EXPECT_FALSE(listens(*packet::Endpoint::parse("192.0.2.1:80")));
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(3));
}

}  // namespace
}  // namespace causeway::platform
