// A TCP flow with its two ends: a program on the laptop that talks to a service in the cluster.
#pragma once

#include <memory>
#include <string>

#include "tests/world/world.h"

namespace causeway::world {

class Conversation {
 public:
  struct Plan {
    std::uint64_t flow = 1;  // names the contents; every conversation of a world has its own
    packet::Endpoint to;
    Script app, service;
    AppTcp::Options tcp;
    std::optional<link::Reason> refuses;
    bool silent = false;
    Duration answers_after = std::chrono::microseconds(300);
  };

  // Puts the service in its place. start() connects.
  Conversation(World& world, const Plan& plan);
  void start();

  const Plan& plan() const { return plan_; }
  bool started() const { return tcp_ != nullptr; }
  bool ended() const { return started() && app_.end() != Talker::End::kNone; }
  AppTcp& tcp() { return *tcp_; }
  Talker& app() { return app_; }
  // The service's end of the connection; null: it was never connected.
  Talker* service() { return service_.talkers.empty() ? nullptr : service_.talkers.back(); }
  TcpService& at() { return service_; }
  bool services_ended() const;

  // What is wrong with how it went; empty: nothing. `disturbed`: a carrier was lost while it ran, so a reset may have been.
  std::string fault(bool disturbed);

 private:
  void changed(AppTcp& tcp);
  std::string fault_of_end(bool disturbed);

  World& world_;
  const Plan plan_;
  Talker app_;
  TcpService& service_;
  AppTcp* tcp_ = nullptr;
  bool connected_ = false;
};

}  // namespace causeway::world
