#include "tun/ip_output.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/packet/checksum.h"
#include "core/packet/parse.h"
#include "lwip/ip.h"
#include "lwip/netif.h"
#include "lwip/priv/tcp_priv.h"
#include "tun/attachment.h"
#include "tun/machine.h"
#include "tun/small_blocks.h"

namespace causeway::tun {
namespace {

// lwIP wants an interface for everything it sends and receives; it only ever looks at whether there is one.
netif the_interface{};

packet::Address address_of(const ip4_addr_t& a) {
  return packet::Address::from_bytes({reinterpret_cast<const std::uint8_t*>(&a.addr), 4});
}

packet::Address address_of(const ip6_addr_t& a) {
  return packet::Address::from_bytes({reinterpret_cast<const std::uint8_t*>(a.addr), 16});
}

ip_addr_t lwip_address(const packet::Address& address) {
  ip_addr_t result{};
  if (address.is_v4()) {
    result.type = IPADDR_TYPE_V4;
    std::memcpy(&result.u_addr.ip4.addr, address.bytes().data(), 4);
  } else {
    result.type = IPADDR_TYPE_V6;
    std::memcpy(result.u_addr.ip6.addr, address.bytes().data(), 16);
  }
  return result;
}

// `ip` is all of the header and zero.
void write_ip_header(MutableBytes ip, const packet::Address& source, const packet::Address& destination,
                     std::uint8_t hop_limit, std::size_t behind) {
  if (source.is_v4()) {
    ip[0] = 0x45;
    store16(&ip[2], std::uint16_t(ip.size() + behind));
    store16(&ip[6], 0x4000);  // not to be fragmented, so that the identification says nothing (RFC 6864, section 4.1)
    ip[8] = hop_limit;
    ip[9] = packet::kTcp;
    std::copy_n(source.bytes().begin(), 4, &ip[12]);
    std::copy_n(destination.bytes().begin(), 4, &ip[16]);
    store16(&ip[10], std::uint16_t(~packet::fold(packet::add_to_sum(0, ip))));
  } else {
    ip[0] = 0x60;
    store16(&ip[4], std::uint16_t(behind));
    ip[6] = packet::kTcp;
    ip[7] = hop_limit;
    std::copy_n(source.bytes().begin(), 16, &ip[8]);
    std::copy_n(destination.bytes().begin(), 16, &ip[24]);
  }
}

}  // namespace

void set_input_addresses(const packet::Address& source, const packet::Address& destination) {
  ip_data.current_netif = ip_data.current_input_netif = &the_interface;
  ip_data.current_iphdr_src = lwip_address(source);
  ip_data.current_iphdr_dest = lwip_address(destination);
}

// `p` is a TCP segment: its first part lies in lwIP's memory and is copied, as it changes when the segment is sent again.
// What follows was lent to lwIP by write() and is lent on.
void Machine::output(pbuf* p, const packet::Address& source, const packet::Address& destination, std::uint8_t hop_limit) {
  CAUSEWAY_ASSERT(current_ && p->len >= TCP_HLEN);
  const std::size_t ip_size = source.is_v4() ? 20 : 40;
  const auto* segment = static_cast<const std::uint8_t*>(p->payload);
  const std::size_t tcp_size = std::size_t(segment[12] >> 4) * 4;
  const std::size_t payload = p->tot_len - tcp_size;

  packet::Offload offload;
  offload.needs_checksum = true;
  offload.checksum_start = std::uint16_t(ip_size);
  offload.checksum_offset = 16;
  if (payload > current_->peer_mss) {
    offload.segmentation = source.is_v4() ? packet::Segmentation::kTcp4 : packet::Segmentation::kTcp6;
    offload.segment_size = current_->peer_mss;
    offload.header_size = std::uint16_t(ip_size + tcp_size);
  }

  packet::PacketBatch& batch = current_->owner->pending();
  const MutableBytes header = batch.begin(ip_size + p->len, offload);
  std::fill_n(header.begin(), ip_size, std::uint8_t(0));
  write_ip_header(header.first(ip_size), source, destination, hop_limit, p->tot_len);
  const MutableBytes tcp = header.subspan(ip_size);
  std::copy_n(segment, p->len, tcp.begin());
  store16(&tcp[16], packet::fold(packet::pseudo_header_sum(source, destination, packet::kTcp, p->tot_len)));
  for (const pbuf* rest = p->next; rest; rest = rest->next) {
    batch.add_piece({static_cast<const std::uint8_t*>(rest->payload), rest->len});
  }

  if (tcp[13] & packet::kAck) current_->last_ack_sent = load32(&tcp[8]);
  ++counters_.packets_out;
}

// RFC 6528, section 3: a clock of 4 microseconds and a keyed hash of the connection's addresses and ports.
std::uint32_t Machine::initial_sequence(Bytes tuple) const {
  const auto clock = std::chrono::duration_cast<std::chrono::microseconds>(now_.time_since_epoch()).count() / 4;
  return std::uint32_t(clock) + std::uint32_t(sequence_hash_(tuple));
}

}  // namespace causeway::tun

