// Streams, credit and the scheduler above one link: the same machine on both ends.
//
// Life of a stream. open() sends OPEN; the peer sees kOpen and answers with accept() or refuse(). Then bytes go both ways, each
// direction ended by finish(). reset() ends both; the peer answers with its own RESET, which tells how many bytes it had sent,
// so that the link's credit stays exact; until then the stream lingers unseen. A stream that is through gives kClosed, once.
// Datagram flows (UDP, echo, DNS) are streams without bytes: they may send before OPENED and end by reset(Reason::kNone).
//
// What comes from the peer is hostile until it fits the rules of the design: see violation().
#pragma once

#include <algorithm>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/link/hello.h"
#include "core/link/traffic.h"
#include "core/mux/scheduler.h"
#include "core/mux/stream.h"

namespace causeway::mux {

struct MuxEvent {
  enum class Kind : std::uint8_t {
    kOpen,        // the peer wants a stream: accept() or refuse() it; `destination`, `source`, `listen`, `flags`; a datagram
                  // flow's first in `data`, a byte stream's first bytes are readable()
    kOpened,      // ours was accepted
    kRefused,     // ours was refused: `reason`. kClosed does not follow
    kReadable,    // readable() has something, or the peer has finished
    kSent,        // take_sent() has bytes: they have left for the carrier
    kReset,       // the peer reset it: `reason`. What came before can still be read until forget(). kClosed does not follow
    kClosed,      // both directions have ended in order
    kDatagram,    // `data`
    kListen,      // the peer welcomes flows: `listen`, and on which terms in `data`
    kListening,   // the peer took our listen(): `listen`, its parameters in `data`
    kUnlisten,    // no longer, or not at all: `listen`, `reason`, `text`
  };
  Kind kind;
  StreamId stream = 0;
  ListenId listen = 0;
  Reason reason = Reason::kNone;
  std::uint8_t flags = 0;
  flow::Destination destination;
  packet::Endpoint source;
  Slice data;
  std::string text;
};

class Mux final : public link::Traffic {
 public:
  enum class Role : std::uint8_t { kClient, kGateway };

  struct Settings {
    link::Limits own;                                   // what we told the peer
    link::Limits peer;                                  // what the peer told us
    std::uint64_t max_stream_window = 16 * 1024 * 1024;
    std::uint64_t max_link_window = 64 * 1024 * 1024;
    std::size_t datagram_queue = 4 * 1024 * 1024;       // bytes that wait to be sent, all flows together
    std::size_t datagram_queue_per_flow = 512 * 1024;
    Duration datagram_age = std::chrono::seconds(1);
    std::size_t assembly = 4 * 1024 * 1024;             // bytes of datagrams that are being put together
  };

  struct Counters {
    std::uint64_t late_frames = 0;         // for streams that are closed
    std::uint64_t datagrams_dropped = 0;   // queue full or too old
    std::uint64_t datagrams_broken = 0;    // parts missing, or no room to put them together
  };

  static constexpr std::size_t kMaxListens = 1024;

  Mux(Role role, BufferPool& pool, const Settings& settings);
  ~Mux() override;

  // 0 if the peer's limit on open streams is reached. `first` rides on the OPEN (at most link::kMaxFirstBytes): for a datagram
  // flow its first datagram, for a byte stream its first bytes, within the credit that a new stream has.
  StreamId open(const flow::Destination& destination, const packet::Endpoint& source, ListenId listen, const Slice& first,
                std::uint8_t flags = 0);
  // How many first bytes a byte stream may have now.
  std::size_t first_bytes() const;
  // Nothing happens where the peer has reset it meanwhile.
  void accept(StreamId stream);
  void refuse(StreamId stream, Reason reason);

  // It is open, and not finished here: it takes bytes, and a finish.
  bool writable(StreamId stream) const;
  void write(StreamId stream, Slice bytes);
  std::uint64_t unsent(StreamId stream) const;  // written and not yet on the carrier
  std::uint64_t take_sent(StreamId stream);     // how many bytes left since the last call
  void finish(StreamId stream);
  void reset(StreamId stream, Reason reason);
  // After kReset: nothing more will be read.
  void forget(StreamId stream);
  void send_datagram(StreamId flow, Slice bytes, Instant now);

  bool has_readable(StreamId stream) const;
  const Slice& readable(StreamId stream) const;
  // Up to pieces.size() slices that are ready, in order.
  std::size_t readable(StreamId stream, std::span<Bytes> pieces) const;
  void consume(StreamId stream, std::size_t n);
  bool read_done(StreamId stream) const;  // the peer has finished and everything was consumed

  // 0 if there are kMaxListens. At most link::kMaxParameters bytes.
  ListenId listen(Bytes parameters);
  // The peer's LISTEN was taken, or is over: nothing more is opened for it.
  void listening(ListenId listen, Bytes parameters);
  void unlisten(ListenId listen, Reason reason, std::string_view text);

  // The carrier is gone: every stream ends with kReset(kLinkLost) or kRefused(kLinkLost).
  void lose_all();
  // At the end of a turn: what was not consumed moves to blocks of its size.
  void settle();
  void set_round_trip(Duration round_trip) { round_trip_ = round_trip; }
  void take_events(std::vector<MuxEvent>& out) { out.swap(events_); }
  std::size_t streams() const { return streams_.size(); }
  const Counters& counters() const { return counters_; }
  StreamId highest_peer_stream() const { return highest_peer_; }

