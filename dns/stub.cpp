#include "dns/stub.h"

#include <algorithm>

namespace causeway::dns {

namespace {

using engine::DnsAction;
using engine::DnsFailure;
using engine::DnsRequestId;
using engine::DnsStreamId;

// What a waiting question takes in our tables and the resolver's, without its name.
constexpr std::size_t kQuestionCost = 1024;
// A name is kept in the question, the job, its key and the request.
constexpr std::size_t kNameCopies = 6;

}  // namespace

std::size_t Stub::Asker::cost() const { return kQuestionCost + kNameCopies * query.question.name.wire().size(); }

Stub::Stub(Rules rules, const StubConfig& config, Random& random)
    : config_(config), resolver_(std::move(rules), config.resolver, random, counters_, actions_) {
  CAUSEWAY_ASSERT(config.udp_size >= kPlainUdpSize);
}

void Stub::datagram(const packet::Endpoint& peer, const packet::Endpoint& local, Bytes message, Instant now) {
  Asker asker;
  asker.peer = peer;
  asker.local = local;
  if (peer.port == 0) {
    ++counters_.dropped;
    return;
  }
  receive(std::move(asker), message, now);
  answer_outcomes(now);
}

void Stub::stream_opened(DnsStreamId stream, Instant now) {
  if (streams_.size() >= config_.max_streams && !make_room()) {
    ++counters_.dropped;
    DnsAction action{};
    action.kind = DnsAction::Kind::kCloseStream;
    action.stream = stream;
    actions_.push_back(std::move(action));
    return;
  }
  streams_.emplace(stream, Stream{}).first->second.idle_since = now;
}

void Stub::stream_received(DnsStreamId id, Bytes bytes, Instant now) {
  auto found = streams_.find(id);
  if (found == streams_.end() || found->second.finished) return;
  Stream& stream = found->second;
  stream.idle_since = now;
  stream_bytes_ -= stream.messages.size();
  stream.messages.receive(bytes, [&](Bytes message) {
    Asker asker;
    asker.way = Asker::Way::kStream;
    asker.stream = id;
    ++stream.waiting;
    receive(std::move(asker), message, now);
  });
  stream_bytes_ += stream.messages.size();
  if (stream_bytes_ > config_.max_stream_bytes) {
    ++counters_.dropped;
    close_stream(found);
  }
  answer_outcomes(now);
}

void Stub::stream_finished(DnsStreamId id, Instant) {
  auto found = streams_.find(id);
  if (found == streams_.end()) return;
  found->second.finished = true;
  if (found->second.waiting == 0) close_stream(found);
}

void Stub::asked(DnsRequestId request, Bytes message, Instant now) {
  Asker asker;
  asker.way = Asker::Way::kInProcess;
  asker.request = request;
  receive(std::move(asker), message, now);
  answer_outcomes(now);
}

void Stub::receive(Asker asker, Bytes message, Instant now) {
  ++counters_.questions;
  ParsedQuery parsed = parse_query(message);
  asker.query = std::move(parsed.query);
  switch (parsed.verdict) {
    case ParsedQuery::Verdict::kDrop:
      ++counters_.dropped;
      return settle(asker, now);
    case ParsedQuery::Verdict::kFormErr:
      ++counters_.malformed;
      send(asker, header_answer(message, Rcode::kFormErr));
      return settle(asker, now);
    case ParsedQuery::Verdict::kNotImp:
      send(asker, header_answer(message, Rcode::kNotImp));
      return settle(asker, now);
    case ParsedQuery::Verdict::kBadVersion:
      send(asker, empty_answer(asker.query, Rcode::kBadVersion, config_.udp_size));
      return settle(asker, now);
    case ParsedQuery::Verdict::kGood: break;
  }
  Rcode refusal = Rcode::kNoError;
  std::uint16_t type = asker.query.question.type;
  // A zone transfer has many messages, so it cannot be passed on as one.
  if (type == kTypeAxfr || type == kTypeIxfr) refusal = Rcode::kRefused;
  if (askers_.size() >= config_.max_waiting || waiting_bytes_ + asker.cost() > config_.max_waiting_bytes) {
    ++counters_.overflowed;
    refusal = Rcode::kServFail;
  }
  if (refusal != Rcode::kNoError) {
    Outcome outcome;
    outcome.rcode = refusal;
    answer(asker, outcome);
    return settle(asker, now);
  }
  AskerId id = ++last_asker_;
  waiting_bytes_ += asker.cost();
  const Asker& kept = askers_.emplace(id, std::move(asker)).first->second;
  resolver_.ask(id, kept.query, now);
}

void Stub::answer_outcomes(Instant now) {
  resolver_.take_outcomes(outcomes_);
  for (const Outcome& outcome : outcomes_) {
    for (AskerId id : outcome.askers) {
      auto found = askers_.find(id);
      CAUSEWAY_ASSERT(found != askers_.end());
      Asker asker = std::move(found->second);
      askers_.erase(found);
      waiting_bytes_ -= asker.cost();
      answer(asker, outcome);
      settle(asker, now);
    }
  }
  outcomes_.clear();
}

void Stub::answer(const Asker& asker, const Outcome& outcome) {
  if (outcome.rcode == Rcode::kServFail) ++counters_.servfail;
  if (outcome.rcode == Rcode::kNxDomain) ++counters_.nxdomain;
  const Query& query = asker.query;
  if (outcome.message.empty()) return send(asker, empty_answer(query, outcome.rcode, config_.udp_size, outcome.why));
  std::size_t limit = kMaxMessage;
  if (asker.way == Asker::Way::kDatagram) {
    limit = query.edns ? std::clamp<std::size_t>(query.edns->udp_size, kPlainUdpSize, config_.udp_size) : kPlainUdpSize;
  }
  FittedAnswer fitted = fit_answer(outcome.message, outcome.view, query, limit, config_.udp_size);
  if (fitted.truncated) ++counters_.truncated;
  send(asker, std::move(fitted.message));
}

void Stub::send(const Asker& asker, std::vector<std::uint8_t> message) {
  DnsAction action{};
  switch (asker.way) {
    case Asker::Way::kDatagram:
      action.kind = DnsAction::Kind::kAnswerDatagram;
      action.peer = asker.peer;
      action.local = asker.local;
      break;
    case Asker::Way::kStream:
      if (streams_.find(asker.stream) == streams_.end()) return;
      std::uint8_t length[2];
      store16(length, std::uint16_t(message.size()));
      message.insert(message.begin(), length, length + 2);
      action.kind = DnsAction::Kind::kAnswerStream;
      action.stream = asker.stream;
      break;
    case Asker::Way::kInProcess:
      action.kind = DnsAction::Kind::kAnswerAsked;
      action.request = asker.request;
      break;
  }
  action.message = std::move(message);
  actions_.push_back(std::move(action));
}

// One question less is waiting on its stream.
void Stub::settle(const Asker& asker, Instant now) {
  if (asker.way != Asker::Way::kStream) return;
  auto found = streams_.find(asker.stream);
  if (found == streams_.end()) return;
  found->second.idle_since = now;
  if (--found->second.waiting == 0 && found->second.finished) close_stream(found);
}

void Stub::close_stream(Streams::iterator stream) {
  DnsAction action{};
  action.kind = DnsAction::Kind::kCloseStream;
  action.stream = stream->first;
  actions_.push_back(std::move(action));
  stream_bytes_ -= stream->second.messages.size();
  streams_.erase(stream);
}

// Closes the stream that has had nothing to do for longest; false where all have.
bool Stub::make_room() {
  auto longest = streams_.end();
  for (auto at = streams_.begin(); at != streams_.end(); ++at) {
    if (at->second.waiting != 0) continue;
    bool is_longer = longest == streams_.end() || at->second.idle_since < longest->second.idle_since ||
                     (at->second.idle_since == longest->second.idle_since && at->first < longest->first);
    if (is_longer) longest = at;
  }
  if (longest == streams_.end()) return false;
  close_stream(longest);
  return true;
}

void Stub::cluster_answered(DnsRequestId request, Bytes message, Instant now) {
  resolver_.cluster_answered(request, message, now);
  answer_outcomes(now);
}

void Stub::cluster_failed(DnsRequestId request, DnsFailure why, Instant now) {
  resolver_.cluster_failed(request, why, now);
  answer_outcomes(now);
}

void Stub::machine_answered(DnsRequestId request, Bytes message, Instant now) {
  resolver_.machine_answered(request, message, now);
  answer_outcomes(now);
}

void Stub::machine_failed(DnsRequestId request, DnsFailure why, Instant now) {
  resolver_.machine_failed(request, why, now);
  answer_outcomes(now);
}

void Stub::link_changed(bool up, Instant now) {
  resolver_.link_changed(up, now);
  answer_outcomes(now);
}

void Stub::take_actions(std::vector<DnsAction>& out) {
  CAUSEWAY_ASSERT(out.empty());
  out.swap(actions_);
}

Instant Stub::deadline() const {
  Instant first = resolver_.deadline();
  for (const auto& [id, stream] : streams_) {
    if (stream.waiting == 0) first = std::min(first, stream.idle_since + config_.stream_idle);
  }
  return first;
}

void Stub::advance(Instant now) {
  resolver_.advance(now);
  answer_outcomes(now);
  std::vector<DnsStreamId> idle;
  for (const auto& [id, stream] : streams_) {
    if (stream.waiting == 0 && stream.idle_since + config_.stream_idle <= now) idle.push_back(id);
  }
  std::sort(idle.begin(), idle.end());
  for (DnsStreamId id : idle) close_stream(streams_.find(id));
}

}  // namespace causeway::dns
