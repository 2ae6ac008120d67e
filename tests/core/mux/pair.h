// Two muxes with nothing between them but records: no carrier, no encryption, and acknowledgements when the test says so.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "core/mux/mux.h"

namespace causeway::mux {

inline constexpr std::size_t kRecord = 16 * 1024;

inline flow::Destination tcp(std::uint16_t port = 80) {
  return {flow::Protocol::kTcp, {}, {packet::Address::v4(10, 96, 0, 10), port}};
}
inline flow::Destination udp(std::uint16_t port = 53) {
  return {flow::Protocol::kUdp, {}, {packet::Address::v4(10, 96, 0, 10), port}};
}

inline Mux::Settings settings(std::uint64_t stream = 256 * 1024, std::uint64_t link = 64 * 1024 * 1024,
                              std::uint64_t streams = 1024) {
  Mux::Settings out;
  out.own = out.peer = {link, stream, streams};
  out.max_link_window = std::max(out.max_link_window, link);
  return out;
}

class Pair {
 public:
  struct Side final : link::SentItems {
    Side(Mux::Role role, BufferPool& blocks, const Mux::Settings& s) : pool(blocks), mux(role, blocks, s) {}

    void note(const link::SentItem& item) override { items.push_back(item); }

    // Fills one record; empty if there is nothing to send.
    Slice record(Instant at, std::size_t bulk = kRecord) {
      Slice out{pool.take(kRecord), nullptr, 0};
      WireWriter writer(out.owner.bytes().first(kRecord));
      if (mux.has_frames()) mux.write_frames(writer, *this, bulk, at);
      out.data = out.owner.data();
      out.size = writer.size();
      return out;
    }

    // False: a violation.
    bool take(const Slice& slice, Instant at) {
      WireReader reader(slice.bytes());
      link::Frame frame;
      link::ReadFrame read;
      while ((read = link::read_frame(reader, frame)) == link::ReadFrame::kFrame) {
        ++frames[frame.type];
        if (!mux.frame_received(frame, slice, at)) return false;
      }
      return read == link::ReadFrame::kEnd;
    }

    void acknowledge_all() {
      while (!items.empty()) {
        link::SentItem item = items.front();
        items.pop_front();
        mux.acknowledged(item);
      }
    }
    void lose_all_records() {
      while (!items.empty()) {
        link::SentItem item = items.front();
        items.pop_front();
        mux.lost(item);
      }
    }

    // New events, also kept in `seen`.
    std::vector<MuxEvent> events() {
      std::vector<MuxEvent> fresh;
      mux.take_events(fresh);
      seen.insert(seen.end(), fresh.begin(), fresh.end());
      return fresh;
    }
    std::size_t count(MuxEvent::Kind kind, StreamId stream = 0) {
      events();
      std::size_t n = 0;
      for (const MuxEvent& e : seen) n += e.kind == kind && (stream == 0 || e.stream == stream);
      return n;
    }
    const MuxEvent& last(MuxEvent::Kind kind) {
      events();
      for (std::size_t i = seen.size(); i-- > 0;) {
        if (seen[i].kind == kind) return seen[i];
      }
      ADD_FAILURE() << "no such event";
      static const MuxEvent kNone{};
      return kNone;
    }

    // Reads all that is ready, as text.
    std::string read(StreamId stream) {
      std::string out;
      while (mux.has_readable(stream)) {
        std::size_t n = mux.readable(stream).size;
        out += as_text(mux.readable(stream).bytes());
        mux.consume(stream, n);
      }
      return out;
    }
    void write(StreamId stream, std::string_view text) { mux.write(stream, pool.copy(as_bytes(text))); }

    BufferPool& pool;
    Mux mux;
    std::deque<link::SentItem> items;
    std::vector<MuxEvent> seen;
    std::map<link::FrameType, std::size_t> frames;
  };

  explicit Pair(const Mux::Settings& s = settings())
      : client(Mux::Role::kClient, pool, s), gateway(Mux::Role::kGateway, pool, s) {}

  // Moves records until neither side has any; what arrived is acknowledged at once unless told otherwise.
  void run(bool acknowledge = true) {
    bool moved = true;
    while (moved) {
      moved = move(client, gateway);
      moved |= move(gateway, client);
      if (acknowledge) {
        client.acknowledge_all();
        gateway.acknowledge_all();
      }
    }
  }

  bool move(Side& from, Side& to) {
    Slice record = from.record(now);
    if (record.size == 0) return false;
    EXPECT_TRUE(to.take(record, now)) << to.mux.violation();
    return true;
  }

  // A stream from the client that the gateway has accepted.
  StreamId connected() {
    StreamId id = client.mux.open(tcp(), {}, 0, {});
    run();
    gateway.mux.accept(id);
    run();
    return id;
  }

  BufferPool pool;
  Instant now{std::chrono::seconds(1000)};
  Side client, gateway;
};

}  // namespace causeway::mux
