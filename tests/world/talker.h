// One end of a simulated conversation: sends and reads by a script, and holds what it reads against what must come.
//
// An app on the laptop and a service in the cluster are the same thing here; only the socket below differs.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/base/bytes.h"
#include "core/base/time.h"
#include "tests/world/timeline.h"

namespace causeway::world {

// A connected socket as a program has it: calls do what they can and never wait.
class StreamSocket {
 public:
  virtual ~StreamSocket() = default;
  virtual std::size_t write(Bytes bytes) = 0;
  virtual std::size_t read(MutableBytes out) = 0;
  virtual bool at_end() const = 0;  // the peer's FIN came and everything was read
  virtual void finish() = 0;        // FIN behind what was written
  virtual void reset() = 0;         // RST, at once
  virtual void flush() = 0;         // ends a batch of calls: the socket sends what may be sent
};

// What stands behind a connection.
class Program {
 public:
  virtual ~Program() = default;
  virtual void connected(StreamSocket& socket) = 0;
  // The socket can do more than before.
  virtual void pump() = 0;
  virtual void socket_reset() = 0;
};

// Says and reads nothing.
class Nobody final : public Program {
 public:
  void connected(StreamSocket&) override {}
  void pump() override {}
  void socket_reset() override {}
};

struct Script {
  std::uint64_t send = 0;  // bytes; an echo sends what it reads instead
  bool echo = false;
  std::size_t write_size = 32 * 1024;
  Duration write_pause{};  // behind each write: a slow writer
  std::size_t read_size = 64 * 1024;
  Duration read_pause{};                     // behind each read: a slow reader
  Duration read_after{};                     // a reader that stalls first
  bool finish_last = false;                  // half-closes only once the peer has
  std::optional<std::uint64_t> reset_after;  // bytes sent and read together, then RST
  std::optional<std::uint64_t> skip;         // leaves out the byte at this offset: a fault that must be found
};

class Talker final : public Program {
 public:
  enum class End : std::uint8_t {
    kNone,
    kComplete,  // both directions ended in order
    kReset,     // by the peer, or by what lies between
    kOwnReset,  // by script
    kFailed,    // never connected
  };

  // `sends` and `expects` name the contents of the two directions.
  Talker(Timeline& time, const Script& script, std::uint64_t sends, std::uint64_t expects);

  void connected(StreamSocket& socket) override;
  void pump() override;
  void socket_reset() override;
  void failed();

  const Script& script() const { return script_; }
  End end() const { return end_; }
  std::uint64_t sent() const { return sent_; }
  std::uint64_t received() const { return received_; }
  bool saw_end() const { return saw_end_; }
  bool finished() const { return finished_; }
  // What was wrong with what was read; empty: nothing.
  const std::string& fault() const { return fault_; }

 private:
  void read_some();
  void write_some();
  void close_if_due();
  void pump_at(Instant when);

  Timeline& time_;
  Script script_;
  std::uint64_t sends_, expects_;
  StreamSocket* socket_ = nullptr;
  End end_ = End::kNone;
  std::uint64_t sent_ = 0, received_ = 0;
  bool saw_end_ = false, finished_ = false;
  bool pumping_ = false;
  Instant read_at_{}, write_at_{};
  std::string fault_;
};

}  // namespace causeway::world
