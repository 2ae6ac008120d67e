// Frames of a peer who has the keys but not the manners, against the streams, and a program that does anything with them.
#include "core/mux/mux.h"

#include <algorithm>
#include <functional>

#include "tests/fuzz/target.h"

namespace causeway::fuzz {
namespace {

using link::Frame;
using link::ReadFrame;
using mux::Mux;
using mux::MuxEvent;

class Sent final : public link::SentItems {
 public:
  void note(const link::SentItem& item) override { items.push_back(item); }
  std::vector<link::SentItem> items;
};

constexpr std::uint64_t kWindow = 64 * 1024;

Mux::Settings settings() {
  Mux::Settings out;
  out.own = {4 * kWindow, kWindow, 20};
  out.peer = {4 * kWindow, kWindow, 20};
  out.max_stream_window = 2 * kWindow;
  out.max_link_window = 8 * kWindow;
  out.datagram_queue = 64 * 1024;
  out.datagram_queue_per_flow = 16 * 1024;
  out.assembly = 70 * 1024;
  return out;
}

class Program {
 public:
  Program(Mux::Role role, BufferPool& pool) : role_(role), mux_(role, pool, settings()), pool_(pool) {}

  // False: the peer broke a rule.
  bool record(Bytes plain) {
    Slice slice = pool_.copy(plain);
    WireReader reader(slice.bytes());
    Frame frame;
    while (true) {
      ReadFrame got = link::read_frame(reader, frame);
      if (got != ReadFrame::kFrame) return got == ReadFrame::kEnd;
      switch (frame.type) {
        case link::FrameType::kAck:
        case link::FrameType::kPing:
        case link::FrameType::kPong:
        case link::FrameType::kGoaway:
        case link::FrameType::kClose: continue;  // the link's own
        default: break;
      }
      if (!mux_.frame_received(frame, slice, now_)) {
        CAUSEWAY_ASSERT(mux_.violation()[0] != '\0');
        return false;
      }
      ++frames_;
    }
  }

  // What the program does, by a byte of the input.
  void act(std::uint8_t choice) {
    take_events(choice);
    Known* known = alive_.empty() ? nullptr : &alive_[choice / 16 % alive_.size()];
    link::StreamId stream = known ? known->id : 0;
    switch (choice % 16) {
      case 0:
      case 1: {
        flow::Destination to;
        to.protocol = choice & 1 ? flow::Protocol::kUdp : flow::Protocol::kTcp;
        to.endpoint = *packet::Endpoint::parse("10.0.0.1:80");
        link::StreamId fresh = mux_.open(to, {}, 0, choice & 32 ? pool_.copy(as_bytes("first")) : Slice());
        if (fresh) alive_.push_back({fresh, to.protocol == flow::Protocol::kTcp, false});
        break;
      }
      case 2:
        if (known && known->writable) mux_.write(stream, pool_.copy(Blob(std::size_t(choice) * 37 + 1, choice)));
        break;
      case 3:
        if (!known || !known->writable) break;
        mux_.finish(stream);
        known->writable = false;
        break;
      case 4:
        if (!known) break;
        mux_.reset(stream, link::Reason(choice % 13));
        drop(stream);
        break;
      case 5: read(stream, choice); break;
      case 6: now_ += std::chrono::milliseconds(choice * 10); break;
      case 7: acknowledge(choice & 16); break;
      case 8:
        if (known && !known->tcp) mux_.send_datagram(stream, pool_.copy(Blob(std::size_t(choice) * 61, choice)), now_);
        break;
      case 9:
        if (role_ == Mux::Role::kClient) mux_.listen("name");
        break;
      case 10: mux_.unlisten(choice / 16, link::Reason::kLimit); break;
      case 11: mux_.settle(); break;
      default: send(); break;
    }
  }

  void finish() {
    for (int i = 0; i < 50 && mux_.has_frames(); ++i) send();
    mux_.lose_all();
    CAUSEWAY_ASSERT(mux_.streams() == 0);
  }

  std::size_t frames() const { return frames_; }

 private:
  struct Known {
    link::StreamId id;
    bool tcp, writable;
  };

  Known* find(link::StreamId stream) {
    auto found = std::find_if(alive_.begin(), alive_.end(), [&](const Known& known) { return known.id == stream; });
    return found == alive_.end() ? nullptr : &*found;
  }
  void drop(link::StreamId stream) {
    if (Known* known = find(stream)) alive_.erase(alive_.begin() + (known - alive_.data()));
  }

  void take_events(std::uint8_t choice) {
    std::vector<MuxEvent> events;
    mux_.take_events(events);
    for (const MuxEvent& event : events) {
      bool tcp = event.destination.protocol == flow::Protocol::kTcp;
      switch (event.kind) {
        case MuxEvent::Kind::kOpen:
          if (choice & 64) {
            mux_.refuse(event.stream, link::Reason::kForbidden);
          } else {
            mux_.accept(event.stream);
            alive_.push_back({event.stream, tcp, tcp});
          }
          break;
        case MuxEvent::Kind::kOpened:
          if (Known* known = find(event.stream)) known->writable = known->tcp;
          break;
        case MuxEvent::Kind::kReset: mux_.forget(event.stream); [[fallthrough]];
        case MuxEvent::Kind::kRefused:
        case MuxEvent::Kind::kClosed: drop(event.stream); break;
        case MuxEvent::Kind::kSent: mux_.take_sent(event.stream); break;
        default: break;
      }
    }
  }

