// The inside of Tunnel, in the order of its files: tunnel.cpp (made, taken down, told), tunnel_up.cpp (the steps of coming up, and
// coming back), tunnel_intercept.cpp, tunnel_status.cpp.
//
//   kDown --up()--> kComingUp --all proven--> kUp <--link up-- kReconnecting
//     ^                 | a step failed        |  --link lost-->    |
//     |<-- undo --------+                      +----- down() -------+--> kGoingDown --> kDown
#pragma once

#include <map>

#include "platform/client/gateway_dialler.h"
#include "platform/client/hello_store.h"
#include "platform/client/route_policy.h"
#include "platform/client/runtime_inside.h"
#include "platform/client/tunnel_driver.h"
#include "platform/net/route_watch.h"

#include "core/config/profile.h"
#include "dns/probe.h"

namespace causeway {

struct Tunnel::Inside {
  struct Keys {
    link::StreamCarrier::Keys own;
    std::optional<Secret<32>> psk;
  };
  static Result<Keys> read_keys(Runtime::Inside& runtime, const config::Profile& profile, const Profile& given);
  Inside(Runtime::Inside& runtime, config::Profile profile, Keys keys, dns::Rules rules, Step made);
  ~Inside();

  using StepTold = std::function<void(const Step&)>;
  using UpDone = std::function<void(const std::optional<Failure>&)>;
  using DownDone = std::function<void(const std::vector<std::string>&)>;

  // tunnel.cpp
  void down(DownDone done);
  std::vector<std::string> detach();
  void gone_down();
  void device_gone(const Error& error);
  // Callbacks of the program come in a turn of their own, so that they may do what they like, and never after our end.
  void tell(std::function<void()> call);
  void tell_changed();

  // tunnel_up.cpp
  void up(StepTold step, UpDone done);
  void begin();
  void attach();
  Result<platform::AttachedNetwork> attach_somewhere(platform::NetworkRequest& request,
                                                     const std::vector<platform::RouteConflict>& conflicts, bool v4,
                                                     bool v6);
  void start_driver(std::unique_ptr<tun::Device> device);
  engine::ClientConfig client_config();
  dns::StubConfig names_config();
  void engine_event(const engine::ClientEvent& event);
  void dial();
  void link_up();
  void link_lost(const Error& error);
  void ask_cluster();
  void cluster_answered(const engine::ClientEvent& event);
  void take_over_resolver();
  void patience_over();
  void report(std::string name, std::string detail);
  void fail(const Error& error);
  void undo();
  platform::MachineResolver look_at_machine();

  // tunnel_routes.cpp
  Result<std::vector<platform::RouteConflict>> find_conflicts() const;
  void decide(const std::vector<platform::RouteConflict>& conflicts);
  std::vector<packet::Cidr> wanted_routes() const;
  void list_routes(const std::vector<packet::Cidr>& left_out);
  void watch_network();
  void network_changed();
  void change_routes();

  // tunnel_intercept.cpp
  std::uint64_t intercept(const InterceptSpec& spec, InterceptTold told, Failure& failure);
  void leave(std::uint64_t intercept);
  std::vector<InterceptStatus> intercepts() const;
  void ask_catalogue(const std::string& service, CatalogueTold done);
  void intercept_event(const engine::ClientEvent& event);
  void end_intercepts();

  // tunnel_status.cpp
  TunnelStatus status() const;

  Runtime::Inside& runtime_;
  const config::Profile profile_;
  const Keys keys_;
  const dns::Rules rules_;
  const Step made_;
  platform::HelloStore hello_;
  std::function<void(const TunnelStatus&)> changed_;

  TunnelState state_ = TunnelState::kDown;
  std::string last_error_;

  // Coming up.
  struct Waiter {
    StepTold step;
    UpDone done;
  };
  std::vector<Waiter> up_waiters_;
  std::vector<DownDone> down_waiters_;
  std::vector<Step> steps_;
  const char* step_ = "";
  Instant step_began_{};
  Duration resolving_{};
  std::optional<Failure> failure_;
  std::optional<dns::ProofQuestion> proof_;
  unsigned asked_ = 0;  // times that the cluster's DNS was asked

  // While attached.
  bool attached_ = false;
  bool dialled_ = false;  // once: the gateways' addresses may have changed since
  unsigned slot_ = 0;
  platform::VirtualAddresses addresses_;
  std::string device_, resolver_;
  std::vector<std::string> routes_, skipped_;
  std::vector<packet::Cidr> left_out_;  // IPv6 is off
  engine::AddressMap map_;              // lent to the driver
  platform::RouteDecision decision_;
  bool ranges_routed_ = false;
  std::vector<Instant> repairs_;
  Instant up_since_{};
  platform::GatewayDialler dialler_;
  std::unique_ptr<platform::TunnelDriver> driver_;
  std::unique_ptr<platform::RouteWatch> watch_;

  std::map<engine::InterceptId, InterceptTold> intercepts_;
  std::map<std::uint64_t, CatalogueTold> catalogues_;  // by token
  std::uint64_t next_catalogue_ = 1;

  platform::TurnEnd undo_;
  platform::Timer limit_;     // of all of coming up
  platform::Timer patience_;  // of the present step
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace causeway
