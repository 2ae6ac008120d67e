// The laptop's conversations: found by five-tuple when a packet comes, by stream when a frame comes, by handle otherwise.
//
// A handle names a slot and the life it is in, so one that is kept too long finds nothing instead of somebody else.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "core/base/ring.h"
#include "core/engine/name_service.h"
#include "core/engine/stack.h"
#include "core/link/frame.h"

namespace causeway::engine {

using FlowHandle = std::uint64_t;

struct Flow {
  enum class Kind : std::uint8_t {
    kTcp,
    kUdp,
    kEcho,
    kStub,   // TCP to the stub's own address: answered here
    kAsk,    // a question of the name service to the cluster's DNS
    kProbe,  // a question of ask_cluster()
  };

  Kind kind = Kind::kTcp;
  FlowHandle handle = 0;
  packet::FiveTuple tuple;
  link::StreamId stream = 0;       // 0: none yet, or no more
  ConnectionId connection = 0;     // 0: the SYN is held, or the connection is gone
  Slice syn;                       // the held SYN
  Instant since{};                 // of its first packet
  Instant last{};                  // of the last datagram
  bool half_open = false;
  bool app_finished = false;       // the app has sent FIN
  bool peer_finished = false;      // FIN towards the app is queued
  std::uint64_t request = 0;       // kAsk: DnsRequestId; kProbe: token
  Ring<Slice> answers;             // kStub: what the stack has not taken yet
  std::size_t answer_bytes = 0;    // what `answers` hold
  std::uint32_t place = 0;         // in the table's list of flows that are swept
  bool swept = false;
};

class FlowTable {
 public:
  Flow* find(const packet::FiveTuple& tuple) {
    auto it = by_tuple_.find(tuple);
    return it == by_tuple_.end() ? nullptr : &slots_[it->second];
  }
  Flow* find_stream(link::StreamId stream) {
    auto it = by_stream_.find(stream);
    return it == by_stream_.end() ? nullptr : &slots_[it->second];
  }
  Flow* find(FlowHandle handle) {
    std::uint32_t slot = std::uint32_t(handle);
    return slot < slots_.size() && slots_[slot].handle == handle ? &slots_[slot] : nullptr;
  }
  Flow* find_request(DnsRequestId request) {
    auto it = by_request_.find(request);
    return it == by_request_.end() ? nullptr : &slots_[it->second];
  }

  // `tuple` may be null: the flow is not found by packets.
  Flow& add(Flow::Kind kind, const packet::FiveTuple* tuple, Instant now);
  void set_stream(Flow& flow, link::StreamId stream);
  void clear_stream(Flow& flow);
  void set_request(Flow& flow, DnsRequestId request);
  // Its five-tuple may be used by a new flow.
  void clear_tuple(Flow& flow);
  void remove(Flow& flow);

  // Half-open and datagram flows, which end by age. Removing the flow at hand keeps what stands before it in place.
  void sweep(Flow& flow);
  void stop_sweeping(Flow& flow);
  const std::vector<FlowHandle>& swept() const { return swept_; }

  std::size_t size() const { return size_; }
  template <class F>
  void for_each(F&& f) {
    for (Flow& flow : slots_) {
      if (flow.handle != 0) f(flow);
    }
  }

 private:
  std::vector<Flow> slots_;
  std::vector<std::uint32_t> free_;
  std::unordered_map<packet::FiveTuple, std::uint32_t> by_tuple_;
  std::unordered_map<link::StreamId, std::uint32_t> by_stream_;
  std::unordered_map<DnsRequestId, std::uint32_t> by_request_;  // kAsk only
  std::vector<FlowHandle> swept_;
  std::uint64_t next_life_ = 1;
  std::size_t size_ = 0;
};

}  // namespace causeway::engine
