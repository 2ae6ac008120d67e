#include "platform/client/tunnel_driver.h"

#include <algorithm>
#include <array>
#include <utility>

#include "platform/loop/clock.h"
#include "platform/net/interfaces.h"
#include "platform/relay/tcp_relay.h"

namespace causeway::platform {
namespace {

// Of one turn. A packet may have 64 KiB.
constexpr std::size_t kDeviceBatch = 16;
constexpr std::size_t kDevicePackets = 64;
constexpr std::size_t kDeviceBytes = 512 * 1024;
constexpr std::size_t kCarrierBytes = 256 * 1024;
// What a flush seals at the most is 128 KiB. A round that wrote this much has probably left something.
constexpr std::size_t kFullBatch = 64 * 1024;
constexpr int kRounds = 4;

constexpr Duration kLocalDial = std::chrono::seconds(10);
constexpr Duration kGoodbye = std::chrono::seconds(1);

}  // namespace

TunnelDriver::TunnelDriver(Parts parts, Callbacks callbacks)
    : loop_(parts.loop),
      device_(std::move(parts.device)),
      stack_(parts.stack.attach()),
      stub_(std::move(parts.rules), parts.dns, parts.random),
      client_(parts.client, parts.pool, parts.random, *stack_, stub_, boot_now()),
      callbacks_(std::move(callbacks)),
      batch_(kDeviceBatch),
      machine_dns_(loop_, {[this](engine::DnsRequestId request, Bytes message) {
                             client_.machine_answered(request, message, boot_now());
                             turn_end_.ask();
                           },
                           [this](engine::DnsRequestId request, engine::DnsFailure why) {
                             client_.machine_failed(request, why, boot_now());
                             turn_end_.ask();
                           }}),
      place_(parts.names, std::move(parts.own_names),
             {[this](NameChain::Number question, Bytes message) {
                client_.ask_names(question, message, boot_now());
                turn_end_.ask();
              },
              [this](NameChain::Number request, Bytes message) {
                client_.machine_answered(request, message, boot_now());
                turn_end_.ask();
              },
              [this](NameChain::Number request) {
                client_.machine_failed(request, engine::DnsFailure::kUnreachable, boot_now());
                turn_end_.ask();
              },
              [this](NameChain::Number request, Bytes message) { machine_dns_.ask(request, message); },
              [this](const std::vector<dns::OtherProfile>& others) { stub_.set_others(others); }}),
      dial_deadlines_(loop_, kLocalDial),
      tell_stopped_(loop_,
                    [this] {
                      if (auto done = std::exchange(stopped_, nullptr)) done();
                    }),
      stop_limit_(loop_, [this] { tell_stopped_.ask(); }),
      turn_end_(loop_, [this] { end_of_turn(); }),
      timer_(loop_, [this] {
        armed_ = kNever;
        end_of_turn();
      }) {
  stub_.set_own_addresses(own_addresses());
  if (device_->descriptor() < 0) return;
  device_poll_.emplace(loop_, device_->descriptor(), [this](int) { device_ready(); });
  device_poll_->watch(Poll::kReadable);
}

TunnelDriver::~TunnelDriver() = default;

void TunnelDriver::start() {
  client_.start(boot_now());
  turn_end_.ask();
}

void TunnelDriver::device_ready() {
  std::size_t packets = 0, bytes = 0;
  for (std::size_t n = kDeviceBatch; n == kDeviceBatch && packets < kDevicePackets && bytes < kDeviceBytes;) {
    Result<std::size_t> got = device_->read(batch_);
    if (!got) {
      device_poll_->watch(Poll::kNone);
      callbacks_.device_gone(got.error());
      return;
    }
    n = *got;
    std::span<packet::Incoming> came(batch_.data(), n);
    client_.device_received(came, boot_now());
    for (packet::Incoming& each : came) {
      bytes += each.packet.size();
      each = {};
    }
    packets += n;
  }
  device_poll_->watch(Poll::kReadable);  // where an error that did not last has ended it
  turn_end_.ask();
}

void TunnelDriver::carrier_ready() {
  Instant now = boot_now();
  for (std::size_t bytes = 0; bytes < kCarrierBytes;) {
    MutableBytes space = client_.receive_space();
    if (space.empty()) break;
    Result<std::size_t> n = carrier_->read(space);
    if (!n) {
      carrier_lost(n.error(), now);
      break;
    }
    if (*n == 0) break;
    client_.received(*n, now);
    bytes += *n;
    if (*n < space.size()) break;
  }
  client_.flush_device(now);
  write_packets();
  turn_end_.ask();
}

void TunnelDriver::carrier_lost(const Error& error, Instant now) {
  carrier_.reset();
  client_.carrier_closed(error, now);
  turn_end_.ask();
}

void TunnelDriver::carrier_connected(Descriptor socket) {
  CarrierSocket::Callbacks callbacks;
  callbacks.readable = [this] { carrier_ready(); };
  callbacks.writable = [this] { turn_end_.ask(); };
  callbacks.progressed = [this] {
    client_.carrier_progressed(boot_now());
    turn_end_.ask();
  };
  carrier_ = std::make_unique<CarrierSocket>(loop_, std::move(socket), std::move(callbacks));
  client_.carrier_connected(boot_now());
  handle_events();  // a hello number is kept before it is sent
  turn_end_.ask();
}

void TunnelDriver::dial_failed(const Error& error) {
  client_.dial_failed(error, boot_now());
  turn_end_.ask();
}

void TunnelDriver::echo(std::uint64_t token) {
  client_.echo(token, boot_now());
  turn_end_.ask();
}

void TunnelDriver::ask_cluster(std::uint64_t token, Bytes message) {
  client_.ask_cluster(token, message, boot_now());
  turn_end_.ask();
}

void TunnelDriver::ask_catalogue(std::uint64_t token, const std::string& service) {
  client_.ask_catalogue(token, service, boot_now());
  turn_end_.ask();
}

engine::InterceptId TunnelDriver::intercept(const engine::InterceptRequest& request) {
  turn_end_.ask();
  return client_.intercept(request, boot_now());
}

void TunnelDriver::leave(engine::InterceptId intercept) {
  client_.leave(intercept, boot_now());
  turn_end_.ask();
}

void TunnelDriver::end_hidden_flows() {
  Instant now = boot_now();
  client_.end_hidden_flows(now);
  // The second sends the resets that waited behind what the apps were still to get.
  flush(now);
  flush(now);
  turn_end_.ask();
}

void TunnelDriver::network_changed() {
  std::vector<packet::Address> own = own_addresses();
  stub_.set_own_addresses(own);
  if (!carrier_ || stopped_) return;
  std::optional<packet::Address> local = carrier_->local_address();
  if (!local || own.empty() || local->is_loopback() || std::find(own.begin(), own.end(), *local) != own.end()) return;
  carrier_lost({ErrorCode::kUnavailable, "its address " + local->text() + " has gone from this machine", {}},
               boot_now());
}

void TunnelDriver::end_of_turn() {
  Instant now = boot_now();
  if (client_.deadline() <= now) client_.advance(now);
  for (int round = 1; flush(now) >= kFullBatch; ++round) {
    if (round < kRounds) continue;
    turn_end_.ask();  // more may be there, but the other side has its turn first
    break;
  }
  handle_events();
  take_questions();
  if (client_.deadline() <= now) turn_end_.ask();
  if (stopped_ && !unsent()) tell_stopped_.ask();
  arm_timer();
}

std::size_t TunnelDriver::flush(Instant now) {
  if (carrier_) client_.set_carrier_room(carrier_->room());
  client_.flush(now);
  // What the peer waits for first: the app's acknowledgements can wait.
  std::size_t written = write_carrier(now);
  write_packets();
  write_relays();
  client_.settle();
  return written;
}

void TunnelDriver::write_packets() {
  packet::PacketBatch& packets = client_.packets();
  if (packets.empty()) return;
  device_->write(packets);
  packets.clear();
}

std::size_t TunnelDriver::write_carrier(Instant now) {
  std::size_t written = 0;
  while (carrier_ && !carrier_->blocked()) {
    std::array<Bytes, 2> pieces;
    std::size_t count = client_.transmit(pieces);
    if (count == 0) break;
    Result<std::size_t> n = carrier_->write(std::span(pieces.data(), count));
    if (!n) {
      carrier_lost(n.error(), now);
      break;
    }
    client_.transmitted(*n, now);
    written += *n;
  }
  return written;
}

void TunnelDriver::write_relays() {
  for (engine::RelayId id : client_.writable_relays()) {
    if (auto found = relays_.find(id); found != relays_.end()) found->second->writable();
  }
}

// True: it was about a socket to a local process.
bool TunnelDriver::relay_event(const engine::ClientEvent& event) {
  using Kind = engine::ClientEvent::Kind;
  auto found = relays_.find(event.relay);
  Relay* relay = found == relays_.end() ? nullptr : found->second.get();
  switch (event.kind) {
    case Kind::kDialLocal: {
      RelayHost& host = *this;
      auto& fresh = relays_[event.relay] = std::make_unique<TcpRelay>(host, event.relay, std::vector{event.local});
      fresh->start();
      return true;
    }
    case Kind::kCloseRelay:
      if (relay) relay->close(event.reset);
      relays_.erase(event.relay);
      return true;
    case Kind::kFinishRelay:
      if (relay) relay->finish();
      return true;
    case Kind::kResumeReading:
      if (relay) relay->resume_reading();
      return true;
    default: return false;
  }
}

void TunnelDriver::dial_failed(engine::RelayId relay, link::Reason why) {
  client_.dial_failed(relay, why, boot_now());
  relays_.erase(relay);
  touched();
}

void TunnelDriver::failed(engine::RelayId relay, link::Reason why) {
  client_.relay_failed(relay, why, boot_now());
  relays_.erase(relay);
  touched();
}

void TunnelDriver::handle_events() {
  client_.take_events(events_);
  for (const engine::ClientEvent& event : events_) {
    if (relay_event(event)) continue;
    if (event.kind != engine::ClientEvent::Kind::kCloseCarrier) {
      callbacks_.event(event);
    } else if (!stopped_) {
      write_carrier(boot_now());  // a last word, if there is one and the kernel takes it
      carrier_.reset();
    }
  }
  events_.clear();
}

void TunnelDriver::take_questions() {
  using Kind = engine::DnsAction::Kind;
  client_.take_machine_questions(questions_);
  for (const engine::DnsAction& action : questions_) {
    switch (action.kind) {
      case Kind::kAskMachine: place_.ask(action.request, action.message); break;
      case Kind::kAnswerAsked: place_.answer(action.request, action.message); break;
      default:
        place_.forget(action.request);
        machine_dns_.forget(action.request);
        break;
    }
  }
  questions_.clear();
}

void TunnelDriver::end_names() {
  place_.end();
  machine_dns_.set_servers({});
  flush(boot_now());
}

bool TunnelDriver::unsent() const {
  std::array<Bytes, 2> pieces;
  return carrier_ && client_.transmit(pieces) > 0;
}

// Deadlines move away with nearly every turn: the timer is only set when one comes nearer, and looks again when it is due.
void TunnelDriver::arm_timer() {
  Instant deadline = client_.deadline();
  if (deadline >= armed_) return;
  armed_ = deadline;
  timer_.set(deadline);
}

void TunnelDriver::stop(std::function<void()> done) {
  stopped_ = std::move(done);
  stop_limit_.set(boot_now() + kGoodbye);
  stop_now();
  turn_end_.ask();
}

void TunnelDriver::stop_now() {
  Instant now = boot_now();
  place_.leave();
  client_.stop(now);
  // The second sends the resets that waited behind what the apps were still to get.
  flush(now);
  flush(now);
  if (carrier_ && !unsent()) carrier_->finish();
}

}  // namespace causeway::platform
