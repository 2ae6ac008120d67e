// One end of a stream carrier against bytes of a stranger, and against records of a peer who has the keys but not the manners.
#include "tests/fuzz/carriers.h"

namespace causeway::fuzz {
namespace {

using link::StreamCarrier;
using State = StreamCarrier::State;

// Byte 0: bit 0 the client is attacked, else the gateway; bit 1 with a pre-shared key; bits 2 and 3 what the input is.
enum Attack : std::uint8_t { kFromTheStart = 0, kCiphertext = 1, kRecords = 2, kRecordsToo = 3 };

class Session {
 public:
  Session(bool psk, std::size_t most)
      : most_(most),
        client_(pool_, random_, FixedKeys::of(keys_.client), keys_.gateway.public_key,
                psk ? std::optional<Secret<32>>(keys_.psk) : std::nullopt, {}),
        gateway_(pool_, random_, FixedKeys::of(keys_.gateway), {}, now_) {
    client_.start(hello_payload(), now_);
  }

  StreamCarrier& end(bool client) { return client ? client_ : gateway_; }

  void give(StreamCarrier& to, Bytes bytes) {
    feed(
        bytes, most_, [&] { return to.receive_space(); },
        [&](std::size_t n) {
          to.received(n, now_);
          take_records(to);
        });
  }

  void take_records(StreamCarrier& from) {
    if (from.state() == State::kArrived) {
      from.admit(welcome_payload(), from.wants_psk() ? std::optional<Secret<32>>(keys_.psk) : std::nullopt, now_);
    }
    while (std::optional<Slice> record = from.next_record(now_)) {
      CAUSEWAY_ASSERT(record->size > 0 && record->size <= StreamCarrier::kMaxRecord);
      CAUSEWAY_ASSERT(record->data[0] != link::kHandshakeFrame);
      held_ = *record;
    }
  }

  bool seal(StreamCarrier& from, Bytes record) {
    MutableBytes space = from.record_space();
    if (space.empty() || record.empty()) return false;
    std::size_t n = std::min(record.size(), space.size());
    std::copy_n(record.begin(), n, space.begin());
    from.seal(n);
    return true;
  }

  void shake_hands() {
    give(gateway_, drain(client_));
    give(client_, drain(gateway_));
    seal(client_, as_bytes("\x0d\x01"));
    give(gateway_, drain(client_));
    CAUSEWAY_ASSERT(client_.state() == State::kOpen && gateway_.state() == State::kOpen);
  }

  // As long as both go on, what one says the other hears.
  void settle() {
    for (int i = 0; i < 4; ++i) {
      give(gateway_, drain(client_));
      give(client_, drain(gateway_));
    }
  }

  void pass(Duration time) {
    now_ += time;
    for (StreamCarrier* each : {&client_, &gateway_}) {
      if (each->state() != State::kFailed) each->advance(now_);
    }
  }

 private:
  const FixedKeys& keys_ = FixedKeys::get();
  BufferPool pool_;
  SeededRandom random_{3};
  Instant now_{};
  std::size_t most_;
  Slice held_;
  StreamCarrier client_, gateway_;
};

bool run(Bytes bytes) {
  Input input(bytes);
  std::uint8_t mode = input.byte();
  std::size_t most = std::size_t(input.byte()) * 16 + 1;
  bool attacks_client = mode & 1;
  auto attack = Attack(mode >> 2 & 3);
  Session session((mode & 2) != 0, most);
  StreamCarrier& victim = session.end(attacks_client);
  StreamCarrier& attacker = session.end(!attacks_client);
  if (attack == kFromTheStart) {
    if (attacks_client) drain(victim);
    session.give(victim, input.rest());
    bool silent = victim.unsent() == 0;
    CAUSEWAY_ASSERT(attacks_client || victim.state() != State::kFailed || silent || victim.records_received() == 0);
    session.pass(std::chrono::seconds(11));
    CAUSEWAY_ASSERT(victim.state() == State::kFailed || victim.state() == State::kOpen);
    return attacks_client ? victim.state() == State::kOpen : !silent;
  }
  session.shake_hands();
  std::uint64_t before = victim.records_received();
  if (attack == kCiphertext) {
    session.give(victim, input.rest());
    CAUSEWAY_ASSERT(victim.records_received() == before);
    return victim.state() == State::kOpen;
  }
  while (!input.empty()) {
    Bytes record = input.chunk();
    if (record.empty()) session.pass(std::chrono::seconds(121));
    session.seal(attacker, record);
    session.settle();
  }
  return victim.state() == State::kOpen && victim.records_received() > before;
}

Blob record(const Blob& plain) { return chunk(plain); }

std::vector<Seed> seeds() {
  std::vector<Seed> out;
  for (int psk : {0, 2}) {
    Session honest(psk, 100000);
    Blob first = drain(honest.end(true));
    out.push_back({blob({psk, 255}) + first});
    honest.give(honest.end(false), first);
    out.push_back({blob({psk | 1, 3}) + blob({0, 4}) + blob("junk") + drain(honest.end(false))});
    for (int side : {0, 1}) {
      out.push_back({blob({psk | side | kCiphertext << 2, 255}) + chunk(Blob(40, 1)), false});
      out.push_back({blob({psk | side | kRecords << 2, 255}) + record(blob({0x0d, 1})) + record(Blob(16384, 0x41))});
      out.push_back(
          {blob({psk | side | kRecords << 2, 255}) + record(blob({0x0d, 1})) + blob({0, 0}) + record(blob({0x0d, 2}))});
      out.push_back({blob({psk | side | kRecords << 2, 255}) + record(blob({0x0c, 1}) + Blob(96, 3)), false});
      out.push_back({blob({psk | side | kRecords << 2, 255}) + record(blob({0x0c, 2}) + Blob(48, 3)), false});
      out.push_back({blob({psk | side | kRecords << 2, 255}) + record(blob({0x0c, 3})), false});
    }
  }
  return out;
}

const Registration kRegistration({"carrier", run, seeds, 2000});

}  // namespace
}  // namespace causeway::fuzz