  bool has_frames() const override;
  void write_frames(WireWriter& writer, link::SentItems& sent, std::size_t bulk, Instant now) override;
  bool frame_received(const link::Frame& frame, const Slice& record, Instant now) override;
  const char* violation() const override { return violation_; }
  void acknowledged(const link::SentItem& item) override;
  void lost(const link::SentItem& item) override;
  bool active() const override { return !streams_.empty() || !listens_.empty(); }

 private:
  using FrameType = link::FrameType;
  struct Control {
    FrameType type{};
    std::uint64_t id = 0;
  };
  struct Listen {
    std::vector<std::uint8_t> parameters;  // what LISTEN or LISTENING of this end says, until it is acknowledged
    bool ended = false;  // here
    bool taken = false;  // LISTENING has come
    Reason reason = Reason::kNone;
    std::string text;
  };

  Stream* find(StreamId stream);
  const Stream* find(StreamId stream) const;
  Stream& get(StreamId stream);
  bool is_local(StreamId stream) const { return (stream & 1) == (role_ == Role::kClient ? 1u : 0u); }
  bool violates(const char* rule);
  void emit(MuxEvent::Kind kind, StreamId stream, Reason reason = Reason::kNone);
  void queue_control(FrameType type, std::uint64_t id) { control_.push_back({type, id}); }
  void schedule(Stream& stream);
  void discard(Stream& stream);
  void discard_unsent(Stream& stream);
  void pop_datagram(Datagrams& datagrams);
  void erase_if_ended(Stream& stream);
  void close_if_through(Stream& stream);
  void erase(StreamId stream);
  void consumed_by_link(std::uint64_t n);
  void grant(Stream& stream);
  void grant_again();
  std::uint64_t link_receive_left() const { return link_credit_.limit() - link_received_; }

  // mux_send.cpp
  bool write_control(WireWriter& writer, link::SentItems& sent);
  bool write_one(const Control& control, WireWriter& writer, link::SentItems& sent);
  bool write_listen(const Control& control, WireWriter& writer, link::SentItems& sent);
  bool write_data(Stream& stream, WireWriter& writer, link::SentItems& sent);
  bool write_datagrams(Stream& stream, WireWriter& writer, Instant now);
  std::uint64_t new_bytes_allowed(const Stream& stream) const;

  // mux_receive.cpp
  bool received_open(const link::OpenFrame& open);
  bool received_answer(const link::Frame& frame);
  bool received_data(Stream& stream, const link::Frame& frame, const Slice& record);
  bool received_credit(const link::Frame& frame);
  bool received_fin(Stream& stream, std::uint64_t size);
  bool received_reset(Stream& stream, const link::Frame& frame);
  void received_datagram(Stream& stream, const link::Frame& frame, const Slice& record);
  bool received_listen(const link::Frame& frame);
  bool count_received(Stream& stream, std::uint64_t highest);

  // How the link's credit is shared, so that readers that have stalled cannot use it up: between two raises of its limit a stream
  // sends an eighth of what is left above a reserve of a quarter, and its part of that reserve in any case. Whoever receives
  // tells of a raise after half as much was consumed.
  struct Share {
    explicit Share(const Settings& settings);
    std::uint64_t sender(std::uint64_t left) const { return part(left, send_reserve, send_least); }
    std::uint64_t receiver(std::uint64_t left) const { return part(left, receive_reserve, receive_least); }

   private:
    static constexpr std::uint64_t kLeast = 512;
    static std::uint64_t part(std::uint64_t left, std::uint64_t reserve, std::uint64_t least) {
      return std::max(left > reserve ? (left - reserve) / 8 : 0, least);
    }
    std::uint64_t send_reserve, receive_reserve, send_least, receive_least;
  };
  // Streams in any state that a peer may have here, in multiples of its limit: each refusal waits to be acknowledged.
  static constexpr std::uint64_t kLingering = 8;

  Role role_;
  BufferPool& pool_;
  Settings settings_;
  std::unordered_map<StreamId, Stream> streams_;
  std::size_t local_open_ = 0, peer_open_ = 0;
  StreamId next_local_;
  StreamId highest_peer_ = 0;
  std::unordered_map<ListenId, Listen> listens_;
  ListenId next_listen_ = 1;
  ListenId highest_listen_ = 0;

  Ring<Control> again_;    // lost with a carrier, in their old order
  bool losing_ = false;    // something was lost since the last write
  std::size_t leftover_ = 0;  // of again_ when that began: sent behind what was lost since
  Ring<Control> control_;
  Scheduler scheduler_;
  Share share_;
  std::uint64_t link_send_limit_;
  std::uint64_t link_sent_ = 0;
  Credit link_credit_;
  std::uint64_t link_received_ = 0;
  std::uint64_t link_consumed_ = 0;
  bool link_credit_queued_ = false;
  std::uint64_t granted_again_ = 0;  // a stream's share when all were last asked, or more since
  std::size_t datagram_bytes_ = 0;
  std::size_t assembly_bytes_ = 0;

  std::vector<StreamId> link_blocked_;  // had something to send when the link's credit was used up
  Duration round_trip_{};
  Instant now_{};  // of the last call that said
  std::vector<StreamId> unread_;  // streams with something ready in this turn, for settle()
  std::vector<MuxEvent> events_;
  Counters counters_;
  const char* violation_ = "";
};

}  // namespace causeway::mux
