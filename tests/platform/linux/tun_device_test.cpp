// Against a real TUN device, in a network namespace that nobody else sees. Needs root, else it is skipped.
#include "platform/linux/tun_device.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>

#include "core/packet/build.h"
#include "tun/stack.h"

namespace causeway::platform {
namespace {

constexpr const char* kName = "cwtest";

// struct in6_ifreq of linux/ipv6.h, which cannot be included beside netinet/in.h.
struct Ipv6Request {
  in6_addr address;
  std::uint32_t prefix_length;
  int interface;
};

// The process's own namespace, entered once. Why not, where that failed.
const std::string& no_namespace() {
  static const std::string why = [] {
    if (::unshare(CLONE_NEWNET) != 0) return "needs root to make a network namespace: " + error_text(errno);
    if (::access("/dev/net/tun", R_OK | W_OK) != 0) return "no /dev/net/tun: " + error_text(errno);
    return std::string();
  }();
  return why;
}

class KernelTunTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!no_namespace().empty()) GTEST_SKIP() << no_namespace();
    open();
  }

  void open() {
    Descriptor tun(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
    ASSERT_TRUE(tun) << error_text(errno);
    ifreq request = named();
    request.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;
    ASSERT_EQ(::ioctl(tun.get(), TUNSETIFF, &request), 0) << error_text(errno);
    ASSERT_EQ(::ioctl(tun.get(), TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6), 0) << error_text(errno);
    has_v6_ = add_v6();
    add_v4();
    set_up(true);
    device_.emplace(pool_, std::move(tun), std::uint16_t(1500));
  }

  static ifreq named() {
    ifreq request{};
    std::copy_n(kName, std::char_traits<char>::length(kName), request.ifr_name);
    return request;
  }

  void add_v4() {
    const Descriptor control(::socket(AF_INET, SOCK_DGRAM, 0));
    ifreq request = named();
    auto& address = reinterpret_cast<sockaddr_in&>(request.ifr_addr);
    address.sin_family = AF_INET;
    ::inet_pton(AF_INET, "10.9.0.1", &address.sin_addr);
    ASSERT_EQ(::ioctl(control.get(), SIOCSIFADDR, &request), 0) << error_text(errno);
    ::inet_pton(AF_INET, "255.255.255.0", &address.sin_addr);
    ASSERT_EQ(::ioctl(control.get(), SIOCSIFNETMASK, &request), 0) << error_text(errno);
  }

  bool add_v6() {
    std::ofstream("/proc/sys/net/ipv6/conf/cwtest/disable_ipv6") << "0";
    const Descriptor control(::socket(AF_INET6, SOCK_DGRAM, 0));
    if (!control) return false;
    set_up(true);
    Ipv6Request request{};
    ::inet_pton(AF_INET6, "fd09::1", &request.address);
    request.prefix_length = 64;
    request.interface = int(::if_nametoindex(kName));
    return ::ioctl(control.get(), SIOCSIFADDR, &request) == 0;
  }

  void set_up(bool up) {
    const Descriptor control(::socket(AF_INET, SOCK_DGRAM, 0));
    ifreq request = named();
    ASSERT_EQ(::ioctl(control.get(), SIOCGIFFLAGS, &request), 0) << error_text(errno);
    request.ifr_flags = short(up ? request.ifr_flags | IFF_UP : request.ifr_flags & ~IFF_UP);
    ASSERT_EQ(::ioctl(control.get(), SIOCSIFFLAGS, &request), 0) << error_text(errno);
  }

  // As `ip link del` does.
  void remove_interface() {
    const Descriptor netlink(::socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
    struct {
      nlmsghdr header;
      ifinfomsg message;
    } request{};
    request.header.nlmsg_len = sizeof request;
    request.header.nlmsg_type = RTM_DELLINK;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    request.message.ifi_index = int(::if_nametoindex(kName));
    ASSERT_EQ(::send(netlink.get(), &request, sizeof request, 0), ssize_t(sizeof request));
    struct {
      nlmsghdr header;
      nlmsgerr error;
      std::uint8_t rest[256];
    } answer{};
    ASSERT_GT(::recv(netlink.get(), &answer, sizeof answer, 0), ssize_t(sizeof(nlmsghdr)));
    ASSERT_EQ(answer.error.error, 0) << error_text(-answer.error.error);
  }

  bool wait_readable(int descriptor, int milliseconds) {
    pollfd poll{descriptor, POLLIN, 0};
    return ::poll(&poll, 1, milliseconds) > 0;
  }

  // Packets of `protocol` that wait; the kernel has things of its own to say (router solicitations).
  std::vector<packet::Incoming> read_all(std::uint8_t protocol) {
    std::vector<packet::Incoming> kept;
    std::array<packet::Incoming, 16> batch;
    for (;;) {
      const auto n = device_->read(batch);
      if (!n) {
        ADD_FAILURE() << n.error().message;
        return kept;
      }
      for (packet::Incoming& p : std::span(batch).first(*n)) {
        const auto parsed = packet::parse(p.packet, p.checksum_trusted);
        if (parsed && parsed->protocol() == protocol) kept.push_back(std::move(p));
      }
      if (*n < batch.size()) return kept;
    }
  }

  BufferPool pool_;
  std::optional<KernelTun> device_;
  bool has_v6_ = false;
};

struct sockaddr_in address_v4(const char* text, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  ::inet_pton(AF_INET, text, &address.sin_addr);
  return address;
}

TEST_F(KernelTunTest, APingIsReadAndItsReplyIsHeard) {
  const Descriptor raw(::socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
  ASSERT_TRUE(raw);
  const sockaddr_in to = address_v4("10.9.0.77", 0);
  std::array<std::uint8_t, 16> echo{8, 0, 0, 0, 0x12, 0x34, 0, 7, 'p', 'a', 'y', 'l', 'o', 'a', 'd', '!'};
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < echo.size(); i += 2) sum += load16(&echo[i]);
  store16(&echo[2], std::uint16_t(~(sum % 0xffff)));
  ASSERT_EQ(::sendto(raw.get(), echo.data(), echo.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to), 16);

  ASSERT_TRUE(wait_readable(device_->descriptor(), 2000));
  const auto packets = read_all(packet::kIcmp);
  ASSERT_EQ(packets.size(), 1u);
  const auto ping = packet::parse(packets[0].packet, packets[0].checksum_trusted);
  ASSERT_TRUE(ping && ping->is_echo_request());
  EXPECT_EQ(as_text(ping->payload), "payload!");

  packet::PacketBatch batch;
  packet::build_echo_reply(batch, ping->tuple.destination.address, ping->tuple.source.address, ping->tuple.source.port,
                           ping->echo_sequence, ping->payload);
  device_->write(batch);
  EXPECT_EQ(device_->counters().packets_written, 1u);
  ASSERT_TRUE(wait_readable(raw.get(), 2000));
  std::array<std::uint8_t, 100> heard;
  ASSERT_EQ(::recv(raw.get(), heard.data(), heard.size(), 0), 36);
  EXPECT_EQ(heard[20], 0) << "an echo reply";
  EXPECT_EQ(as_text(Bytes(heard).subspan(28, 8)), "payload!");
}

TEST_F(KernelTunTest, NothingToReadIsNoError) {
  read_all(packet::kTcp);
  std::array<packet::Incoming, 4> batch;
  const auto n = device_->read(batch);
  ASSERT_TRUE(n);
  EXPECT_EQ(*n, 0u);
}

TEST_F(KernelTunTest, SmallPacketsDoNotHoldLargeBlocks) {
  const Descriptor udp(::socket(AF_INET, SOCK_DGRAM, 0));
  const sockaddr_in to = address_v4("10.9.0.77", 5000);
  const std::string data(100, 'x');
  for (int i = 0; i < 64; ++i) {
    ASSERT_EQ(::sendto(udp.get(), data.data(), data.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to), 100);
  }
  const auto packets = read_all(packet::kUdp);
  EXPECT_EQ(packets.size(), 64u);
  EXPECT_LE(pool_.in_use(), 64 * 256 + BufferPool::kLargest) << "one block is waiting for the next packet";
}

TEST_F(KernelTunTest, WhatTheInterfaceRefusesIsDroppedAndCounted) {
  set_up(false);
  packet::PacketBatch batch;
  const auto from = *packet::Address::parse("10.9.0.77"), to = *packet::Address::parse("10.9.0.1");
  packet::build_udp(batch, {from, 1}, {to, 2}, as_bytes("lost"));
  device_->write(batch);
  EXPECT_EQ(device_->counters().write_dropped, 1u);
  EXPECT_EQ(device_->counters().packets_written, 0u);
  set_up(true);
  device_->write(batch);
  EXPECT_EQ(device_->counters().packets_written, 1u);
}

TEST_F(KernelTunTest, APacketInMorePiecesThanTheKernelTakesAtOnceIsWritten) {
  const Descriptor udp(::socket(AF_INET, SOCK_DGRAM, 0));
  const sockaddr_in here = address_v4("10.9.0.1", 5001);
  ASSERT_EQ(::bind(udp.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here), 0);
  packet::PacketBatch batch;
  const auto from = *packet::Address::parse("10.9.0.77"), to = *packet::Address::parse("10.9.0.1");
  const std::string text(2000, 'p');
  packet::build_udp(batch, {from, 1}, {to, 5001}, as_bytes(text));
  packet::PacketBatch cut;
  const packet::OutgoingPacket& p = batch.packets()[0];
  const Bytes header = batch.header(p);
  std::copy(header.begin(), header.end(), cut.begin(header.size(), p.offload).begin());
  for (std::size_t i = 0; i < text.size(); ++i) cut.add_piece(as_bytes(text).subspan(i, 1));
  device_->write(cut);
  ASSERT_TRUE(wait_readable(udp.get(), 2000));
  std::string heard(3000, '\0');
  heard.resize(std::size_t(std::max<ssize_t>(0, ::recv(udp.get(), heard.data(), heard.size(), 0))));
  EXPECT_EQ(heard, text);
}

TEST_F(KernelTunTest, ARemovedInterfaceIsAnErrorThatSaysSo) {
  read_all(packet::kTcp);
  remove_interface();
  EXPECT_TRUE(wait_readable(device_->descriptor(), 2000)) << "whoever waits is woken";
  std::array<packet::Incoming, 4> batch;
  const auto n = device_->read(batch);
  ASSERT_FALSE(n);
  EXPECT_EQ(n.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(n.error().message.find("gone"), std::string::npos) << n.error().message;
  EXPECT_FALSE(n.error().advice.empty());
  packet::PacketBatch out;
  packet::build_udp(out, {*packet::Address::parse("10.9.0.77"), 1}, {*packet::Address::parse("10.9.0.1"), 2}, as_bytes("x"));
  device_->write(out);
  EXPECT_EQ(device_->counters().write_dropped, 1u);
}

// A socket of this machine and the stack, with the device between them. What the socket sends comes back to it.
class KernelTunStack : public KernelTunTest {
 protected:
  void echo(const packet::Endpoint& service, std::size_t bytes) {
    tun::Stack stack(pool_, random_);
    const auto tcp = stack.attach();
    SocketAddress to(service);
    const Descriptor app(::socket(family_of(service.address), SOCK_STREAM | SOCK_NONBLOCK, 0));
    ASSERT_TRUE(app);
    // An IPv6 address that is new is of use only after a moment.
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (::connect(app.get(), to.get(), to.size) != 0 && errno != EINPROGRESS) {
      ASSERT_LT(std::chrono::steady_clock::now(), patience) << error_text(errno);
      ::poll(nullptr, 0, 10);
    }

    std::string sent(bytes, '\0'), back;
    for (char& c : sent) c = char(random_.next());
    std::size_t written = 0;
    bool finished = false, service_finished = false;
    const auto guard = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!finished && std::chrono::steady_clock::now() < guard) {
      pollfd wait[2] = {{device_->descriptor(), POLLIN, 0},
                        {app.get(), short(POLLIN | (written < bytes ? POLLOUT : 0)), 0}};
      ::poll(wait, 2, 1);
      if (written < bytes) {
        const ssize_t n = ::send(app.get(), &sent[written], bytes - written, MSG_NOSIGNAL);
        if (n > 0) written += std::size_t(n);
        if (written == bytes) ::shutdown(app.get(), SHUT_WR);
      }
      turn(*tcp, service_finished);
      std::array<char, 65536> chunk;
      for (;;) {
        const ssize_t n = ::recv(app.get(), chunk.data(), chunk.size(), 0);
        if (n > 0) back.append(chunk.data(), std::size_t(n));
        if (n == 0) finished = true;
        if (n <= 0) break;
      }
    }
    EXPECT_TRUE(finished);
    EXPECT_EQ(written, bytes);
    EXPECT_TRUE(back == sent) << back.size() << " bytes came back";
    EXPECT_GT(largest_read_, 10'000u) << "super-packets come in";
    EXPECT_GT(largest_written_, 10'000u) << "and go out";
    EXPECT_EQ(device_->counters().write_dropped, 0u);
    waiting_ = {};
  }

  void turn(engine::Stack& tcp, bool& finished) {
    const Instant now = Instant(std::chrono::steady_clock::now().time_since_epoch());
    for (packet::Incoming& p : read_all(packet::kTcp)) {
      largest_read_ = std::max(largest_read_, p.packet.size());
      const auto parsed = packet::parse(p.packet, p.checksum_trusted);
      if (parsed->flags & packet::kSyn) {
        connection_ = tcp.accept(*parsed, 1, now);
        closed_ = false;
        continue;
      }
      if (closed_) continue;
      const engine::StackSegment segment{connection_, *parsed, std::move(p.owner)};
      tcp.input(std::span(&segment, 1), now);
    }
    if (tcp.deadline() <= now) tcp.advance(now);
    events_.clear();
    tcp.take_events(events_);
    for (engine::StackEvent& event : events_) {
      if (event.kind == engine::StackEvent::Kind::kReceived) waiting_.push_back(std::move(event.data));
      if (event.kind == engine::StackEvent::Kind::kFinished) finished = true;
      if (event.kind == engine::StackEvent::Kind::kClosed) closed_ = true;
    }
    std::size_t done = 0;
    for (Slice& slice : waiting_) {
      const std::size_t n = closed_ ? 0 : tcp.write(connection_, slice);
      if (n > 0) tcp.consumed(connection_, n);
      slice.remove_prefix(n);
      if (slice.size > 0) break;
      ++done;
    }
    waiting_.erase(waiting_.begin(), waiting_.begin() + std::ptrdiff_t(done));
    if (finished && waiting_.empty() && !closed_) tcp.finish(connection_);
    packet::PacketBatch batch;
    tcp.flush(batch, now);
    for (const packet::OutgoingPacket& p : batch.packets()) {
      if (p.offload.segmentation != packet::Segmentation::kNone) {
        largest_written_ = std::max<std::size_t>(largest_written_, p.size);
      }
    }
    device_->write(batch);
  }

  SeededRandom random_{1};
  engine::ConnectionId connection_ = 0;
  bool closed_ = false;
  std::vector<engine::StackEvent> events_;
  std::vector<Slice> waiting_;
  std::size_t largest_read_ = 0, largest_written_ = 0;
};

TEST_F(KernelTunStack, BytesOfASocketComeBackOverIpv4) {
  echo(*packet::Endpoint::parse("10.9.0.80:7"), 8'000'000);
}

TEST_F(KernelTunStack, BytesOfASocketComeBackOverIpv6) {
  if (!has_v6_) GTEST_SKIP() << "no IPv6 in this kernel";
  echo(*packet::Endpoint::parse("[fd09::80]:7"), 8'000'000);
}

}  // namespace
}  // namespace causeway::platform
