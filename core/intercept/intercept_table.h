// Who has which part of which service: the gateway's book of intercepts.
//
// An intercept belongs to a client's key (`owner`, its name) and, while that client is connected, to one of its sessions. It is *active*
// once it was proven, its session is there, and that session's carrier answers; only then do requests go to it. When the session ends
// it stays the owner's, *away*, until the lease runs out: meanwhile requests go to the original, and nobody else gets in the way. The owner's next
// session takes it up again, with its age and its counts.
//
// Time is the caller's. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/base/time.h"
#include "core/intercept/match.h"
#include "core/intercept/router.h"

namespace causeway::intercept {

using SessionId = std::uint64_t;  // the engine's; 0 is none

struct InterceptCounters {
  std::uint64_t requests = 0;  // handed over, or connections where everything is intercepted
  std::uint64_t failures = 0;
  std::string last_error;
  Instant last_answer = kNever;  // kNever: none yet
};

struct Intercept {
  enum class State : std::uint8_t {
    kProving,  // not yet shown to work
    kActive,
    kSilent,  // the session is there, its carrier does not answer
    kAway,    // the owner is not connected; `until` is when the lease ends
  };
  InterceptId id = 0;
  std::string service;
  Match match;
  bool original_when_down = true;
  std::string owner;
  SessionId session = 0;
  bool proven = false;
  bool answering = true;
  Instant since{};
  Instant until = kNever;
  InterceptCounters counters;

  State state() const;
};

// One that is over; its id is free of meaning from now on.
struct EndedIntercept {
  InterceptId id = 0;
  std::string service, owner;
  SessionId session = 0;  // whom to tell; 0: nobody
  std::string why;        // for people
};

class InterceptTable {
 public:
  static constexpr std::size_t kMaxPerService = 4096;

  explicit InterceptTable(Duration lease) : lease_(lease) {}

  // `http`: requests can be told apart. Intercepts of services that are not named again end.
  struct Service {
    std::string name;
    bool http = false;
    bool original_when_down = true;
  };
  std::vector<EndedIntercept> set_services(std::vector<Service> services);

  struct Added {
    InterceptId id = 0;
    bool resumed = false;  // the owner's own, taken up again
    std::vector<EndedIntercept>
        ended;  // others of the same owner that gave way; or this one, for the session it was taken from
  };
  // kNotFound, kConflict (names who has it), kInvalid (headers on a service that is not HTTP) or kLimit. The same owner's equal
  // intercept is taken up, also from another session of that key, as the newest knows best; one that is away and in the way gives way.
  Result<Added> add(std::string_view service, Match match, std::string_view owner, SessionId session, Instant now);
  // The gateway's own probe came through.
  void proven(InterceptId id);
  // By its owner.
  void remove(InterceptId id);
  // By the administrator; an empty owner is any.
  std::vector<EndedIntercept> free(std::string_view service, std::string_view owner);

  void session_answers(SessionId session, bool answers);
  void session_ended(SessionId session, Instant now);

  // Leases that ran out by `now`, and when the next does.
  std::vector<EndedIntercept> expire(Instant now);
  Instant deadline() const;

  // The active intercept that takes this request: more conditions win, then the older.
  Route route(std::string_view service, const http::Head& request) const;
  // The active intercept that takes every connection of the service, if there is one.
  std::optional<Route> route_all(std::string_view service) const;
  // There are intercepts of the service, in whatever state, that take only some requests.
  bool filtered(std::string_view service) const;

  void count_request(InterceptId id);
  void count_answer(InterceptId id, Instant now);
  void count_failure(InterceptId id, std::string_view error);

  const Intercept* find(InterceptId id) const;
  // In the order in which they are asked. Good until the next change.
  std::vector<const Intercept*> of_service(std::string_view service) const;
  std::size_t size() const { return intercepts_.size(); }

 private:
  struct Entry {
    Service service;
    std::vector<Intercept*> order;  // as they are asked
  };
  EndedIntercept end(Intercept& intercept, std::string why);
  static void place(Entry& entry, Intercept& intercept);
  const Entry* entry(std::string_view service) const;

  Duration lease_;
  std::map<std::string, Entry, std::less<>> services_;
  std::map<InterceptId, Intercept> intercepts_;
  InterceptId next_ = 1;
};

// A table's intercepts of one service, for HttpProxy.
class ServiceRouter final : public Router {
 public:
  // The table outlives it.
  ServiceRouter(const InterceptTable& table, std::string service) : table_(table), service_(std::move(service)) {}
  Route route(const http::Head& request) override { return table_.route(service_, request); }

 private:
  const InterceptTable& table_;
  std::string service_;
};

}  // namespace causeway::intercept
