// Who may enter: carriers from their first byte to their session, and how sessions end.
#include <algorithm>

#include "core/engine/gateway_impl.h"
#include "core/noise/keys.h"

namespace causeway::engine {
namespace {

constexpr std::uint64_t kLinkCredit = 64 * 1024 * 1024;
constexpr std::uint64_t kStreamCredit = 256 * 1024;

}  // namespace

Gateway::Impl::Carrier* Gateway::Impl::find(CarrierId id) {
  auto it = carriers_.find(id);
  return it == carriers_.end() ? nullptr : &it->second;
}

const AuthorisedClient* Gateway::Impl::client_of(const link::PublicKey& key) const {
  auto it = std::find_if(clients_.begin(), clients_.end(), [&](const AuthorisedClient& c) { return c.key == key; });
  return it == clients_.end() ? nullptr : &*it;
}

std::size_t Gateway::Impl::sessions_of(const link::PublicKey& key) const {
  return std::size_t(std::count_if(carriers_.begin(), carriers_.end(), [&](const auto& entry) {
    return !entry.second.client.empty() && !entry.second.closing && entry.second.key == key;
  }));
}

void Gateway::Impl::set_clients(std::vector<AuthorisedClient> clients, Instant now) {
  clients_ = std::move(clients);
  for (auto& [id, carrier] : carriers_) {
    if (carrier.closing || carrier.client.empty() || client_of(carrier.key)) continue;
    if (carrier.session) {
      carrier.session->link.close(link::CloseCode::kKeyRemoved, "this key is no longer authorised");
      carrier.session->link.flush(now);
    }
    end_session(id, carrier, "its key is no longer authorised", now);
    close(id, carrier);
  }
}

void Gateway::Impl::stop(Instant now) {
  stopping_ = true;
  services_.stop();
  for (auto& [id, carrier] : carriers_) {
    if (carrier.closing) continue;
    if (carrier.session) {
      carrier.session->link.goaway(carrier.session->mux.highest_peer_stream());
      carrier.session->link.close(link::CloseCode::kShuttingDown, "the gateway is shutting down");
      carrier.session->link.flush(now);
    }
    end_session(id, carrier, "the gateway is shutting down", now);
    close(id, carrier);
  }
}

CarrierId Gateway::Impl::accepted(const packet::Endpoint& source, Instant now) {
  if (stopping_ || carriers_.size() >= config_.max_carriers || handshakes_ >= config_.max_handshakes) return 0;
  CarrierId id = next_carrier_++;
  Carrier& carrier = carriers_.try_emplace(id, pool_, random_, config_, now).first->second;
  carrier.source = source;
  deadlines_.insert({carrier.due, id});
  ++handshakes_;
  touch(id, carrier);
  return id;
}

void Gateway::Impl::received(CarrierId id, std::size_t n, Instant now) {
  Carrier* carrier = find(id);
  if (!carrier || carrier->closing) return;
  carrier->stream.received(n, now);
  state_changed(id, *carrier, now);
  touch(id, *carrier);
}

void Gateway::Impl::transmitted(CarrierId id, std::size_t n) {
  Carrier* carrier = find(id);
  if (!carrier) return;
  carrier->stream.transmitted(n);
  set_deadline(id, *carrier);  // at once, where more waits for the room
}

void Gateway::Impl::state_changed(CarrierId id, Carrier& carrier, Instant now) {
  using State = link::StreamCarrier::State;
  if (carrier.stream.state() == State::kArrived) arrived(id, carrier, now);
  if (carrier.stream.state() == State::kAnswered || carrier.stream.state() == State::kOpen) {
    // The session begins with the first valid record: a replayed first message moves nothing.
    if (!carrier.session) begin_session(id, carrier, now);
    carrier.session->link.receive(now);
    link_moved(id, carrier, now);
    return;
  }
  if (carrier.stream.state() != State::kFailed || carrier.closing) return;
  lose(id, carrier, carrier.stream.failure().message, now);
}

// The carrier failed, or its link is over.
void Gateway::Impl::lose(CarrierId id, Carrier& carrier, const std::string& why, Instant now) {
  end_session(id, carrier, why, now);
  if (!carrier.came) {
    ++counters_.silent;
    GatewayEvent& event = emit(GatewayEvent::Kind::kRefused);
    event.carrier = id;
    event.client = carrier.client;
    event.key = carrier.key;
    event.source = carrier.source;
    event.text = why;
  }
  close(id, carrier);
}

void Gateway::Impl::arrived(CarrierId id, Carrier& carrier, Instant now) {
  carrier.key = carrier.stream.peer();
  const AuthorisedClient* client = client_of(carrier.key);
  auto hello = link::parse_hello(carrier.stream.peer_payload());
  if (!client) {
    refuse(id, carrier, link::RefusalCode::kUnknownKey,
           "key " + noise::fingerprint(carrier.key) +
               " is not authorised; to let it in, add the line: " + noise::encode_key(carrier.key) + " NAME",
           now);
  } else if (!hello || hello->lowest_version > link::kProtocolVersion ||
             hello->highest_version < link::kProtocolVersion) {
    refuse(id, carrier, link::RefusalCode::kNoCommonVersion, "this gateway speaks version 1", now);
  } else if (client->psk.has_value() != carrier.stream.wants_psk()) {
    refuse(id, carrier, link::RefusalCode::kPskMismatch,
           client->psk ? "this key needs its pre-shared key" : "no pre-shared key is known for this key", now);
  } else if (!numbers_[carrier.key].take(hello->number)) {
    refuse(id, carrier, link::RefusalCode::kReplay, "its hello was seen before, or is too old", now);
  } else if (sessions_of(carrier.key) >= config_.sessions_per_client) {
    refuse(id, carrier, link::RefusalCode::kTooMany,
           "it has " + std::to_string(config_.sessions_per_client) + " sessions already", now);
  } else {
    link::Welcome welcome;
    welcome.link_id = random_.number() & kMaxVarint;
    welcome.limits = {kLinkCredit, kStreamCredit, config_.streams_per_client};
    welcome.icmp_echo = config_.icmp_echo;
    carrier.client = client->name;
    carrier.settings.own = welcome.limits;
    carrier.settings.peer = hello->limits;
    carrier.stream.admit(link::encode(welcome), client->psk, now);
  }
}

void Gateway::Impl::refuse(CarrierId id, Carrier& carrier, link::RefusalCode code, std::string text, Instant now) {
  ++counters_.refused;
  GatewayEvent& event = emit(GatewayEvent::Kind::kRefused);
  event.carrier = id;
  event.source = carrier.source;
  event.key = carrier.key;
  if (const AuthorisedClient* client = client_of(carrier.key)) event.client = client->name;
  event.text = text;
  if (refusals_.take(carrier.source.address, now)) {
    carrier.stream.refuse(link::encode(link::Refusal{code, std::move(text)}), now);
  }
  close(id, carrier);
}

void Gateway::Impl::begin_session(CarrierId, Carrier& carrier, Instant now) {
  carrier.session = std::make_unique<Session>(pool_, carrier.settings);
  carrier.session->since = now;
  carrier.session->link.attach(carrier.stream, now);
}

void Gateway::Impl::link_moved(CarrierId id, Carrier& carrier, Instant now) {
  Session& session = *carrier.session;
  if (session.link.round_trip()) session.mux.set_round_trip(*session.link.round_trip());
  if (session.link.heard() && !carrier.came) {
    carrier.came = true;
    --handshakes_;
    ++counters_.came;
    GatewayEvent& event = emit(GatewayEvent::Kind::kCame);
    event.carrier = id;
    event.client = carrier.client;
    event.key = carrier.key;
    event.source = carrier.source;
  }
  mux_events(id, carrier, now);
  bool failed = carrier.stream.state() == link::StreamCarrier::State::kFailed;
  if (!failed && !session.link.over()) return;
  session.link.flush(now);
  lose(id, carrier, failed ? carrier.stream.failure().message : session.link.error().message, now);
}

void Gateway::Impl::close(CarrierId id, Carrier& carrier) {
  if (carrier.closing) return;
  carrier.closing = true;
  if (!carrier.came) --handshakes_;
  touch(id, carrier);
  emit(GatewayEvent::Kind::kCloseCarrier).carrier = id;
}

void Gateway::Impl::end_session(CarrierId id, Carrier& carrier, std::string why, Instant now) {
  if (!carrier.session) return;
  for (const auto& [stream, relay] : std::exchange(carrier.session->relays, {})) {
    remove(*find_relay(relay), true, true);
  }
  std::unique_ptr<Session> ended = std::move(carrier.session);
  if (carrier.listened) services_.session_ended(id, now);
  carrier.listened = carrier.silent = false;
  if (!carrier.came) return;
  GatewayEvent& event = emit(GatewayEvent::Kind::kWent);
  event.carrier = id;
  event.client = carrier.client;
  event.key = carrier.key;
  event.source = carrier.source;
  event.text = std::move(why);
}

void Gateway::Impl::closed(CarrierId id, Instant now) {
  Carrier* carrier = find(id);
  if (!carrier) return;
  end_session(id, *carrier, "the connection was closed", now);
  if (!carrier->closing && !carrier->came) {
    --handshakes_;
    ++counters_.silent;
  }
  deadlines_.erase({carrier->due, id});
  carriers_.erase(id);
}

}  // namespace causeway::engine
