// Handshake messages from somebody who has no key: nothing but the true message opens.
#include "core/noise/handshake.h"
#include "tests/fuzz/target.h"

namespace causeway::fuzz {
namespace {

using namespace noise;

constexpr std::string_view kPrologue = "prologue";

struct Keys {
  SeededRandom random{5};
  KeyPair client = generate(random), gateway = generate(random), one = generate(random), two = generate(random);
};

// Both messages of an honest handshake.
struct Honest {
  explicit Honest(Handshake::Pattern pattern)
      : initiator(Handshake::initiator(pattern, as_bytes(kPrologue), keys().client, keys().gateway.public_key)),
        responder(Handshake::responder(pattern, as_bytes(kPrologue), keys().gateway)) {
    CAUSEWAY_ASSERT(initiator.write_one(keys().one, as_bytes("hello"), first));
    Handshake answering = responder;
    Blob payload;
    Psk psk;
    CAUSEWAY_ASSERT(answering.read_one(first, payload));
    if (pattern == Handshake::Pattern::kIkPsk2) {
      answering.set_psk(psk);
      initiator.set_psk(psk);
    }
    CAUSEWAY_ASSERT(answering.write_two(keys().two, as_bytes("welcome"), second));
  }

  static const Keys& keys() {
    static const Keys all;
    return all;
  }

  Handshake initiator, responder;  // before they have read anything
  Blob first, second;
};

const Honest& honest(bool psk) {
  static const Honest plain(Handshake::Pattern::kIk), with_psk(Handshake::Pattern::kIkPsk2);
  return psk ? with_psk : plain;
}

// Bit 0 of the first byte: with a pre-shared key. Bit 1: message two.
bool run(Bytes input) {
  if (input.empty()) return false;
  const Honest& parties = honest(input[0] & 1);
  Bytes message = input.subspan(1);
  bool second = input[0] & 2;
  Handshake reader = second ? parties.initiator : parties.responder;
  Blob payload;
  bool opened = second ? reader.read_two(message, payload) : reader.read_one(message, payload);
  CAUSEWAY_ASSERT(opened == (blob(message) == (second ? parties.second : parties.first)));
  return opened;
}

std::vector<Seed> seeds() {
  std::vector<Seed> out;
  for (int psk : {0, 1}) {
    out.push_back({blob({psk}) + honest(psk).first});
    out.push_back({blob({psk | 2}) + honest(psk).second});
    out.push_back({blob({psk}) + Blob(96, 0), false});
    out.push_back({blob({psk | 2}) + Blob(48, 0), false});
  }
  return out;
}

const Registration kRegistration({"noise", run, seeds, 5000});

}  // namespace
}  // namespace causeway::fuzz