// What lwIP calls. The signatures are its own.
extern "C" {

struct ip_globals ip_data;

const ip_addr_t ip_addr_any_type = IPADDR_ANY_TYPE_INIT;

void netif_init() {}

struct netif* netif_get_by_index(u8_t) { return &causeway::tun::the_interface; }

struct netif* ip4_route(const ip4_addr_t*) { return &causeway::tun::the_interface; }

struct netif* ip6_route(const ip6_addr_t*, const ip6_addr_t*) { return &causeway::tun::the_interface; }

// Every connection is bound to the address that its SYN was for.
const ip_addr_t* ip6_select_source_address(struct netif*, const ip6_addr_t*) { return nullptr; }

err_t ip4_output_if(struct pbuf* p, const ip4_addr_t* source, const ip4_addr_t* destination, u8_t hop_limit, u8_t, u8_t,
                    struct netif*) {
  using causeway::tun::address_of;
  causeway::tun::Machine::instance().output(p, address_of(*source), address_of(*destination), hop_limit);
  return ERR_OK;
}

err_t ip6_output_if(struct pbuf* p, const ip6_addr_t* source, const ip6_addr_t* destination, u8_t hop_limit, u8_t, u8_t,
                    struct netif*) {
  using causeway::tun::address_of;
  causeway::tun::Machine::instance().output(p, address_of(*source), address_of(*destination), hop_limit);
  return ERR_OK;
}

// Ticks are driven by Attachment::advance() for the connections that have something outstanding.
void tcp_timer_needed() {}

u32_t tun_lwip_isn(const ip_addr_t* local_ip, u16_t local_port, const ip_addr_t* remote_ip, u16_t remote_port) {
  std::array<std::uint8_t, 36> tuple{};
  const auto put = [&tuple](std::size_t at, const ip_addr_t& address) {
    const std::size_t size = IP_IS_V6_VAL(address) ? 16 : 4;
    std::memcpy(&tuple[at], &address.u_addr, size);
  };
  put(0, *local_ip);
  put(16, *remote_ip);
  causeway::store16(&tuple[32], local_port);
  causeway::store16(&tuple[34], remote_port);
  return causeway::tun::Machine::instance().initial_sequence(tuple);
}

void tun_lwip_assertion_failed(const char* message, const char* file, int line) {
  causeway::assertion_failed(message, file, line);
}

void* tun_lwip_malloc(size_t size) { return causeway::tun::SmallBlocks::instance().take(size); }

void* tun_lwip_calloc(size_t count, size_t size) { return std::memset(tun_lwip_malloc(count * size), 0, count * size); }

void tun_lwip_free(void* memory) { causeway::tun::SmallBlocks::instance().give_back(memory); }

}  // extern "C"
