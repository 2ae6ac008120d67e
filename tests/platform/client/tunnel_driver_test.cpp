#include "platform/client/tunnel_driver.h"

#include <gtest/gtest.h>

#include "core/noise/keys.h"
#include "platform/loop/clock.h"
#include "platform/net/socket.h"
#include "tun/memory_device.h"

namespace causeway::platform {
namespace {

using namespace std::chrono_literals;
using Kind = engine::ClientEvent::Kind;

class TunnelDriverTest : public ::testing::Test {
 protected:
  TunnelDriverTest() : stack_(pool_, random_), guard_(loop_, [this] { loop_.stop(); }) {
    listener_ = Descriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    SocketAddress any({packet::Address::v4(127, 0, 0, 1), 0});
    EXPECT_EQ(bind(listener_.get(), any.get(), any.size), 0);
    EXPECT_EQ(listen(listener_.get(), 4), 0);
    auto [near, far] = tun::MemoryDevice::pair(pool_, {});
    app_ = std::move(far);
    noise::KeyPair keys = noise::generate(random_);
    engine::ClientConfig config;
    config.keys = {keys.private_key, keys.public_key};
    config.gateway_key = noise::generate(random_).public_key;
    config.timing.handshake = 100ms;
    config.wall_clock_ns = 1000;
    driver_ = std::make_unique<TunnelDriver>(
        TunnelDriver::Parts{loop_, pool_, random_, stack_, names_, std::move(near), config, *dns::Rules::create({})},
        TunnelDriver::Callbacks{[this](const engine::ClientEvent& event) { happened(event); },
                                [](const Error&) { ADD_FAILURE(); }});
  }

  // Dials at once, and stops the loop when the link is down.
  void happened(const engine::ClientEvent& event) {
    kinds_.push_back(event.kind);
    if (event.kind == Kind::kDial) loop_.post([this] { connect(); });
    if (event.kind != Kind::kLinkDown) return;
    error_ = event.error;
    loop_.stop();
  }
  void connect() {
    SocketAddress to(local_endpoint(listener_.get()));
    Descriptor s(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::connect(s.get(), to.get(), to.size), 0);
    driver_->carrier_connected(std::move(s));
  }
  void run() {
    guard_.set(boot_now() + 5s);
    loop_.run();
  }

  BufferPool pool_;
  noise::SodiumRandom random_;
  tun::Stack stack_;
  Loop loop_;
  NameChain names_;
  Timer guard_;
  Descriptor listener_;
  std::unique_ptr<tun::MemoryDevice> app_;
  std::unique_ptr<TunnelDriver> driver_;
  std::vector<Kind> kinds_;
  Error error_;
};

TEST_F(TunnelDriverTest, AGatewayThatSaysNothingIsToldAsNoAnswerOnceTheHandshakesTimeIsOver) {
  driver_->start();
  run();
  EXPECT_EQ(error_.code, ErrorCode::kTimedOut);
  EXPECT_NE(error_.message.find("no answer"), std::string::npos) << error_.message;
  EXPECT_FALSE(error_.advice.empty());
  ASSERT_GE(kinds_.size(), 3u);
  kinds_.resize(3);  // it may have dialled again by now
  EXPECT_EQ(kinds_, (std::vector<Kind>{Kind::kDial, Kind::kHelloNumber, Kind::kLinkDown}));
}

TEST_F(TunnelDriverTest, StopsAtOnceWhereNothingIsUnderWay) {
  Instant began = boot_now();
  driver_->stop([&] {
    driver_.reset();
    loop_.stop();
  });
  run();
  EXPECT_FALSE(driver_);
  EXPECT_LT(boot_now() - began, 900ms) << "not by its time limit";
}

}  // namespace
}  // namespace causeway::platform
