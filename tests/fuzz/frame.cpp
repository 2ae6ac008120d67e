// A record's plaintext as frames.
#include "core/link/frame.h"

#include "tests/fuzz/target.h"

namespace causeway::fuzz {
namespace {

using namespace link;

void write(WireWriter& writer, const Frame& frame) {
  auto put = [](MutableBytes to, Bytes from) { std::copy(from.begin(), from.end(), to.begin()); };
  switch (frame.type) {
    case FrameType::kOpen: return write_open(writer, frame.open);
    case FrameType::kOpened: return write_opened(writer, frame.id);
    case FrameType::kRefused: return write_refused(writer, frame.id, frame.reason);
    case FrameType::kData: return put(write_data(writer, frame.id, frame.value, frame.bytes.size()), frame.bytes);
    case FrameType::kCredit: return write_credit(writer, frame.id, frame.value);
    case FrameType::kFin: return write_fin(writer, frame.id, frame.value);
    case FrameType::kReset: return write_reset(writer, frame.id, frame.reason, frame.value);
    case FrameType::kDatagram:
      return put(write_datagram(writer, frame.id, frame.value, frame.offset, frame.last, frame.bytes.size()),
                 frame.bytes);
    case FrameType::kListen: return write_listen(writer, frame.id, frame.bytes);
    case FrameType::kListening: return write_listening(writer, frame.id, frame.bytes);
    case FrameType::kUnlisten: return write_unlisten(writer, frame.id, frame.reason, as_text(frame.bytes));
    case FrameType::kAck: return write_ack(writer, frame.id, frame.value);
    case FrameType::kPing: return write_ping(writer, frame.id);
    case FrameType::kPong: return write_pong(writer, frame.id);
    case FrameType::kGoaway: return write_goaway(writer, frame.id);
    case FrameType::kClose: return write_close(writer, frame.id, as_text(frame.bytes));
    case FrameType::kHandshake: break;
  }
  CAUSEWAY_ASSERT(!"the reader gives no other frame");
}

// What was read, written again; none where the record is in violation.
std::optional<Blob> rewritten(Bytes record) {
  Blob out(record.size() * 2 + 1024);
  WireWriter writer(out);
  WireReader reader(record);
  Frame frame;
  while (true) {
    switch (read_frame(reader, frame)) {
      case ReadFrame::kViolation: return std::nullopt;
      case ReadFrame::kEnd: out.resize(writer.size()); return out;
      case ReadFrame::kFrame: break;
    }
    CAUSEWAY_ASSERT(frame.id <= kMaxVarint && frame.value <= kMaxVarint && frame.bytes.size() <= record.size());
    CAUSEWAY_ASSERT(frame.open.first.size() <= kMaxFirstBytes && frame.open.destination.name.size() <= kMaxText);
    write(writer, frame);
  }
}

bool run(Bytes record) {
  std::optional<Blob> once = rewritten(record);
  if (!once) return false;
  std::optional<Blob> twice = rewritten(*once);
  CAUSEWAY_ASSERT(twice && *twice == *once);
  return true;
}

std::vector<Seed> seeds() {
  Blob all(4096);
  WireWriter writer(all);
  OpenFrame open;
  open.stream = 1;
  open.destination = {flow::Protocol::kTcp, "", *packet::Endpoint::parse("10.96.0.1:80")};
  open.source = *packet::Endpoint::parse("[fd00::1]:40000");
  open.first = as_bytes("GET /");
  write_open(writer, open);
  open.stream = 3;
  open.destination = {flow::Protocol::kUdp, "orders.shop", *packet::Endpoint::parse("0.0.0.0:53")};
  write_open(writer, open);
  open.destination = {flow::Protocol::kDns, "", {}};
  open.first = {};
  write_open(writer, open);
  write_opened(writer, 1);
  write_refused(writer, 3, Reason::kForbidden);
  std::memset(write_data(writer, 1, 70000, 5).data(), 'x', 5);
  write_credit(writer, 0, 1 << 30);
  write_fin(writer, 1, 70005);
  write_reset(writer, 1, Reason::kConnectionReset, 70005);
  std::memset(write_datagram(writer, 3, 9, 1000, true, 3).data(), 'y', 3);
  open.stream = 2;
  open.listen = 1;
  open.flags = kProbe;
  open.destination = {flow::Protocol::kTcp, "orders", *packet::Endpoint::parse("0.0.0.0:80")};
  write_open(writer, open);
  open.stream = 5;
  open.listen = open.flags = 0;
  open.destination = {flow::Protocol::kCatalogue, "", {}};
  write_open(writer, open);
  write_listen(writer, 1, as_bytes("orders"));
  write_listening(writer, 1, as_bytes("terms"));
  write_unlisten(writer, 1, Reason::kLimit, "too many");
  write_ack(writer, 0, 12345);
  write_ping(writer, 1);
  write_pong(writer, kMaxVarint);
  write_goaway(writer, 7);
  write_close(writer, 1, "bye");
  all.resize(writer.size());
  return {{all},
          {blob({0x40, 0x40, 3, 1, 2, 3, 0x0d, 5})},
          {blob({0x0c, 1}), false},
          {blob({0x3f}), false},
          {blob({0x04, 0xc0}), false}};
}

const Registration kRegistration({"frame", run, seeds});

}  // namespace
}  // namespace causeway::fuzz
