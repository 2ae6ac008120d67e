// Frames: what the plaintext of records is made of. One codec for both roles.
//
//   OPEN      stream, listen, flags, protocol, destination, source, first bytes   listen 0: opened by the client
//   OPENED    stream
//   REFUSED   stream, reason
//   DATA      stream, offset, length, bytes
//   CREDIT    stream or 0 for the link, absolute limit
//   FIN       stream, final size
//   RESET     stream, reason, final size                                     ends both directions
//   DATAGRAM  flow, number, offset, last, length, bytes                      a large datagram is several
//   LISTEN    listen, parameters                                             flows towards the client are welcome
//   UNLISTEN  listen, reason, text                                           from the gateway: LISTEN refused or ended
//   ACK       carrier, records                                               the carrier's first `records` have arrived
//   HANDSHAKE                                                                inside the carrier only, see StreamCarrier
//   PING, PONG  token
//   GOAWAY    the highest stream that will still be served
//   CLOSE     code, text
//   LISTENING listen, parameters                                             from the gateway: LISTEN was taken
//
// Parameters are (id, length, value) triples that the link does not look into; see core/intercept/request.h.
// Integers are QUIC's. Types of kFirstOptional and above carry a length and are skipped where they are not known; an unknown
// type below is a violation.
#pragma once

#include <string_view>

#include "core/base/wire.h"
#include "core/flow/destination.h"
#include "core/link/reason.h"

namespace causeway::link {

using StreamId = std::uint64_t;
using ListenId = std::uint64_t;

enum class FrameType : std::uint8_t {
  kOpen = 0x01,
  kOpened = 0x02,
  kRefused = 0x03,
  kData = 0x04,
  kCredit = 0x05,
  kFin = 0x06,
  kReset = 0x07,
  kDatagram = 0x08,
  kListen = 0x09,
  kUnlisten = 0x0a,
  kAck = 0x0b,
  kHandshake = 0x0c,
  kPing = 0x0d,
  kPong = 0x0e,
  kGoaway = 0x0f,
  kClose = 0x10,
  kListening = 0x11,
};
inline constexpr std::uint64_t kFirstOptional = 0x40;

inline constexpr std::size_t kMaxFirstBytes = 2048;
inline constexpr std::size_t kMaxDatagram = 65535;
inline constexpr std::size_t kMaxText = 255;
inline constexpr std::size_t kMaxParameters = 8192;

// Upper bounds of what the writers below need, payload not counted.
inline constexpr std::size_t kDataOverhead = 1 + 8 + 8 + 4;
inline constexpr std::size_t kDatagramOverhead = 1 + 8 + 8 + 4 + 1 + 4;
inline constexpr std::size_t kSmallFrame = 1 + 8 + 8 + 8;
inline constexpr std::size_t kTextFrame = 1 + 8 + 1 + 2 + kMaxText;
inline constexpr std::size_t kParametersOverhead = 1 + 8 + 2;
inline constexpr std::size_t kOpenOverhead = 1 + 8 + 8 + 1 + 1 + (4 + kMaxText) + 19 + 2;

// OPEN's flags. Others are ignored.
inline constexpr std::uint8_t kProbe = 1;  // the gateway's own, to see that the way is whole: the engine answers, no program

struct OpenFrame {
  StreamId stream = 0;
  ListenId listen = 0;
  std::uint8_t flags = 0;
  flow::Destination destination;
  packet::Endpoint source;  // as the app has it; the default where there is none
  Bytes first;              // borrowed from the record or the caller
};

// One parsed frame; which fields count is said above. Spans are borrowed from the record.
struct Frame {
  FrameType type{};
  std::uint64_t id = 0;      // stream, flow, listen, carrier, token or code
  std::uint64_t value = 0;   // offset, limit, size, number or records
  std::uint32_t offset = 0;  // DATAGRAM: of the part in the datagram
  bool last = false;         // DATAGRAM
  Reason reason = Reason::kNone;
  Bytes bytes;               // payload, text or parameters
  OpenFrame open;
  std::uint32_t skipped = 0;  // unknown optional frames that were passed over since this Frame was made
};

enum class ReadFrame : std::uint8_t { kFrame, kEnd, kViolation };

// Reads the next frame of a record into `frame`, skipping unknown optional ones. After a violation frame.type is the offender's.
ReadFrame read_frame(WireReader& reader, Frame& frame);

void write_open(WireWriter& writer, const OpenFrame& open);
void write_opened(WireWriter& writer, StreamId stream);
void write_refused(WireWriter& writer, StreamId stream, Reason reason);
// Gives the place for the payload.
MutableBytes write_data(WireWriter& writer, StreamId stream, std::uint64_t offset, std::size_t size);
void write_credit(WireWriter& writer, StreamId stream, std::uint64_t limit);
void write_fin(WireWriter& writer, StreamId stream, std::uint64_t size);
void write_reset(WireWriter& writer, StreamId stream, Reason reason, std::uint64_t size);
MutableBytes write_datagram(WireWriter& writer, StreamId flow, std::uint64_t number, std::uint32_t offset, bool last,
                            std::size_t size);
void write_listen(WireWriter& writer, ListenId listen, Bytes parameters);
void write_listening(WireWriter& writer, ListenId listen, Bytes parameters);
void write_unlisten(WireWriter& writer, ListenId listen, Reason reason, std::string_view text);
void write_ack(WireWriter& writer, std::uint64_t carrier, std::uint64_t records);
void write_ping(WireWriter& writer, std::uint64_t token);
void write_pong(WireWriter& writer, std::uint64_t token);
void write_goaway(WireWriter& writer, StreamId highest);
void write_close(WireWriter& writer, std::uint64_t code, std::string_view text);

}  // namespace causeway::link
