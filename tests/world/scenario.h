// A world and what happens in it, all from one seed: programs of every kind, services of every temper, and a carrier that is
// stalled, broken, damaged or taken away. run() says which promise was not kept.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/world/askers.h"
#include "tests/world/conversation.h"

namespace causeway::world {

class Scenario {
 public:
  enum class Mishap : std::uint8_t {
    kNone,
    kShortStall,  // less than what makes a carrier dead
    kLongStall,
    kBreak,
    kLoseUp,
    kLoseDown,
    kLoseBoth,
    kDamageUp,
    kDamageDown,
    kGatewayDies,  // and comes back
    kKeyRemoved,   // and comes back
    kCount,
  };

  Scenario(std::uint64_t seed, bool chart);
  // Empty: every promise was kept.
  std::string run();
  std::string chart() const { return world_->chart.text(); }
  World& world() { return *world_; }

  // Makes the service of the first plain conversation leave out a byte, to show that it is found.
  void spoil() { spoiled_ = true; }

 private:
  struct Track {
    std::unique_ptr<Conversation> talk;
    std::size_t losses_before = 0;
    bool ended = false, disturbed = false;
  };

  Duration up_to(Duration most) { return Duration(std::int64_t(random_.below(std::uint64_t(most.count()) + 1))); }
  bool one_in(std::uint64_t n) { return random_.below(n) == 0; }
  static WorldOptions world_options(SeededRandom& random, std::uint64_t seed, bool chart);
  Script script(std::uint64_t most);
  Conversation::Plan plan(unsigned number);
  void add_conversations();
  void add_askers();
  void add_mishaps();
  void mishap();
  std::size_t losses() const;
  bool all_ended();
  std::string faults();
  std::string fault_of_refusal(Conversation& talk) const;
  std::string leftovers();

  SeededRandom random_;
  Zone zone_;
  std::unique_ptr<World> world_;
  std::vector<Track> tracks_;
  std::vector<std::unique_ptr<DatagramAsker>> datagrams_;
  std::vector<std::unique_ptr<NameAsker>> names_;
  Mishap mishap_ = Mishap::kNone;
  std::size_t mishaps_left_ = 0;  // to come
  bool spoiled_ = false;
};

const char* mishap_name(Scenario::Mishap mishap);

}  // namespace causeway::world
