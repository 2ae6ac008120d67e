// c-ares on our loop: its sockets are polled, its timeouts timed. It asks the machine's own servers, which are given to it; it
// never reads resolv.conf, where we may stand ourselves.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/result.h"
#include "core/packet/address.h"
#include "platform/loop/loop.h"

struct ares_channeldata;

namespace causeway::platform {

class DnsChannel {
 public:
  struct Options {
    std::vector<packet::Address> servers;  // none: the hosts file alone
    std::uint16_t port = 53;
    std::vector<std::string> search;          // for names without dots
    std::chrono::milliseconds timeout{1500};  // of the first try; the second waits twice as long
    int tries = 2;                            // of each server
    bool hosts_file = false;                  // /etc/hosts comes first
  };
  static Result<std::unique_ptr<DnsChannel>> create(Loop& loop, const Options& options);
  // Callbacks of what is under way come now, with ARES_EDESTRUCTION. Not inside one of them.
  ~DnsChannel();
  DnsChannel(const DnsChannel&) = delete;
  DnsChannel& operator=(const DnsChannel&) = delete;

  ares_channeldata* raw() { return channel_; }
  // After something was asked with raw().
  void schedule();

 private:
  explicit DnsChannel(Loop& loop);
  void watch(int socket, bool readable, bool writable);
  void process(int readable, int writable);

  Loop& loop_;
  ares_channeldata* channel_ = nullptr;
  Timer timer_;
  std::unordered_map<int, std::unique_ptr<Poll>> polls_;
};

// "the name does not exist": what an ARES_ status means for people.
std::string dns_error_text(int status);

}  // namespace causeway::platform
