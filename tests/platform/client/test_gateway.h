// The real gateway engine behind a listening TCP socket, on the loop of the test. Its cluster is in memory: a DNS server, and a
// TCP service on port 7 that sends back what it gets; every other port refuses.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/engine/gateway.h"
#include "core/noise/keys.h"
#include "dns/message.h"
#include "platform/loop/loop.h"
#include "platform/net/socket.h"

namespace causeway::platform {

class TestGateway {
 public:
  enum class Dns { kAnswers, kNotForDomain, kUnreachable, kSilent };

  // Listens on 127.0.0.1.
  explicit TestGateway(Loop& loop);
  ~TestGateway();

  void authorise(const noise::PublicKey& key, std::optional<Secret<32>> psk = std::nullopt);
  // Cuts every connection without a word, as a crash would.
  void cut();
  void stop_listening();
  // Says goodbye to everybody.
  void stop();

  std::uint16_t port() const { return port_; }
  const noise::PublicKey& key() const { return keys_.public_key; }

  Dns dns = Dns::kAnswers;
  bool icmp = true;
  packet::Address address = packet::Address::v4(10, 96, 0, 10);  // of every name
  std::string only;                                              // names below this, where it is set; others do not exist
  std::vector<std::string> came, went, refused, dialled;

 private:
  struct Carrier {
    Descriptor socket;
    std::unique_ptr<Poll> poll;
  };
  struct Relay {
    flow::Destination destination;
    std::vector<std::uint8_t> echoed;  // to be read back
  };

  void accept_all();
  void readable(engine::CarrierId id);
  void turn();
  void event(engine::GatewayEvent& event);
  void dial(engine::GatewayEvent& event);
  void relay_turn(engine::RelayId id, Relay& relay);
  std::vector<std::uint8_t> answer(Bytes question) const;
  void close(engine::CarrierId id);

  Loop& loop_;
  BufferPool pool_;
  noise::SodiumRandom random_;
  noise::KeyPair keys_;
  std::unique_ptr<engine::Gateway> gateway_;
  std::vector<engine::AuthorisedClient> clients_;
  Descriptor listener_;
  std::uint16_t port_ = 0;
  std::unique_ptr<Poll> listen_;
  std::map<engine::CarrierId, Carrier> carriers_;
  std::map<engine::RelayId, Relay> relays_;
  TurnEnd turn_;
  Timer timer_;
};

}  // namespace causeway::platform
