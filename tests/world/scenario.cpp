#include "tests/world/scenario.h"

#include <algorithm>

namespace causeway::world {
namespace {

using namespace std::chrono_literals;
using link::Reason;

// When programs start, and mishaps happen.
constexpr Duration kBusyTime = 3s;
// No program has a reason to be still there after that: the longest are SYNs that nobody answers.
constexpr Duration kLongest = 200s;
// Datagram flows have expired by then, and SYNs that nobody answers are forgotten.
constexpr Duration kQuiet = 135s;

template <class T, std::size_t N>
T pick(SeededRandom& random, const T (&of)[N]) {
  return of[random.below(N)];
}

}  // namespace

const char* mishap_name(Scenario::Mishap mishap) {
  using Mishap = Scenario::Mishap;
  switch (mishap) {
    case Mishap::kNone: return "none";
    case Mishap::kShortStall: return "short stall";
    case Mishap::kLongStall: return "long stall";
    case Mishap::kBreak: return "break";
    case Mishap::kLoseUp: return "everything upwards lost";
    case Mishap::kLoseDown: return "everything downwards lost";
    case Mishap::kLoseBoth: return "everything lost";
    case Mishap::kDamageUp: return "a bit flipped upwards";
    case Mishap::kDamageDown: return "a bit flipped downwards";
    case Mishap::kGatewayDies: return "the gateway dies and comes back";
    case Mishap::kKeyRemoved: return "the key is removed and comes back";
    case Mishap::kCount: break;
  }
  return "?";
}

WorldOptions Scenario::world_options(SeededRandom& random, std::uint64_t seed, bool chart) {
  WorldOptions options;
  options.seed = seed;
  options.chart = chart;
  options.tap = seed % 8 == 0;
  options.laptop.offload = random.below(2) == 0;
  options.wire.delay = pick(random, {Duration(100us), Duration(2ms), Duration(20ms), Duration(80ms)});
  if (random.below(2) == 0) options.wire.jitter = options.wire.delay;
  options.wire.bytes_per_second = pick<std::uint64_t>(random, {0, 0, 2'000'000, 20'000'000});
  options.wire.buffer = pick<std::size_t>(random, {16 * 1024, 128 * 1024, 1024 * 1024});
  options.reports_progress = random.below(2) == 0;
  options.stack.receive_window = pick<std::uint32_t>(random, {64 * 1024, 256 * 1024, 2 * 1024 * 1024});
  options.stack.send_buffer = pick<std::uint32_t>(random, {64 * 1024, 256 * 1024, 2 * 1024 * 1024});
  if (random.below(8) == 0) {
    Secret<32> psk;
    random.fill(psk.bytes());
    options.client_psk = options.gateway_psk = psk;
  }
  return options;
}

Scenario::Scenario(std::uint64_t seed, bool chart) : random_(seed * 1'000'003) {
  world_ = std::make_unique<World>(world_options(random_, seed, chart));
  zone_.add("orders.shop.svc.cluster.local", packet::Address::v4(10, 96, 1, 1));
  zone_.add("cache.shop.svc.cluster.local", packet::Address::v4(10, 96, 1, 2));
  world_->cluster.set_dns([this](Bytes question) { return zone_.answer(question); });
  world_->set_machine_dns([](Bytes question) { return Zone().answer(question); });
}

Script Scenario::script(std::uint64_t most) {
  Script script;
  script.send = random_.below(4) == 0 ? random_.below(most) : random_.below(std::min<std::uint64_t>(most, 3000));
  if (one_in(8)) script.send = 0;
  script.write_size = pick<std::size_t>(random_, {1000, 16 * 1024, 64 * 1024});
  script.finish_last = one_in(3);
  switch (random_.below(8)) {
    case 0:  // a slow writer, a few bytes at a time
      script.send = std::min<std::uint64_t>(script.send, 400);
      script.write_size = 1 + random_.below(20);
      script.write_pause = 5ms + up_to(20ms);
      break;
    case 1:  // a slow reader
      script.read_size = 2000 + random_.below(8000);
      script.read_pause = 2ms + up_to(20ms);
      break;
    case 2:  // one that stalls first
      script.read_after = up_to(2s);
      break;
    default: break;
  }
  return script;
}

Conversation::Plan Scenario::plan(unsigned number) {
  Conversation::Plan plan;
  plan.flow = number;
  plan.to = service_at(number, std::uint16_t(80 + random_.below(1000)), one_in(4));
  std::uint64_t most = one_in(6) ? 600'000 : 60'000;
  plan.app = script(most);
  plan.service = script(most);
  // Somebody has to begin with the end.
  if (plan.app.finish_last && plan.service.finish_last) plan.app.finish_last = false;
  switch (random_.below(10)) {
    case 0:
    case 1:
      plan.service.echo = true;
      plan.app.finish_last = false;
      break;
    case 2:
      plan.app.echo = true;
      plan.service.finish_last = false;
      break;
    case 3: plan.app.reset_after = random_.below(plan.app.send + plan.service.send + 1); break;
    case 4: plan.service.reset_after = random_.below(plan.app.send + plan.service.send + 1); break;
    case 5:
      plan.refuses = pick(random_, {Reason::kConnectionRefused, Reason::kHostUnreachable, Reason::kNetworkUnreachable,
                                    Reason::kTimedOut, Reason::kForbidden});
      break;
    case 6:
      if (one_in(4)) plan.silent = true;
      break;
    default: break;
  }
  // An echo is as slow as who sends it back.
  if (plan.service.echo && plan.service.write_pause > 0s) plan.app.send = std::min<std::uint64_t>(plan.app.send, 400);
  if (plan.app.echo && plan.app.write_pause > 0s) plan.service.send = std::min<std::uint64_t>(plan.service.send, 400);
  plan.answers_after = one_in(4) ? up_to(1500ms) : up_to(3ms);
  plan.tcp.mss = pick<std::uint16_t>(random_, {536, 1440, 8900});
  plan.tcp.window_scale = pick(random_, {-1, 0, 2, 7, 7, 10});
  plan.tcp.receive_buffer = pick<std::size_t>(random_, {8 * 1024, 64 * 1024, 256 * 1024});
  plan.tcp.send_buffer = pick<std::size_t>(random_, {4 * 1024, 64 * 1024, 256 * 1024});
  plan.tcp.largest_payload = pick<std::size_t>(random_, {plan.tcp.mss, 10'000, 65'000});
  plan.tcp.first_sequence = std::uint32_t(random_.next());
  plan.tcp.ack_delay = one_in(3) ? Duration(40ms) : Duration();
  plan.tcp.syn_retries = 3;
  return plan;
}

void Scenario::add_conversations() {
  std::size_t count = 2 + random_.below(8);
  tracks_.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    Conversation::Plan p = plan(unsigned(i + 1));
    if (spoiled_ && i == 0) {
      p.service = p.app = Script();
      p.service.send = 5000;
      p.service.skip = 3000;
      p.refuses.reset();
      p.silent = false;
    }
    tracks_[i].talk = std::make_unique<Conversation>(*world_, p);
    world_->time.after(up_to(kBusyTime), [this, i] {
      tracks_[i].losses_before = losses();
      tracks_[i].talk->start();
    });
  }
}

