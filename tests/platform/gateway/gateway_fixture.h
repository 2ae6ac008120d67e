// A real gateway on a port of 127.0.0.1, on a loop in a thread of its own.
#pragma once

#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "platform/gateway/gateway_driver.h"
#include "tests/platform/gateway/peer.h"
#include "tests/platform/gateway/services.h"

namespace causeway::platform {

class GatewayTest : public testing::Test {
 protected:
  // What a test changes before start().
  GatewaySettings settings;
  noise::SodiumRandom random;
  noise::KeyPair gateway_key = noise::generate(random);
  noise::KeyPair client_key = noise::generate(random);
  std::vector<engine::AuthorisedClient> clients{{client_key.public_key, "alice", std::nullopt}};
  std::uint16_t port = 0;

  GatewayTest() {
    settings.engine.keys = {gateway_key.private_key, gateway_key.public_key};
    settings.listen = {{packet::Address::v4(127, 0, 0, 1), 0}};
    settings.policy = flow::Policy({*packet::Cidr::parse("127.0.0.0/8"), *packet::Cidr::parse("::1/128")},
                                   {*packet::Cidr::parse("127.6.6.6/32")});
  }
  ~GatewayTest() override {
    if (!thread_.joinable()) return;
    loop_->post([this] { driver_->stop([this] { loop_->stop(); }); });
    thread_.join();
  }

  void start() {
    std::promise<std::uint16_t> listening;
    thread_ = std::thread([this, &listening] {
      Loop loop;
      loop_ = &loop;
      auto started = GatewayDriver::start(loop, settings);
      CAUSEWAY_ASSERT(started.has_value());
      driver_ = std::move(*started);
      driver_->set_clients(clients);
      listening.set_value(driver_->listening().front().port);
      loop.run();
      driver_.reset();
    });
    port = listening.get_future().get();
  }
  std::unique_ptr<Peer> connect() {
    auto peer = std::make_unique<Peer>(client_key, gateway_key.public_key, port);
    EXPECT_TRUE(peer->up()) << peer->why();
    return peer;
  }
  // Runs `work` on the gateway's thread, and waits for it.
  template <class Work>
  auto on_gateway(Work work) -> decltype(work(std::declval<GatewayDriver&>())) {
    std::packaged_task<decltype(work(*driver_))()> task([&] { return work(*driver_); });
    auto result = task.get_future();
    loop_->post([&] { task(); });
    return result.get();
  }

 private:
  Loop* loop_ = nullptr;
  std::unique_ptr<GatewayDriver> driver_;
  std::thread thread_;
};

}  // namespace causeway::platform
