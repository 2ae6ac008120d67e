#include "platform/client/dns_channel.h"

#include <ares.h>
#include <string.h>

#include "platform/loop/clock.h"

namespace causeway::platform {
namespace {

// What a server may send in one datagram before TCP is tried instead: as much as our questions allow.
constexpr int kUdpSize = 4096;

// The servers in c-ares's form, as a list in the vector's memory.
std::vector<ares_addr_port_node> server_list(const DnsChannel::Options& options) {
  std::vector<ares_addr_port_node> nodes(options.servers.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const packet::Address& address = options.servers[i];
    nodes[i].next = i + 1 < nodes.size() ? &nodes[i + 1] : nullptr;
    nodes[i].family = address.is_v4() ? AF_INET : AF_INET6;
    memcpy(&nodes[i].addr, address.bytes().data(), address.bytes().size());
    nodes[i].udp_port = nodes[i].tcp_port = options.port;
  }
  return nodes;
}

}  // namespace

DnsChannel::DnsChannel(Loop& loop) : loop_(loop), timer_(loop, [this] { process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); }) {}

Result<std::unique_ptr<DnsChannel>> DnsChannel::create(Loop& loop, const Options& options) {
  std::unique_ptr<DnsChannel> out(new DnsChannel(loop));
  std::vector<char*> search;
  for (const std::string& domain : options.search) search.push_back(const_cast<char*>(domain.c_str()));
  char no_file[] = "/dev/null";
  std::string lookups = options.hosts_file ? "f" : "";
  if (!options.servers.empty()) lookups += 'b';  // c-ares leaks a question that it has nobody to ask for
  ares_options ares{};
  ares.flags = ARES_FLAG_EDNS | ARES_FLAG_NOALIASES;
  ares.timeout = int(options.timeout.count());
  ares.tries = options.tries;
  ares.ndots = 1;
  ares.ednspsz = kUdpSize;
  ares.domains = search.data();
  ares.ndomains = int(search.size());
  ares.lookups = lookups.data();
  ares.resolvconf_path = no_file;
  ares.sock_state_cb_data = out.get();
  ares.sock_state_cb = [](void* self, ares_socket_t socket, int readable, int writable) {
    static_cast<DnsChannel*>(self)->watch(socket, readable, writable);
  };
  int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS | ARES_OPT_EDNSPSZ |
             ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS | ARES_OPT_RESOLVCONF | ARES_OPT_SOCK_STATE_CB | ARES_OPT_NOROTATE;
  if (int status = ares_init_options(&out->channel_, &ares, mask); status != ARES_SUCCESS) {
    out->channel_ = nullptr;
    return fail(ErrorCode::kSystem, std::string("c-ares: ") + ares_strerror(status));
  }
  std::vector<ares_addr_port_node> servers = server_list(options);
  if (int status = ares_set_servers_ports(out->channel_, servers.data()); status != ARES_SUCCESS) {
    return fail(ErrorCode::kSystem, std::string("c-ares: ") + ares_strerror(status));
  }
  return out;
}

DnsChannel::~DnsChannel() {
  if (channel_) ares_destroy(channel_);
}

// Called before a socket of c-ares is closed, too: with neither.
void DnsChannel::watch(int socket, bool readable, bool writable) {
  if (!readable && !writable) {
    polls_.erase(socket);
    return;
  }
  std::unique_ptr<Poll>& poll = polls_[socket];
  if (!poll) {
    poll = std::make_unique<Poll>(loop_, socket, [this, socket](int events) {
      process(events & Poll::kReadable ? socket : ARES_SOCKET_BAD, events & Poll::kWritable ? socket : ARES_SOCKET_BAD);
    });
  }
  poll->watch((readable ? Poll::kReadable : 0) | (writable ? Poll::kWritable : 0));
}

void DnsChannel::process(int readable, int writable) {
  ares_process_fd(channel_, readable, writable);
  schedule();
}

void DnsChannel::schedule() {
  timeval wait{};
  if (!ares_timeout(channel_, nullptr, &wait)) {
    timer_.set(kNever);
    return;
  }
  // c-ares counts whole milliseconds; waking up before them would only be once more.
  timer_.set(boot_now() + std::chrono::seconds(wait.tv_sec) + std::chrono::microseconds(wait.tv_usec) +
             std::chrono::milliseconds(1));
}

std::string dns_error_text(int status) {
  switch (status) {
    case ARES_ENOTFOUND: return "the name does not exist";
    case ARES_ENODATA: return "the name has no address";
    case ARES_ESERVFAIL: return "the machine's DNS servers could not say";
    case ARES_EREFUSED: return "the machine's DNS servers refuse to answer";
    case ARES_ECONNREFUSED: return "the machine's DNS servers cannot be reached";
    case ARES_ETIMEOUT: return "the machine's DNS servers do not answer";
    case ARES_EBADNAME: return "this is no name";
    default: return ares_strerror(status);
  }
}

}  // namespace causeway::platform
