#include "core/link/frame.h"

namespace causeway::link {
namespace {

enum AddressKind : std::uint8_t { kNoAddress = 0, kV4 = 4, kV6 = 6, kName = 1 };

void write_endpoint(WireWriter& writer, const packet::Endpoint& endpoint) {
  writer.byte(endpoint.address.is_v4() ? kV4 : kV6);
  writer.bytes(endpoint.address.bytes());
  writer.number16(endpoint.port);
}

bool read_endpoint(WireReader& reader, std::uint8_t kind, packet::Endpoint& out) {
  if (kind != kV4 && kind != kV6) return false;
  Bytes raw = reader.take(kind == kV4 ? 4 : 16);
  if (raw.empty()) return false;
  out.address = packet::Address::from_bytes(raw);
  out.port = reader.number16();
  return !reader.failed();
}

bool read_open(WireReader& reader, OpenFrame& open) {
  open = OpenFrame();
  open.stream = reader.varint();
  open.listen = reader.varint();
  open.flags = reader.byte();
  std::uint8_t protocol = reader.byte();
  if (protocol < std::uint8_t(flow::Protocol::kTcp) || protocol > std::uint8_t(flow::Protocol::kCatalogue)) return false;
  open.destination.protocol = flow::Protocol(protocol);
  std::uint8_t kind = reader.byte();
  if (kind == kName) {
    Bytes name = reader.take(reader.byte());
    if (name.empty()) return false;
    for (std::uint8_t c : name) {
      if (c <= ' ' || c >= 0x7f) return false;
    }
    open.destination.name = as_text(name);
    open.destination.endpoint.port = reader.number16();
  } else if (kind != kNoAddress && !read_endpoint(reader, kind, open.destination.endpoint)) {
    return false;
  }
  if (kind == kNoAddress && flow::has_address(open.destination.protocol) && open.listen == 0) return false;
  kind = reader.byte();
  if (kind != kNoAddress && !read_endpoint(reader, kind, open.source)) return false;
  std::uint64_t size = reader.varint();
  if (size > kMaxFirstBytes) return false;
  open.first = reader.take(size);
  return !reader.failed();
}

bool known_reason(std::uint8_t reason) { return reason <= std::uint8_t(Reason::kConflict); }

// A newer peer's reasons are taken as the unspecific one.
Reason read_reason(WireReader& reader) {
  std::uint8_t reason = reader.byte();
  return known_reason(reason) ? Reason(reason) : Reason::kInternal;
}

Bytes read_up_to(WireReader& reader, std::size_t most) {
  std::uint64_t size = reader.varint();
  return reader.take(size > most ? reader.left() + 1 : size);
}

Bytes read_text(WireReader& reader) { return read_up_to(reader, kMaxText); }

bool read_body(WireReader& reader, Frame& frame) {
  switch (frame.type) {
    case FrameType::kOpen:
      if (!read_open(reader, frame.open)) return false;
      frame.id = frame.open.stream;
      break;
    case FrameType::kOpened:
    case FrameType::kPing:
    case FrameType::kPong:
    case FrameType::kGoaway:
      frame.id = reader.varint();
      break;
    case FrameType::kRefused:
      frame.id = reader.varint();
      frame.reason = read_reason(reader);
      break;
    case FrameType::kUnlisten:
      frame.id = reader.varint();
      frame.reason = read_reason(reader);
      frame.bytes = read_text(reader);
      break;
    case FrameType::kData:
      frame.id = reader.varint();
      frame.value = reader.varint();
      frame.bytes = reader.take(reader.varint());
      if (frame.value + frame.bytes.size() > kMaxVarint) return false;
      break;
    case FrameType::kCredit:
    case FrameType::kFin:
    case FrameType::kAck:
      frame.id = reader.varint();
      frame.value = reader.varint();
      break;
    case FrameType::kReset:
      frame.id = reader.varint();
      frame.reason = read_reason(reader);
      frame.value = reader.varint();
      break;
    case FrameType::kDatagram: {
      frame.id = reader.varint();
      frame.value = reader.varint();
      std::uint64_t offset = reader.varint();
      frame.last = reader.byte() != 0;
      frame.bytes = reader.take(reader.varint());
      if (offset + frame.bytes.size() > kMaxDatagram) return false;
      frame.offset = std::uint32_t(offset);
      break;
    }
    case FrameType::kListen:
    case FrameType::kListening:
      frame.id = reader.varint();
      frame.bytes = read_up_to(reader, kMaxParameters);
      break;
    case FrameType::kClose:
      frame.id = reader.varint();
      frame.bytes = read_text(reader);
      break;
    case FrameType::kHandshake:
      return false;  // the carrier takes these, alone in their records
  }
  return !reader.failed();
}

void write_text(WireWriter& writer, std::string_view text) {
  text = text.substr(0, kMaxText);
  writer.varint(text.size());
  writer.bytes(as_bytes(text));
}

void write_parameters(WireWriter& writer, Bytes parameters) {
  CAUSEWAY_ASSERT(parameters.size() <= kMaxParameters);
  writer.varint(parameters.size());
  writer.bytes(parameters);
}

void write_type(WireWriter& writer, FrameType type) { writer.byte(std::uint8_t(type)); }

}  // namespace

const char* reason_name(Reason reason) {
  switch (reason) {
    case Reason::kNone: return "none";
    case Reason::kConnectionRefused: return "connection refused";
    case Reason::kHostUnreachable: return "host unreachable";
    case Reason::kNetworkUnreachable: return "network unreachable";
    case Reason::kTimedOut: return "timed out";
    case Reason::kForbidden: return "forbidden by the gateway";
    case Reason::kNameNotFound: return "name not found";
    case Reason::kLimit: return "limit reached";
    case Reason::kConnectionReset: return "connection reset";
    case Reason::kNotAvailable: return "not available";
    case Reason::kLinkLost: return "link lost";
    case Reason::kShuttingDown: return "shutting down";
    case Reason::kInternal: return "internal error";
    case Reason::kConflict: return "somebody else has it";
  }
  return "unknown";
}

ReadFrame read_frame(WireReader& reader, Frame& frame) {
  while (!reader.empty()) {
    std::uint64_t type = reader.varint();
    if (!reader.failed() && type >= kFirstOptional) {
      reader.take(reader.varint());
      if (!reader.failed()) {
        ++frame.skipped;
        continue;
      }
    }
    frame.type = FrameType(type);
    bool known = type >= std::uint64_t(FrameType::kOpen) && type <= std::uint64_t(FrameType::kListening);
    return !reader.failed() && known && read_body(reader, frame) ? ReadFrame::kFrame : ReadFrame::kViolation;
  }
  return reader.failed() ? ReadFrame::kViolation : ReadFrame::kEnd;
}

void write_open(WireWriter& writer, const OpenFrame& open) {
  write_type(writer, FrameType::kOpen);
  writer.varint(open.stream);
  writer.varint(open.listen);
  writer.byte(open.flags);
  writer.byte(std::uint8_t(open.destination.protocol));
  if (!open.destination.name.empty()) {
    CAUSEWAY_ASSERT(open.destination.name.size() <= kMaxText);
    writer.byte(kName);
    writer.byte(std::uint8_t(open.destination.name.size()));
    writer.bytes(as_bytes(open.destination.name));
    writer.number16(open.destination.endpoint.port);
  } else if (!flow::has_address(open.destination.protocol) || open.listen != 0) {
    writer.byte(kNoAddress);
  } else {
    write_endpoint(writer, open.destination.endpoint);
  }
  if (open.source == packet::Endpoint{}) {
    writer.byte(kNoAddress);
  } else {
    write_endpoint(writer, open.source);
  }
  writer.varint(open.first.size());
  writer.bytes(open.first);
}

void write_opened(WireWriter& writer, StreamId stream) {
  write_type(writer, FrameType::kOpened);
  writer.varint(stream);
}

void write_refused(WireWriter& writer, StreamId stream, Reason reason) {
  write_type(writer, FrameType::kRefused);
  writer.varint(stream);
  writer.byte(std::uint8_t(reason));
}

MutableBytes write_data(WireWriter& writer, StreamId stream, std::uint64_t offset, std::size_t size) {
  write_type(writer, FrameType::kData);
  writer.varint(stream);
  writer.varint(offset);
  writer.varint(size);
  return writer.claim(size);
}

void write_credit(WireWriter& writer, StreamId stream, std::uint64_t limit) {
  write_type(writer, FrameType::kCredit);
  writer.varint(stream);
  writer.varint(limit);
}

void write_fin(WireWriter& writer, StreamId stream, std::uint64_t size) {
  write_type(writer, FrameType::kFin);
  writer.varint(stream);
  writer.varint(size);
}

void write_reset(WireWriter& writer, StreamId stream, Reason reason, std::uint64_t size) {
  write_type(writer, FrameType::kReset);
  writer.varint(stream);
  writer.byte(std::uint8_t(reason));
  writer.varint(size);
}

MutableBytes write_datagram(WireWriter& writer, StreamId flow, std::uint64_t number, std::uint32_t offset, bool last,
                            std::size_t size) {
  write_type(writer, FrameType::kDatagram);
  writer.varint(flow);
  writer.varint(number);
  writer.varint(offset);
  writer.byte(last ? 1 : 0);
  writer.varint(size);
  return writer.claim(size);
}

void write_listen(WireWriter& writer, ListenId listen, Bytes parameters) {
  write_type(writer, FrameType::kListen);
  writer.varint(listen);
  write_parameters(writer, parameters);
}

void write_listening(WireWriter& writer, ListenId listen, Bytes parameters) {
  write_type(writer, FrameType::kListening);
  writer.varint(listen);
  write_parameters(writer, parameters);
}

void write_unlisten(WireWriter& writer, ListenId listen, Reason reason, std::string_view text) {
  write_type(writer, FrameType::kUnlisten);
  writer.varint(listen);
  writer.byte(std::uint8_t(reason));
  write_text(writer, text);
}

void write_ack(WireWriter& writer, std::uint64_t carrier, std::uint64_t records) {
  write_type(writer, FrameType::kAck);
  writer.varint(carrier);
  writer.varint(records);
}

void write_ping(WireWriter& writer, std::uint64_t token) {
  write_type(writer, FrameType::kPing);
  writer.varint(token);
}

void write_pong(WireWriter& writer, std::uint64_t token) {
  write_type(writer, FrameType::kPong);
  writer.varint(token);
}

void write_goaway(WireWriter& writer, StreamId highest) {
  write_type(writer, FrameType::kGoaway);
  writer.varint(highest);
}

void write_close(WireWriter& writer, std::uint64_t code, std::string_view text) {
  write_type(writer, FrameType::kClose);
  writer.varint(code);
  write_text(writer, text);
}

}  // namespace causeway::link
