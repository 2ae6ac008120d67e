// The laptop's conversations: found by five-tuple when a packet comes, by stream when a frame comes, by handle otherwise.
//
// A handle names a slot and the life it is in, so one that is kept too long finds nothing instead of somebody else.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "core/base/ring.h"
#include "core/engine/address_map.h"
#include "core/engine/name_service.h"
#include "core/engine/stack.h"
#include "core/link/frame.h"

namespace causeway::engine {

using FlowHandle = std::uint64_t;

// What the stub has answered and the stack has not taken yet.
struct Answers {
  Ring<Slice> queue;
  std::size_t bytes = 0;  // what they hold
};

struct Flow {
  enum class Kind : std::uint8_t {
    kTcp,
    kUdp,
    kEcho,
    kStub,   // TCP to the stub's own address: answered here
    kAsk,    // a question of the name service to the cluster's DNS
    kProbe,  // a question of ask_cluster()
    kDial,   // a dial of probe()
    kDirect,  // TCP to a service that a process here answers: no stream is joined to it
  };

  FlowHandle handle = 0;
  link::StreamId stream = 0;         // 0: none yet, or no more
  Slice syn;                         // the held SYN
  Instant since{};                   // of its first packet
  Instant last{};                    // of the last datagram
  std::uint64_t request = 0;         // kAsk: DnsRequestId; kProbe, kDial: token
  std::unique_ptr<Answers> answers;  // kStub, once there was one
  ConnectionId connection = 0;       // 0: the SYN is held, or the connection is gone
  std::uint32_t place = 0;           // in the table's list of flows that are swept
  packet::FiveTuple tuple;
  Kind kind = Kind::kTcp;
  bool swept = false;
  bool half_open = false;
  bool direct = false;         // half open, and the local process is asked, not the gateway
  bool app_finished = false;   // the app has sent FIN
  bool peer_finished = false;  // FIN towards the app is queued
};

class FlowTable {
 public:
  // A flow pins the virtual address that it goes to. `addresses` outlives the table.
  explicit FlowTable(AddressMap& addresses) : addresses_(addresses) {}

  Flow* find(const packet::FiveTuple& tuple) {
    auto it = by_tuple_.find(tuple);
    return it == by_tuple_.end() ? nullptr : &slot(it->second);
  }
  Flow* find_stream(link::StreamId stream) {
    auto it = by_stream_.find(stream);
    return it == by_stream_.end() ? nullptr : &slot(it->second);
  }
  Flow* find(FlowHandle handle) {
    const std::uint32_t index = std::uint32_t(handle);
    return index / kChunk < chunks_.size() && slot(index).handle == handle ? &slot(index) : nullptr;
  }
  Flow* find_request(DnsRequestId request) {
    auto it = by_request_.find(request);
    return it == by_request_.end() ? nullptr : &slot(it->second);
  }

  // `tuple` may be null: the flow is not found by packets.
  Flow& add(Flow::Kind kind, const packet::FiveTuple* tuple, Instant now);
  void set_stream(Flow& flow, link::StreamId stream);
  void clear_stream(Flow& flow);
  void set_request(Flow& flow, DnsRequestId request);
  // Its five-tuple may be used by a new flow.
  void clear_tuple(Flow& flow);
  void remove(Flow& flow, Instant now);

  // Half-open and datagram flows, which end by age. Removing the flow at hand keeps what stands before it in place.
  void sweep(Flow& flow);
  void stop_sweeping(Flow& flow);
  const std::vector<FlowHandle>& swept() const { return swept_; }

  std::size_t size() const { return size_; }
  template <class F>
  void for_each(F&& f) {
    for (const auto& chunk : chunks_) {
      for (std::uint32_t i = 0; i < kChunk; ++i) {
        if (chunk[i].handle != 0) f(chunk[i]);
      }
    }
  }

 private:
  // Flows stay where they are, and no more is taken at once than this many need.
  static constexpr std::uint32_t kChunk = 256;
  Flow& slot(std::uint32_t index) { return chunks_[index / kChunk][index % kChunk]; }

  AddressMap& addresses_;
  std::vector<std::unique_ptr<Flow[]>> chunks_;
  std::vector<std::uint32_t> free_;
  std::unordered_map<packet::FiveTuple, std::uint32_t> by_tuple_;
  std::unordered_map<link::StreamId, std::uint32_t> by_stream_;
  std::unordered_map<DnsRequestId, std::uint32_t> by_request_;  // kAsk only
  std::vector<FlowHandle> swept_;
  std::uint64_t next_life_ = 1;
  std::size_t size_ = 0;
};

}  // namespace causeway::engine
