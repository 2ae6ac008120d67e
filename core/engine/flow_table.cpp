#include "core/engine/flow_table.h"

namespace causeway::engine {

Flow& FlowTable::add(Flow::Kind kind, const packet::FiveTuple* tuple, Instant now) {
  if (free_.empty()) {
    const std::uint32_t base = std::uint32_t(chunks_.size()) * kChunk;
    chunks_.push_back(std::make_unique<Flow[]>(kChunk));
    for (std::uint32_t i = kChunk; i-- > 0;) free_.push_back(base + i);
  }
  const std::uint32_t index = free_.back();
  free_.pop_back();
  Flow& flow = slot(index);
  flow.kind = kind;
  flow.handle = next_life_++ << 32 | index;
  flow.since = flow.last = now;
  if (tuple) {
    flow.tuple = *tuple;
    by_tuple_[*tuple] = index;
    addresses_.pin(tuple->destination.address);
  }
  ++size_;
  return flow;
}

void FlowTable::set_stream(Flow& flow, link::StreamId stream) {
  flow.stream = stream;
  by_stream_[stream] = std::uint32_t(flow.handle);
}

void FlowTable::clear_stream(Flow& flow) {
  if (flow.stream == 0) return;
  by_stream_.erase(flow.stream);
  flow.stream = 0;
}

void FlowTable::set_request(Flow& flow, DnsRequestId request) {
  flow.request = request;
  by_request_[request] = std::uint32_t(flow.handle);
}

void FlowTable::clear_tuple(Flow& flow) {
  auto it = by_tuple_.find(flow.tuple);
  if (it != by_tuple_.end() && it->second == std::uint32_t(flow.handle)) by_tuple_.erase(it);
}

void FlowTable::remove(Flow& flow, Instant now) {
  addresses_.unpin(flow.tuple.destination.address, now);
  clear_tuple(flow);
  clear_stream(flow);
  if (flow.kind == Flow::Kind::kAsk) by_request_.erase(flow.request);
  stop_sweeping(flow);
  const std::uint32_t index = std::uint32_t(flow.handle);
  flow = Flow();
  free_.push_back(index);
  --size_;
}

void FlowTable::sweep(Flow& flow) {
  flow.swept = true;
  flow.place = std::uint32_t(swept_.size());
  swept_.push_back(flow.handle);
}

void FlowTable::stop_sweeping(Flow& flow) {
  if (!flow.swept) return;
  flow.swept = false;
  FlowHandle moved = swept_.back();
  swept_[flow.place] = moved;
  find(moved)->place = flow.place;
  swept_.pop_back();
}

}  // namespace causeway::engine
