// Reads the frames of a carrier, for charts and for rules that must hold on the wire. Nobody without the keys can; a test has
// both private keys, and the random numbers that the ephemeral ones were made of.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/random.h"
#include "core/link/frame.h"
#include "core/link/hello.h"
#include "core/link/stream_carrier.h"
#include "tests/world/chart.h"

namespace causeway::world {

// A generator that remembers what ephemeral keys could have been made of.
class RememberingRandom final : public Random {
 public:
  explicit RememberingRandom(std::uint64_t seed) : random_(seed) {}
  void fill(MutableBytes out) override;
  std::optional<noise::KeyPair> find(Bytes public_key) const;

 private:
  static constexpr std::size_t kKept = 256;
  SeededRandom random_;
  std::deque<noise::PrivateKey> keys_;
};

class Wiretap {
 public:
  struct Keys {
    noise::KeyPair client, gateway;
    std::optional<Secret<32>> psk;
  };
  Wiretap(Chart& chart, const Keys& keys, const RememberingRandom& client_random);

  // Bytes as they leave their sender.
  void towards_gateway(Bytes bytes) { passed(up_, bytes, true); }
  void towards_client(Bytes bytes) { passed(down_, bytes, false); }

  // A rule that was broken; empty: none.
  const std::string& fault() const { return fault_; }

 private:
  struct Direction {
    std::vector<std::uint8_t> waiting;
    noise::CipherState opening, next_opening;
    link::Limits limits;                            // what the other end allows this one
    std::map<link::StreamId, std::uint64_t> limit;  // raised by CREDIT
    std::map<link::StreamId, std::uint64_t> sent;
    std::uint64_t sent_in_all = 0;
    std::uint64_t records = 0;
  };

  void passed(Direction& way, Bytes bytes, bool up);
  bool first_message();
  bool answer();
  bool record(Direction& way, bool up);
  void handshake(Bytes record, bool up);
  void frame(const link::Frame& frame, Direction& way, Direction& back, bool up);
  void note_data(Direction& way, link::StreamId stream, std::uint64_t end);
  std::vector<std::uint8_t> prologue(bool rekey) const;

  Chart& chart_;
  Keys keys_;
  const RememberingRandom& client_random_;
  Direction up_, down_;
  noise::Handshake::Pattern pattern_ = noise::Handshake::Pattern::kIk;
  std::optional<noise::Handshake> handshake_;
  noise::Hash last_hash_{};
  bool open_ = false, deaf_ = false;
  std::string fault_;
};

std::string frame_text(const link::Frame& frame);

}  // namespace causeway::world
