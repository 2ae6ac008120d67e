// The name services of the tunnels that are up, in the order in which they came up: what one of them would ask of the machine's own
// servers it asks of the next, in this process, and only the last asks the machine. So a name finds its cluster whichever tunnel's
// stub the machine asks, one that several clusters have is the first one's, and no question comes round: each goes further down.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "core/engine/name_service.h"
#include "dns/rules.h"

namespace causeway::platform {

// One thread. It outlives its places.
class NameChain {
 public:
  using Number = engine::DnsRequestId;

  // What a tunnel has of the chain. It asks also before it has joined, and is asked only while it has.
  class Place {
   public:
    // None may call its own place, but each of them that of another tunnel.
    struct Callbacks {
      std::function<void(Number question, Bytes message)> asked;    // by an earlier place; answer() follows
      std::function<void(Number request, Bytes message)> answered;  // to ask(), unless it was forgotten
      std::function<void(Number request)> failed;                   // the same, when end() is called
      std::function<void(Number request, Bytes message)>
          ask_machine;  // nobody comes after us: it is ours to ask the machine
      std::function<void(const std::vector<dns::OtherProfile>& others)>
          others;  // who else has joined, when that changes
    };
    // `own`: the names that are this one's whoever comes first.
    Place(NameChain& chain, dns::OtherProfile own, Callbacks callbacks)
        : chain_(chain), own_(std::move(own)), callbacks_(std::move(callbacks)) {}
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    // At the end of the chain. Fine where it has joined before.
    void join();
    // What it was asked and has not answered goes to those behind it.
    void leave();
    bool joined() const;
    // Leaves, and fails what it has asked and not heard of.
    void end();

    // Numbers of requests are not used again.
    void ask(Number request, Bytes message);
    void forget(Number request);
    // Nothing happens where nobody waits for it any more.
    void answer(Number question, Bytes message);

   private:
    friend class NameChain;
    NameChain& chain_;
    dns::OtherProfile own_;
    Callbacks callbacks_;
    std::map<Number, Number> requests_;  // with the number of their question
  };

  // Questions that are under way between places.
  std::size_t under_way() const { return questions_.size(); }

 private:
  struct Question {
    Place* asker;
    Place* asked;
    Number request;  // the asker's
    std::vector<std::uint8_t> message;
  };
  Place* after(const Place& place) const;
  void tell_of_others() const;

  std::vector<Place*> places_;
  std::map<Number, Question> questions_;  // in the order in which they came
  Number last_ = 0;
};

}  // namespace causeway::platform