void Scenario::add_askers() {
  for (std::size_t i = random_.below(3); i-- > 0;) {
    packet::Endpoint to = service_at(unsigned(500 + i), 7, one_in(4));
    world_->cluster.add_udp(to).answers_after = up_to(50ms);
    datagrams_.push_back(std::make_unique<DatagramAsker>(*world_, 1000 + i, to));
    Duration at = up_to(kBusyTime);
    for (std::size_t n = 1 + random_.below(5); n-- > 0; at += 20ms + up_to(200ms)) {
      std::size_t size = 8 + random_.below(one_in(4) ? 9000 : 1300);
      if (one_in(20)) size = 65507;
      world_->time.after(at, [asker = datagrams_.back().get(), size] { asker->send(size); });
    }
  }
  for (std::size_t i = random_.below(3); i-- > 0;) {
    std::string name =
        pick<const char*>(random_, {"orders.shop", "cache", "nothing.shop", "orders.shop.svc.cluster.local"});
    names_.push_back(std::make_unique<NameAsker>(*world_, name, std::uint16_t(random_.next())));
    world_->time.after(up_to(kBusyTime), [asker = names_.back().get()] { asker->ask(); });
  }
}

void Scenario::add_mishaps() {
  if (one_in(2)) return;
  mishap_ = Mishap(1 + random_.below(std::uint64_t(Mishap::kCount) - 1));
  bool once = mishap_ == Mishap::kShortStall;
  mishaps_left_ = once ? 1 : 1 + random_.below(3);
  for (std::size_t i = 0; i < mishaps_left_; ++i) {
    world_->time.after(up_to(kBusyTime), [this] {
      --mishaps_left_;
      mishap();
    });
  }
}

void Scenario::mishap() {
  World& w = *world_;
  bool both = one_in(2), up = one_in(2);
  switch (mishap_) {
    case Mishap::kShortStall: w.stall(both || up, both || !up, 100ms + up_to(4s)); break;
    case Mishap::kLongStall: w.stall(both || up, both || !up, 6s + up_to(20s)); break;
    case Mishap::kBreak: w.break_carrier(); break;
    case Mishap::kLoseUp:
    case Mishap::kLoseDown:
    case Mishap::kLoseBoth: w.lose_everything(mishap_ != Mishap::kLoseDown, mishap_ != Mishap::kLoseUp); break;
    case Mishap::kDamageUp:
    case Mishap::kDamageDown: w.damage(mishap_ == Mishap::kDamageUp); break;
    case Mishap::kGatewayDies:
      if (!w.gateway()) break;
      w.kill_gateway();
      w.time.after(200ms + up_to(5s), [&w] {
        if (!w.gateway()) w.start_gateway();
      });
      break;
    case Mishap::kKeyRemoved:
      if (!w.gateway()) break;
      w.set_clients(false);
      w.time.after(200ms + up_to(5s), [&w] { w.set_clients(true); });
      break;
    default: break;
  }
}

