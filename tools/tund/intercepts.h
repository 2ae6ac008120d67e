// What is intercepted through one tunnel, and those who asked for it.
//
//   asked --the gateway knows the service--> asking --proven--> ready <--link lost, found again--> waiting
//     |                                        |                  |                                  |
//     +------------- refused, or its caller went away ------------+--- leave(), or over at the gateway
//
// A tied intercept keeps its caller: it hears of each change, and ends it by going away. One that is not stays until it is left.
#pragma once

#include <causeway/tunnel.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/control/catalogue.h"
#include "core/control/rights.h"
#include "core/intercept/match.h"
#include "platform/control/server.h"
#include "platform/loop/loop.h"

namespace causeway::tund {

class Intercepts {
 public:
  using Send = std::function<void(platform::CallerId, const control::Answer&)>;
  // Both outlive this.
  Intercepts(Runtime& runtime, Tunnel& tunnel, std::string profile, Send send);
  ~Intercepts();
  Intercepts(const Intercepts&) = delete;
  Intercepts& operator=(const Intercepts&) = delete;

  // Answered now or later.
  void intercept(platform::CallerId caller, const control::Asker& asker, const control::InterceptRequest& request);
  // Of what is meant, all that the asker may end; refused where that is nothing.
  void leave(platform::CallerId caller, const control::Asker& asker, const control::LeaveRequest& request);
  void environment(platform::CallerId caller, const control::EnvironmentRequest& request);
  // Services and intercepts are sent to the caller; then comes `done` with what is missing of them, or nothing.
  void list(platform::CallerId caller, const control::Asker& asker, std::function<void(const std::string& note)> done);
  // The caller waits no more: what it asked for is given up.
  void forget(platform::CallerId caller);
  // The tunnel has gone down: whoever waits is told.
  void end(const std::string& last_error);

  // "orders > 127.0.0.1:8080, ready", a line each; of somebody else's: "orders, by anna, ready".
  std::vector<std::string> lines(const control::Asker& asker) const;

 private:
  struct Asked {
    control::InterceptRequest request;
    control::Asker asker;
    intercept::Match match;
    Instant began{};
  };
  struct Own {
    Own(platform::Loop& loop, std::function<void()> give_up) : patience(loop, std::move(give_up)) {}

    std::uint64_t id = 0;
    std::string service;
    intercept::Match match;
    std::string local;
    std::uint32_t owner = 0;
    bool tied = false;
    bool proven = false;            // once at least
    platform::CallerId caller = 0;  // who waits for it, or to whom it is tied; 0: nobody
    Instant asked{}, began{};       // of all, and of the step that is under way
    platform::Timer patience;       // until it is proven
  };

  // intercepts.cpp
  void known(platform::CallerId caller, const Asked& asked, const control::CatalogueService& service);
  void begin(platform::CallerId caller, const Asked& asked, const InterceptSpec& spec, intercept::Match match);
  void changed(std::uint64_t id, const InterceptStatus& status);
  void ready(Own& own, const InterceptStatus& status);
  void ended(std::uint64_t id, const Failure& failure);
  void give_up(std::uint64_t id);
  Own* equal(const std::string& service, const intercept::Match& match);
  void refuse(platform::CallerId caller, Error error, const char* step);
  std::optional<InterceptStatus> status_of(std::uint64_t id) const;

  // intercept_list.cpp
  using Known = std::function<void(const control::Catalogue*, const Error&)>;
  void ask(const std::string& service, Known done);
  void ask_service(const std::string& name, std::function<void(const control::CatalogueService*, const Error&)> done);
  void send_service(platform::CallerId caller, const control::CatalogueService& service);
  control::InterceptedAnswer answer_of(const InterceptStatus& status) const;
  // Nobody where it is not from here.
  control::Owner owner_of(const control::InterceptedAnswer& intercept) const;
  void send_all(platform::CallerId caller, const control::Asker& asker, const control::Catalogue& catalogue);
  std::string what_ended() const;

  Runtime& runtime_;
  Tunnel& tunnel_;
  std::string profile_;
  Send send_;
  std::map<platform::CallerId, Asked> asked_;          // the gateway is asked whether it has the service
  std::map<std::uint64_t, std::unique_ptr<Own>> own_;  // by the tunnel's id
  std::map<std::string, std::string> over_;            // services that the gateway took from us, and why
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace causeway::tund
