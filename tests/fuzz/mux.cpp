// Frames of a peer who has the keys but not the manners, against the streams, and a program that does anything with them.
#include "core/mux/mux.h"

#include <algorithm>

#include "tests/fuzz/frames.h"

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
        mux_.reset(stream, link::Reason(choice % 14));
        drop(stream);
        break;
      case 5: read(stream, choice); break;
      case 6: now_ += std::chrono::milliseconds(choice * 10); break;
      case 7: acknowledge(choice & 16); break;
      case 8:
        if (known && !known->tcp) mux_.send_datagram(stream, pool_.copy(Blob(std::size_t(choice) * 61, choice)), now_);
        break;
      case 9:
        if (role_ == Mux::Role::kClient) mux_.listen(as_bytes("name"));
        break;
      case 10: mux_.unlisten(choice / 16, link::Reason::kLimit, "text"); break;
      case 13:
        if (role_ == Mux::Role::kGateway) mux_.listening(choice / 16, as_bytes("terms"));
        break;
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
      bool tcp = flow::is_stream(event.destination.protocol);
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
    mux_.write_frames(writer, sent_, writer.room(), now_);
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

Blob record(const Blob& frames) { return blob({1}) + chunk(frames); }
Blob act(int choice) { return blob({0, choice}); }

std::vector<Seed> seeds() {
  Blob gateway = blob({0}), client = blob({1});
  Blob credits = credit(1, 1 << 20) + credit(0, 1 << 22);
  Blob listen = frame([](WireWriter& writer) { link::write_listen(writer, 1, as_bytes("orders")); });
  Blob unlisten = frame([](WireWriter& writer) { link::write_unlisten(writer, 1, link::Reason::kLimit, "no"); });
  Blob listening = frame([](WireWriter& writer) { link::write_listening(writer, 1, as_bytes("terms")); });
  Blob parts = link_datagram(1, 0, 0, false, 100) + link_datagram(1, 0, 100, true, 100);
  return {
      {gateway + record(open(1)) + act(15) + record(data(1, 5, 100)) + act(5) + record(data(1, 105, 50) + fin(1, 155)) +
       act(5 + 240) + act(2) + act(3) + act(12) + act(7 + 16)},
      {gateway + record(open(1)) + act(15) + record(data(1, 200, 10)) + record(data(1, 5, 195)) + act(5 + 112) +
       record(reset(1, 210)) + act(15)},
      {gateway + record(open(1, flow::Protocol::kUdp)) + act(15) + record(parts) + act(8 + 16) + act(12) + act(4) +
       act(12) + record(reset(1, 0))},
      {gateway + record(open(1)) + act(64 + 15) + record(open(3)) + act(15) + record(open(5)) + act(15) + act(4) +
       act(12)},
      {client + act(0) + act(12) + record(opened(1) + credits) + act(2 + 112) + act(12) + act(7) + act(12) +
       act(7 + 16) + record(data(1, 0, 64)) + act(5) + act(4) + act(12)},
      {client + act(1) + act(12) + record(refused(1, link::Reason::kForbidden)) + act(12)},
      {client + act(9) + record(listening) + record(open(2, flow::Protocol::kTcp, 1)) + act(15) + record(unlisten) + act(10 + 16) +
       act(12)},
      {gateway + record(listen) + act(13 + 16) + act(12) + act(10 + 16) + act(12)},
      {gateway + record(data(1, 0, 10)), false},
      {gateway + record(open(1)) + act(15) + record(data(1, 5, 100) + fin(1, 50)), false},
      {gateway + record(open(1)) + act(15) + record(data(1, 1 << 20, 1)), false},
      {gateway + record(open(2)), false},
  };
}

const Registration kRegistration({"mux", run, seeds});

}  // namespace
}  // namespace causeway::fuzz