// How often a link ended, as far as either end has noticed.
std::size_t Scenario::losses() const {
  auto down = std::count_if(world_->client_events.begin(), world_->client_events.end(),
                            [](const auto& e) { return e.kind == engine::ClientEvent::Kind::kLinkDown; });
  auto went = std::count_if(world_->gateway_events.begin(), world_->gateway_events.end(),
                            [](const auto& e) { return e.kind == engine::GatewayEvent::Kind::kWent; });
  return std::size_t(down + went) + world_->gateway_deaths();
}

bool Scenario::all_ended() {
  bool all = mishaps_left_ == 0;
  for (Track& track : tracks_) {
    Conversation& talk = *track.talk;
    if (track.ended) continue;
    track.ended = talk.ended() && talk.services_ended();
    all &= track.ended;
    track.disturbed = talk.started() && losses() > track.losses_before;
    if (talk.started() && !world_->link_is_up()) track.disturbed = true;
  }
  for (const auto& name : names_) all &= name->ended();
  return all;
}

std::string Scenario::run() {
  if (!world_->come_up()) return "the link did not come up: " + world_->fault();
  add_conversations();
  add_askers();
  add_mishaps();
  world_->run_for(kBusyTime + 3s);  // the last datagrams and their answers too
  world_->run_until([this] { return all_ended(); }, kLongest);
  std::string fault = faults();
  if (!fault.empty()) return fault;
  if (!world_->run_until([this] { return world_->link_is_up(); }, 60s))
    return "the link did not come up again " + world_->fault();
  world_->run_for(kQuiet);
  // An echo of the link itself may be half way in.
  world_->run_until([this] { return world_->client_memory() == 0 && world_->gateway_memory() <= BufferPool::kPacket; },
                    10s);
  return leftovers();
}

std::string Scenario::faults() {
  if (!world_->fault().empty()) return world_->fault();
  for (Track& track : tracks_) {
    // A loss that happened while it ran counts also where it was noticed later.
    bool disturbed = track.disturbed;
    std::string fault = track.talk->fault(disturbed);
    if (fault.empty() && !disturbed) fault = fault_of_refusal(*track.talk);
    if (!fault.empty()) return fault;
  }
  bool quiet = mishap_ == Mishap::kNone;
  for (const auto& asker : datagrams_) {
    if (!asker->fault().empty()) return asker->fault();
    if (quiet && asker->answered() != asker->sent()) {
      return std::to_string(asker->sent() - asker->answered()) + " datagrams were not answered";
    }
  }
  for (const auto& asker : names_) {
    if (!asker->answer()) return "a name was not answered";
    if (quiet && asker->answer()->rcode == dns::Rcode::kServFail) return "SERVFAIL though nothing failed";
  }
  if ((quiet || mishap_ == Mishap::kShortStall) && losses() > 0) return "the link was lost for no reason";
  return {};
}

std::string Scenario::fault_of_refusal(Conversation& talk) const {
  const auto& why = talk.plan().refuses;
  if (!why && !talk.plan().silent) return {};
  bool v6 = talk.plan().to.address.is_v6();
  AppTcp& tcp = talk.tcp();
  auto icmp = [&](std::uint8_t code4, std::uint8_t code6) {
    return tcp.end() == AppTcp::End::kUnreachable && tcp.icmp_type() == (v6 ? 1 : 3) &&
           tcp.icmp_code() == (v6 ? code6 : code4);
  };
  bool right = false;
  switch (why.value_or(Reason::kTimedOut)) {
    case Reason::kConnectionRefused: right = tcp.end() == AppTcp::End::kRefused; break;
    case Reason::kNetworkUnreachable: right = icmp(0, 0); break;
    case Reason::kForbidden: right = icmp(13, 1); break;
    case Reason::kTimedOut: right = tcp.end() == AppTcp::End::kTimedOut; break;
    default: right = icmp(1, 3); break;
  }
  return right ? "" : "flow " + std::to_string(talk.plan().flow) + ": the refusal came out as something else";
}

// Everything is over: nothing may be left of it.
std::string Scenario::leftovers() {
  if (!world_->fault().empty()) return world_->fault();
  engine::ClientStatus client = world_->client().status();
  engine::GatewayStatus gateway = world_->gateway()->status();
  auto say = [](const char* what, std::size_t n) { return std::to_string(n) + " " + what + " left behind"; };
  if (client.tcp_flows != 0) return say("TCP flows", client.tcp_flows);
  if (client.half_open != 0) return say("half-open flows", client.half_open);
  if (client.datagram_flows != 0) return say("datagram flows", client.datagram_flows);
  if (gateway.relays != 0) return say("relays", gateway.relays);
  if (gateway.sessions != 1) return say("sessions", gateway.sessions);
  if (world_->cluster.sockets() != 0) return say("sockets", world_->cluster.sockets());
  if (world_->client_memory() != 0) return say("bytes of the client", world_->client_memory());
  // The gateway keeps the block that it reads sockets into.
  if (world_->gateway_memory() > BufferPool::kPacket) return say("bytes of the gateway", world_->gateway_memory());
  return {};
}

}  // namespace causeway::world
