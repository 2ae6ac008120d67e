// Causeway as a library: a laptop inside a cluster's network. `tund` is built on exactly this.
//
// A Runtime owns what tunnels share (event loop, TCP/IP stack, buffers, the way to change the machine); a Tunnel is one profile.
// Threads: everything is called on the thread that runs the Runtime, callbacks come on it, and only Runtime::post() and
// Runtime::stop() may be called from another. One Runtime at a time in a process. A Tunnel is destroyed before its Runtime.
//
// Errors: nothing here throws. What the machine, the gateway or the cluster refuses is a Failure with a step, a reason and an
// advice; misuse ends the process with an assertion.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace causeway {

namespace platform {
class Host;
class Loop;
}  // namespace platform

enum class FailureKind : std::uint8_t {
  kInvalid,      // a profile, key or argument is malformed
  kPermission,   // this process or user may not
  kNotFound,     // a file or name does not exist
  kUnavailable,  // not reachable, or the kernel lacks it
  kRefused,      // the gateway answered and said no
  kTimedOut,     // nobody answered in time
  kProtocol,     // the peer broke the protocol
  kConflict,     // it collides with what is there
  kLimit,        // a bound was reached
  kSystem,       // a system call failed for another reason
};

struct Failure {
  FailureKind kind = FailureKind::kSystem;
  std::string step;     // "link", as in Step::name; empty where no step was begun
  std::string message;  // one line
  std::string advice;   // what to do about it; may be empty
};

// One step of bringing a tunnel up, in order: "profile", "device", "gateway" (connect), "link" (handshake), "echo", "dns" (an
// answer of the cluster's DNS), "resolver" (the machine's questions come to us).
struct Step {
  std::string name;
  std::chrono::microseconds took{};
  std::string detail;   // "cw-demo, 2 addresses, 4 routes"
};

enum class TunnelState : std::uint8_t { kDown, kComingUp, kUp, kReconnecting, kGoingDown };

struct TunnelStatus {
  std::string profile;
  TunnelState state = TunnelState::kDown;
  std::string device;
  std::string gateway;          // "10.77.0.1:7700", the one in use or tried last
  std::string gateway_key;      // base64
  std::string own_key;          // base64, the public one
  std::string last_error;       // why the link was last down
  std::optional<std::chrono::microseconds> round_trip;
  std::chrono::seconds up_for{};
  std::string icmp;             // "available", or why not
  std::string resolver;         // how the machine's questions come to us
  std::string cipher;           // what seals the link, and whose code does: "ChaCha20-Poly1305 by libcrypto 3.0.19"
  std::vector<std::string> routes, addresses, skipped_routes;
  // Prefixes that another network of this machine has addresses of, and what became of them: "10.96.0.0/16: wg0 (WireGuard) has
  // 10.0.0.0/8: its addresses are virtual here".
  std::vector<std::string> conflicts;
  std::vector<std::string> dns_servers;  // the virtual addresses on which we answer DNS
  // Name and value of every counter, in a fixed order: "packets_in", "drop_no_route", "dns_questions", "memory_bytes"...
  std::vector<std::pair<std::string, std::uint64_t>> counters;
};

// A service of the cluster that a process of this machine is to answer.
struct InterceptSpec {
  std::string service;
  std::vector<std::pair<std::string, std::string>> headers;  // all must hold; only requests of HTTP services have any
  std::string path_prefix;                                   // "/api"
  std::string local_address = "127.0.0.1";
  std::uint16_t local_port = 0;
  bool shortcut = true;  // connections of this machine to the service go to the process as well, without the way through the cluster
};

// kAsking: the gateway has not answered yet. kWaiting: the link is down, or the gateway cannot now; it is asked again by itself.
enum class InterceptState : std::uint8_t { kAsking, kReady, kWaiting };

struct InterceptStatus {
  std::uint64_t id = 0;
  InterceptSpec spec;
  InterceptState state = InterceptState::kAsking;
  std::string protocol;                                  // "tcp" or "http"; empty until it was ready once
  std::vector<std::string> endpoints;                    // where the cluster reaches the service
  std::optional<std::chrono::microseconds> round_trip;   // of the gateway's proof, through its own listener to here
  std::uint64_t connections = 0, failures = 0;           // to the process, and how many of them it did not take
  std::string last_error;
  std::optional<std::chrono::seconds> last_answer;       // how long ago the process last sent something
};

class Runtime {
 public:
  struct Options {
    platform::Host* host = nullptr;    // who changes the machine; null: this process does it itself (needs CAP_NET_ADMIN)
    std::string state_directory;       // for the journal (where host is null) and the last hello numbers
    std::string profiles_directory = "/etc/causeway";
  };
  static std::unique_ptr<Runtime> create(const Options& options, Failure& failure);  // null: see `failure`
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  void run();                                  // until stop()
  void stop();                                 // any thread; tunnels are left as they are
  void post(std::function<void()> work);       // any thread
  platform::Loop& loop();                      // for programs inside the tree

 private:
  friend class Tunnel;
  struct Inside;
  explicit Runtime(std::unique_ptr<Inside> inside);
  std::unique_ptr<Inside> inside_;
};

class Tunnel {
 public:
  // A profile in TOML. `key` and `psk` are the contents of the key files where the caller has read them itself; otherwise the files
  // that the profile names are read (beneath the profiles directory only).
  struct Profile {
    std::string name;      // becomes part of the device's name
    std::string toml;
    std::string source;    // how errors call it: "/etc/causeway/demo.toml"
    std::optional<std::string> key, psk;
  };

  // Reads and checks the profile; changes nothing yet. Null: see `failure`.
  static std::unique_ptr<Tunnel> create(Runtime& runtime, const Profile& profile, Failure& failure);
  // Takes the tunnel down at once, without waiting for the gateway to hear of it, if it is up.
  ~Tunnel();
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;

  // Brings the tunnel up and proves the path. `step` is called as each step ends; `done` once: with no value when all is proven,
  // or with the failure, everything undone. While it is up already `done` comes at once with no steps.
  void up(std::function<void(const Step&)> step, std::function<void(const std::optional<Failure>&)> done);
  // Ends flows with RST, tells the gateway, undoes every change. `done` gets a line for each thing undone or left.
  void down(std::function<void(const std::vector<std::string>& lines)> done);

  // Intercepts, which need a tunnel that is up. `changed` is called when it is ready, waits, and is ready again; `ended` once, with why
  // it was refused or is over, and not after leave(). 0: see `failure`.
  struct InterceptTold {
    std::function<void(const InterceptStatus&)> changed;
    std::function<void(const Failure&)> ended;
  };
  std::uint64_t intercept(const InterceptSpec& spec, InterceptTold told, Failure& failure);
  void leave(std::uint64_t intercept);
  std::vector<InterceptStatus> intercepts() const;
  // The gateway's document about its services: all of them, or one with its environment. See core/control/catalogue.h.
  using CatalogueTold = std::function<void(const std::string& document, const std::optional<Failure>&)>;
  void ask_catalogue(const std::string& service, CatalogueTold done);

  TunnelStatus status() const;
  // Called when the link came up again or went down, with TunnelStatus::last_error then.
  void on_change(std::function<void(const TunnelStatus&)> changed);

 private:
  struct Inside;
  explicit Tunnel(std::unique_ptr<Inside> inside);
  std::unique_ptr<Inside> inside_;
};

// "0.1.0"
const char* version();

}  // namespace causeway
