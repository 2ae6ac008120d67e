// TCP sockets that an engine's relays are joined to, and the programs at their other ends: services that are dialled, and clients that
// were accepted.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/random.h"
#include "core/engine/relays.h"
#include "core/packet/address.h"
#include "tests/world/chart.h"
#include "tests/world/talker.h"

namespace causeway::world {

// A service: what is met at an endpoint.
struct TcpService {
  std::optional<link::Reason> refuses;  // how dialling fails
  bool silent = false;                  // dialling is never answered
  Duration answers_after = std::chrono::microseconds(300);
  std::function<std::unique_ptr<Program>()> program;  // none: a Talker of what follows
  Script script;
  std::uint64_t sends = 0, expects = 0;
  std::vector<std::unique_ptr<Program>> programs;  // one for each connection that was made
  std::vector<Talker*> talkers;                    // those of them that are one
  std::vector<bool> closed_by_reset;               // by program: the engine closed the socket, and how
  std::size_t dials = 0;
};

class RelaySockets {
 public:
  RelaySockets(Timeline& time, Chart& chart, Chart::Column column, std::uint64_t seed);
  ~RelaySockets();

  TcpService& add(const packet::Endpoint& at) { return services_[at]; }
  TcpService* find(const packet::Endpoint& at);

  // The engine whose sockets these are; null: it is gone, and its sockets with it.
  void use(engine::Relays* engine);
  // The events of an engine.
  void dial(engine::RelayId relay, const packet::Endpoint& to);
  void close(engine::RelayId relay, bool reset);
  void finish(engine::RelayId relay);
  void resume(engine::RelayId relay);
  void writable(engine::RelayId relay);
  // A socket that was accepted; `program` is at its other end, and lives longer.
  void adopt(engine::RelayId relay, Program& program);

  // True once since the last call: the engine was called.
  bool take_called() { return std::exchange(called_, false); }
  std::size_t size() const { return sockets_.size(); }

 private:
  class Socket;

  void dialled(engine::RelayId relay, TcpService& service);
  void step_soon(engine::RelayId relay);
  void step(engine::RelayId relay);
  void note(std::string text) { chart_.note(column_, std::move(text)); }

  Timeline& time_;
  Chart& chart_;
  const Chart::Column column_;
  SeededRandom random_;
  engine::Relays* engine_ = nullptr;
  std::uint64_t life_ = 0;  // of the engine: what was put off for an earlier one is forgotten
  bool called_ = false;
  std::map<packet::Endpoint, TcpService> services_;
  std::map<engine::RelayId, packet::Endpoint> dialling_;
  std::map<engine::RelayId, std::unique_ptr<Socket>> sockets_;
  std::vector<std::unique_ptr<Socket>> detached_;
};

}  // namespace causeway::world
