#include "core/noise/aead_choice.h"
#include "platform/client/tunnel_inside.h"
#include "platform/loop/clock.h"

namespace causeway {
namespace {

using Counters = std::vector<std::pair<std::string, std::uint64_t>>;

void add(Counters& out, const engine::ClientStatus& s, const tun::Device::Counters& device) {
  const engine::ClientCounters& c = s.counters;
  Counters more{
      {"packets_in", device.packets_read},  {"packets_out", device.packets_written},
      {"bytes_in", device.bytes_read},      {"bytes_out", device.bytes_written},
      {"tcp_flows", s.tcp_flows},           {"tcp_half_open", s.half_open},
      {"datagram_flows", s.datagram_flows}, {"tcp_opened", c.tcp_opened},
      {"tcp_refused", c.tcp_refused},       {"udp_opened", c.udp_opened},
      {"echo_opened", c.echo_opened},       {"drop_no_route", c.drop_no_route},
      {"drop_excluded", c.drop_excluded},   {"drop_not_virtual", c.drop_not_virtual},
      {"drop_no_flow", c.drop_no_flow},     {"drop_limit", c.drop_limit},
      {"drop_protocol", c.drop_protocol},   {"drop_queue", c.drop_queue},
      {"drop_late", c.drop_late},           {"drop_read", device.read_dropped},
      {"drop_write", device.write_dropped},
  };
  for (std::size_t i = 0; i < c.malformed.size(); ++i) {
    more.emplace_back(std::string("drop_malformed_") + packet::drop_name(packet::Drop(i)), c.malformed[i]);
  }
  more.insert(more.end(), {
                              {"carrier_bytes_in", s.carrier_bytes_in},
                              {"carrier_bytes_out", s.carrier_bytes_out},
                              {"rekeys", s.rekeys},
                              {"links", s.links},
                              {"memory_bytes", s.memory},
                          });
  out.insert(out.end(), more.begin(), more.end());
}

void add(Counters& out, const dns::Counters& c) {
  out.insert(out.end(), {
                            {"dns_questions", c.questions},
                            {"dns_cluster", c.cluster},
                            {"dns_machine", c.machine},
                            {"dns_namespaces", c.namespaces},
                            {"dns_nobody", c.nobody},
                            {"dns_mapped", c.mapped},
                            {"dns_led_away", c.led_away},
                            {"dns_foreign", c.foreign},
                            {"dns_blocked", c.blocked},
                            {"dns_coalesced", c.coalesced},
                            {"dns_fell_through", c.fell_through},
                            {"dns_nxdomain", c.nxdomain},
                            {"dns_servfail", c.servfail},
                            {"dns_truncated", c.truncated},
                            {"dns_timed_out", c.timed_out},
                            {"dns_mismatched", c.mismatched},
                            {"dns_malformed", c.malformed},
                            {"dns_dropped", c.dropped},
                            {"dns_overflowed", c.overflowed},
                            {"dns_cache_hits", c.cache_hits},
                            {"dns_cache_misses", c.cache_misses},
                            {"dns_cache_renewals", c.cache_renewals},
                            {"dns_cache_flushes", c.cache_flushes},
                            {"dns_cache_entries", c.cache_entries},
                            {"dns_cache_bytes", c.cache_bytes},
                        });
}

// Of all tunnels of the runtime: they share one stack.
void add(Counters& out, const tun::StackCounters& c) {
  out.insert(out.end(), {
                            {"stack_accepted", c.accepted},
                            {"stack_over_limit", c.over_limit},
                            {"stack_segments_in", c.segments_in},
                            {"stack_segments_dropped", c.segments_dropped},
                            {"stack_packets_out", c.packets_out},
                            {"stack_timed_out", c.timed_out},
                        });
}

std::vector<std::string> texts(const std::vector<packet::Address>& addresses) {
  std::vector<std::string> out;
  for (const packet::Address& each : addresses) out.push_back(each.text());
  return out;
}

}  // namespace

TunnelStatus Tunnel::Inside::status() const {
  TunnelStatus out;
  out.profile = profile_.name;
  out.state = state_;
  out.gateway = dialler_.last().empty() ? profile_.gateways.front().text() : dialler_.last();
  out.gateway_key = noise::encode_key(profile_.gateway_key);
  out.own_key = noise::encode_key(keys_.own.public_key);
  out.last_error = last_error_;
  out.cipher = noise::cipher_name();
  if (!driver_) {
    out.icmp = "not known while it is down";
    return out;
  }
  out.device = device_;
  out.addresses = texts(addresses_.own);
  out.dns_servers = texts(addresses_.stub);
  out.routes = routes_;
  out.skipped_routes = skipped_;
  out.conflicts = decision_.conflicts;
  engine::ClientStatus engine = driver_->status();
  if (engine.round_trip) out.round_trip = std::chrono::duration_cast<std::chrono::microseconds>(*engine.round_trip);
  if (state_ == TunnelState::kUp || state_ == TunnelState::kReconnecting) {
    out.up_for = std::chrono::duration_cast<std::chrono::seconds>(platform::boot_now() - up_since_);
    out.resolver = resolver_;
  }
  if (engine.link != engine::ClientStatus::Link::kUp) {
    out.icmp = "not known while the link is down";
  } else {
    out.icmp = engine.icmp_echo ? "available"
                                : "not available: the gateway's kernel does not let it send echo requests "
                                  "(net.ipv4.ping_group_range there)";
  }
  add(out.counters, engine, driver_->device_counters());
  add(out.counters, driver_->dns_counters());
  add(out.counters, runtime_.stack.counters());
  return out;
}

}  // namespace causeway
