#include "tests/world/cluster.h"

#include <algorithm>

namespace causeway::world {

Cluster::Cluster(Timeline& time, Chart& chart, std::uint64_t seed)
    : time_(time), chart_(chart), tcp_(time, chart, Chart::Column::kGateway, seed) {}
Cluster::~Cluster() = default;

void Cluster::use(engine::Gateway* gateway) {
  ++life_;
  gateway_ = gateway;
  tcp_.use(gateway);
  datagram_sockets_.clear();
}

void Cluster::event(const engine::GatewayEvent& event) {
  using Kind = engine::GatewayEvent::Kind;
  switch (event.kind) {
    case Kind::kDial: dial(event); break;
    case Kind::kDialProbe: dial_probe(event); break;
    case Kind::kCatalogue: catalogue(event); break;
    case Kind::kCloseRelay: closed(event.relay, event.reset); break;
    case Kind::kFinishRelay: tcp_.finish(event.relay); break;
    case Kind::kResumeReading: tcp_.resume(event.relay); break;
    default: break;
  }
}

void Cluster::dial(const engine::GatewayEvent& event) {
  note("dial " + std::to_string(event.relay) + " " + event.destination.text());
  const flow::Destination& to = event.destination;
  engine::RelayId relay = event.relay;
  if (to.protocol != flow::Protocol::kTcp) {
    called_ = true;
    if (to.protocol == flow::Protocol::kEcho && !answers_pings) {
      gateway_->dial_failed(relay, link::Reason::kNotAvailable, time_.now());
      return;
    }
    if (to.protocol == flow::Protocol::kUdp && udp_.contains(to.endpoint)) udp_[to.endpoint].last_source = event.source;
    datagram_sockets_[relay] = to;
    gateway_->dialled(relay, time_.now());
    return;
  }
  tcp_.dial(relay, to.endpoint);
}

bool Cluster::connect(engine::ServiceId service, Program& program) {
  if (!gateway_) return false;
  const packet::Endpoint from{packet::Address::v4(10, 244, 1, 7), next_port_++};
  called_ = true;
  const engine::RelayId relay = gateway_->service_accepted(service, from, time_.now());
  if (relay == 0) return false;
  tcp_.adopt(relay, program);
  return true;
}

void Cluster::dial_probe(const engine::GatewayEvent& event) {
  note("probe " + std::to_string(event.relay));
  const packet::Endpoint from{packet::Address::v4(10, 244, 0, 1), next_port_++};
  gateway_->probe_from(event.relay, from);
  if (listeners == Listeners::kSilent) return;
  time_.after(std::chrono::microseconds(50), [this, event, from, life = life_] {
    if (life != life_) return;
    called_ = true;
    if (listeners == Listeners::kRefuse) return gateway_->dial_failed(event.relay, link::Reason::kConnectionRefused, time_.now());
    gateway_->dialled(event.relay, time_.now());
    tcp_.adopt(event.relay, nobody_);
    if (engine::RelayId accepted = gateway_->service_accepted(event.service, from, time_.now())) tcp_.adopt(accepted, nobody_);
  });
}

void Cluster::catalogue(const engine::GatewayEvent& event) {
  called_ = true;
  gateway_->dialled(event.relay, time_.now());
  const std::string document = "services for " + event.client + ": " + event.destination.name;
  MutableBytes space = gateway_->relay_space(event.relay);
  copy_bytes(space, as_bytes(document));
  gateway_->relay_received(event.relay, document.size(), time_.now());
  gateway_->relay_finished(event.relay, time_.now());
}

void Cluster::closed(engine::RelayId relay, bool reset) {
  datagram_sockets_.erase(relay);
  tcp_.close(relay, reset);
}

void Cluster::writable(engine::RelayId relay) {
  if (datagram_sockets_.contains(relay)) return datagrams(relay);
  tcp_.writable(relay);
}

void Cluster::datagrams(engine::RelayId relay) {
  const flow::Destination to = datagram_sockets_[relay];
  while (auto datagram = gateway_->relay_next_datagram(relay)) {
    called_ = true;
    note("> " + std::to_string(relay) + " datagram +" + std::to_string(datagram->size));
    answer(relay, to, datagram->bytes());
    if (!datagram_sockets_.contains(relay)) return;
  }
}

void Cluster::answer(engine::RelayId relay, const flow::Destination& to, Bytes datagram) {
  std::vector<std::uint8_t> reply(datagram.begin(), datagram.end());
  Duration delay = std::chrono::microseconds(300);
  if (to.protocol == flow::Protocol::kUdp) {
    auto it = udp_.find(to.endpoint);
    std::optional<link::Reason> why = it == udp_.end() ? link::Reason::kConnectionRefused : it->second.refuses;
    if (why) {
      time_.after(delay, [this, relay, why, life = life_] {
        if (life != life_ || datagram_sockets_.erase(relay) == 0) return;
        called_ = true;
        gateway_->relay_failed(relay, *why, time_.now());
      });
      return;
    }
    ++it->second.received;
    it->second.largest = std::max(it->second.largest, datagram.size());
    delay = it->second.answers_after;
  } else if (to.protocol == flow::Protocol::kDns) {
    auto answered = dns_ ? dns_(datagram) : std::nullopt;
    if (!answered) return;
    reply = std::move(*answered);
  }
  time_.after(delay, [this, relay, reply = std::move(reply), life = life_] {
    if (life != life_ || !datagram_sockets_.contains(relay)) return;
    called_ = true;
    gateway_->relay_datagram(relay, reply, time_.now());
  });
}

}  // namespace causeway::world
