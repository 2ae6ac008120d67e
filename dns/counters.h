// What status shows of DNS.
#pragma once

#include <cstdint>

namespace causeway::dns {

struct Counters {
  std::uint64_t questions = 0;   // from programs, over UDP and TCP
  std::uint64_t cluster = 0;     // asked of the cluster for a program
  std::uint64_t machine = 0;     // asked of the machine's own servers
  std::uint64_t namespaces = 0;  // asked of the cluster to learn whether something is a namespace
  std::uint64_t nobody = 0;      // answered without asking, as wpad is
  std::uint64_t mapped = 0;      // answered as the profile's mappings say
  std::uint64_t led_away = 0;    // the cluster's alias for a name that is not its own was followed elsewhere
  std::uint64_t foreign = 0;     // records of the cluster's answers that were not its to give
  std::uint64_t blocked = 0;     // records of its answers with addresses that no cluster may give
  std::uint64_t coalesced = 0;   // joined an identical question under way
  std::uint64_t fell_through = 0;  // the cluster said no, so the machine's servers were asked
  std::uint64_t nxdomain = 0;    // answers by their code
  std::uint64_t servfail = 0;
  std::uint64_t truncated = 0;   // did not fit the asker's datagram
  std::uint64_t timed_out = 0;   // questions to the cluster or the machine that nobody answered
  std::uint64_t mismatched = 0;  // answers to something else, ignored
  std::uint64_t malformed = 0;   // questions and answers that cannot be read
  std::uint64_t dropped = 0;     // messages and streams that got no answer
  std::uint64_t overflowed = 0;  // questions refused because too many were waiting
  std::uint64_t cache_hits = 0;     // questions that the cache answered
  std::uint64_t cache_misses = 0;   // asked of the cluster though they could have been there
  std::uint64_t cache_renewals = 0;  // of these misses: answered from the cache, and asked for anew
  std::uint64_t cache_flushes = 0;
  std::uint64_t cache_entries = 0;  // now
  std::uint64_t cache_bytes = 0;    // now
};

}  // namespace causeway::dns