  void read(link::StreamId stream, std::uint8_t choice) {
    while (mux_.has_readable(stream)) {
      std::size_t n = std::min<std::size_t>(mux_.readable(stream).size, std::size_t(choice) * 16 + 1);
      mux_.consume(stream, n);
      if (choice & 128) break;
    }
  }

  void send() {
    std::uint8_t space[4096];
    WireWriter writer(space);
    mux_.write_frames(writer, sent_, true, now_);
    CAUSEWAY_ASSERT(writer.size() <= sizeof space);
    WireReader reader(Bytes(space, writer.size()));
    Frame frame;
    ReadFrame got;
    while ((got = link::read_frame(reader, frame)) == ReadFrame::kFrame) continue;
    CAUSEWAY_ASSERT(got == ReadFrame::kEnd);
  }

  void acknowledge(bool arrived) {
    std::vector<link::SentItem> items;
    items.swap(sent_.items);
    for (const link::SentItem& item : items) arrived ? mux_.acknowledged(item) : mux_.lost(item);
  }

  Mux::Role role_;
  Mux mux_;
  BufferPool& pool_;
  Sent sent_;
  Instant now_{};
  std::vector<Known> alive_;
  std::size_t frames_ = 0;
};

// Byte 0: the role. Then steps: a byte of choice, whose upper half is a record to come where the next byte is odd.
bool run(Bytes bytes) {
  BufferPool pool;
  bool good;
  {
    Input input(bytes);
    Program program(input.byte() & 1 ? Mux::Role::kClient : Mux::Role::kGateway, pool);
    good = true;
    while (good && !input.empty()) {
      if (input.byte() & 1) {
        good = program.record(input.chunk());
      } else {
        program.act(input.byte());
      }
    }
    program.finish();
    good = good && program.frames() > 0;
  }
  CAUSEWAY_ASSERT(pool.in_use() == 0);
  return good;
}

Blob frames(const std::function<void(WireWriter&)>& fill) {
  Blob out(4096);
  WireWriter writer(out);
  fill(writer);
  out.resize(writer.size());
  return blob({1}) + chunk(out);
}
Blob act(int choice) { return blob({0, choice}); }

Blob open(link::StreamId id, flow::Protocol protocol = flow::Protocol::kTcp) {
  return frames([&](WireWriter& writer) {
    link::OpenFrame frame;
    frame.stream = id;
    frame.destination = {protocol, "", *packet::Endpoint::parse("10.96.0.1:80")};
    frame.first = as_bytes("first");
    link::write_open(writer, frame);
  });
}
Blob data(link::StreamId id, std::uint64_t offset, std::size_t size) {
  return frames([&](WireWriter& writer) { std::memset(link::write_data(writer, id, offset, size).data(), 'd', size); });
}
Blob fin(link::StreamId id, std::uint64_t size) {
  return frames([&](WireWriter& writer) { link::write_fin(writer, id, size); });
}
Blob reset(link::StreamId id, std::uint64_t size) {
  return frames([&](WireWriter& writer) { link::write_reset(writer, id, link::Reason::kConnectionReset, size); });
}

std::vector<Seed> seeds() {
  Blob gateway = blob({0}), client = blob({1});
  Blob opened = frames([](WireWriter& writer) {
    link::write_opened(writer, 1);
    link::write_credit(writer, 1, 1 << 20);
    link::write_credit(writer, 0, 1 << 22);
  });
  Blob datagram = frames([](WireWriter& writer) {
    std::memset(link::write_datagram(writer, 1, 0, 0, false, 100).data(), 'a', 100);
    std::memset(link::write_datagram(writer, 1, 0, 100, true, 100).data(), 'b', 100);
  });
  return {
      {gateway + open(1) + act(15) + data(1, 5, 100) + act(5) + data(1, 105, 50) + fin(1, 155) + act(5 + 240) + act(2) + act(3) + act(12) + act(7 + 16)},
      {gateway + open(1) + act(15) + data(1, 200, 10) + data(1, 5, 195) + act(5 + 112) + reset(1, 210) + act(15)},
      {gateway + open(1, flow::Protocol::kUdp) + act(15) + datagram + act(8 + 16) + act(12) + act(4) + act(12) + reset(1, 0)},
      {gateway + open(1) + act(64 + 15) + open(3) + act(15) + open(5) + act(15) + act(4) + act(12)},
      {client + act(0) + act(12) + opened + act(2 + 112) + act(12) + act(7) + act(12) + act(7 + 16) + data(1, 0, 64) + act(5) + act(4) + act(12)},
      {client + act(1) + act(12) + frames([](WireWriter& w) { link::write_refused(w, 1, link::Reason::kForbidden); }) + act(12)},
      {client + act(9) + frames([](WireWriter& w) { link::write_unlisten(w, 1, link::Reason::kLimit); }) + act(10 + 16) + act(12)},
      {gateway + frames([](WireWriter& w) { link::write_listen(w, 1, "orders"); }) + act(10 + 16) + act(12)},
      {gateway + data(1, 0, 10), false},
      {gateway + open(1) + act(15) + data(1, 5, 100) + fin(1, 50), false},
      {gateway + open(1) + act(15) + data(1, 1 << 20, 1), false},
      {gateway + open(2), false},
  };
}

const Registration kRegistration({"mux", run, seeds});

}  // namespace
}  // namespace causeway::fuzz
