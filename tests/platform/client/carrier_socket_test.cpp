#include "platform/client/carrier_socket.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <vector>

#include "platform/client/gateway_dialler.h"
#include "platform/loop/clock.h"

namespace causeway::platform {
namespace {

using namespace std::chrono_literals;

class CarrierSocketTest : public ::testing::Test {
 protected:
  CarrierSocketTest() : guard_(loop_, [this] { loop_.stop(); }) {
    listener_ = Descriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    SocketAddress any({packet::Address::v4(127, 0, 0, 1), 0});
    EXPECT_EQ(bind(listener_.get(), any.get(), any.size), 0);
    EXPECT_EQ(listen(listener_.get(), 4), 0);
    here_ = local_endpoint(listener_.get());
  }

  void run(Duration longest = 5s) {
    guard_.set(boot_now() + longest);
    loop_.run();
  }

  Result<GatewayDialler::Dialled> dial(std::vector<config::HostPort> gateways, const MachineResolver& machine = {},
                                       std::vector<packet::Cidr> routes = {}) {
    dialler_ = std::make_unique<GatewayDialler>(loop_, std::move(gateways), std::move(routes));
    std::optional<Result<GatewayDialler::Dialled>> result;
    dialler_->resolve(machine, [&] {
      dialler_->dial([&](Result<GatewayDialler::Dialled> got) {
        result = std::move(got);
        loop_.stop();
      });
    });
    run();
    EXPECT_TRUE(result);
    return std::move(*result);
  }

  // A carrier and the other end of it.
  void connect(CarrierSocket::Callbacks callbacks) {
    auto dialled = dial({{"127.0.0.1", here_.port}});
    ASSERT_TRUE(dialled) << dialled.error().message;
    peer_ = Descriptor(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    carrier_ = std::make_unique<CarrierSocket>(loop_, std::move(dialled->socket), std::move(callbacks));
  }

  Loop loop_;
  Timer guard_;
  Descriptor listener_, peer_;
  packet::Endpoint here_;
  std::unique_ptr<GatewayDialler> dialler_;
  std::unique_ptr<CarrierSocket> carrier_;
};

TEST_F(CarrierSocketTest, ReadsWhatComesAndSaysWhenThePeerHasClosed) {
  std::string heard, error;
  connect({[&] {
             std::array<std::uint8_t, 16> space;
             auto n = carrier_->read(space);
             if (n) {
               heard += as_text(Bytes(space).first(*n));
             } else {
               error = n.error().message;
               carrier_.reset();
             }
             loop_.stop();
           },
           [] {}, [] {}});
  ASSERT_EQ(write(peer_.get(), "hello", 5), 5);
  run();
  EXPECT_EQ(heard, "hello");
  peer_.reset();
  run();
  EXPECT_EQ(error, "the gateway closed the connection");
}

TEST_F(CarrierSocketTest, SaysWhenMoreCanBeWritten) {
  bool writable = false;
  connect({[] {},
           [&] {
             writable = true;
             loop_.stop();
           },
           [] {}});
  std::vector<std::uint8_t> much(1024 * 1024, 7);
  std::array<Bytes, 2> pieces{Bytes(much), Bytes(much)};
  std::size_t taken = 0;
  while (!carrier_->blocked()) taken += carrier_->write(pieces).value();
  run(50ms);
  EXPECT_FALSE(writable) << "nobody reads";
  std::vector<std::uint8_t> sink(4 * 1024 * 1024);
  for (std::size_t read_so_far = 0; read_so_far < taken && !writable;) {
    ssize_t n = recv(peer_.get(), sink.data(), sink.size(), MSG_DONTWAIT);
    if (n > 0) read_so_far += std::size_t(n);
    run(5ms);
  }
  EXPECT_TRUE(writable);
  EXPECT_FALSE(carrier_->blocked());
}

TEST_F(CarrierSocketTest, TellsThatThePeersHostHasAcknowledged) {
  int progressed = 0;
  connect({[] {}, [] {},
           [&] {
             ++progressed;
             loop_.stop();
           }});
  std::array<std::uint8_t, 4> some{};
  std::array<Bytes, 1> pieces{Bytes(some)};
  ASSERT_EQ(carrier_->write(pieces), 4u);
  run();
  EXPECT_EQ(progressed, 1);
  run(1200ms);
  EXPECT_EQ(progressed, 1) << "nothing is outstanding any more";
}

TEST_F(CarrierSocketTest, APeerThatResetsIsAnError) {
  std::string error;
  connect({[&] {
             std::array<std::uint8_t, 16> space;
             auto n = carrier_->read(space);
             if (!n) error = n.error().message;
             carrier_.reset();
             loop_.stop();
           },
           [] {}, [] {}});
  linger hard{1, 0};
  setsockopt(peer_.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  peer_.reset();
  run();
  EXPECT_EQ(error, "the connection broke: Connection reset by peer");
}

TEST_F(CarrierSocketTest, ADialSaysForEachGatewayWhyNot) {
  listener_.reset();
  auto dialled = dial({{"127.0.0.1", here_.port}, {"no-such-name.invalid", 7700}, {"10.96.0.1", 7700}}, {},
                      {*packet::Cidr::parse("10.96.0.0/16")});
  ASSERT_FALSE(dialled);
  const std::string& message = dialled.error().message;
  EXPECT_NE(message.find(here_.text() + ": Connection refused"), std::string::npos) << message;
  EXPECT_NE(message.find("no-such-name.invalid:7700: not in the hosts file, and this machine has no DNS server"),
            std::string::npos)
      << message;
  EXPECT_NE(message.find("10.96.0.1:7700: lies inside the tunnel's own routes"), std::string::npos) << message;
}

TEST_F(CarrierSocketTest, ANameOfTheHostsFileIsDialled) {
  auto dialled = dial({{"localhost", here_.port}});
  ASSERT_TRUE(dialled) << dialled.error().message;
  EXPECT_EQ(dialled->text, "localhost:" + std::to_string(here_.port) + " (127.0.0.1)");
  EXPECT_TRUE(dialler_->has_names());
  EXPECT_FALSE(dialler_->addresses().empty());
}

TEST_F(CarrierSocketTest, ACancelledDialIsNotHeardOf) {
  dialler_ = std::make_unique<GatewayDialler>(loop_, std::vector<config::HostPort>{{"127.0.0.1", here_.port}},
                                              std::vector<packet::Cidr>());
  dialler_->resolve({}, [&] { dialler_->dial([](auto) { ADD_FAILURE(); }); });
  Timer cancel(loop_, [&] { dialler_->cancel(); });
  cancel.set(boot_now());
  run(50ms);
}

}  // namespace
}  // namespace causeway::platform
