#include "core/link/hello.h"

#include "core/base/wire.h"

namespace causeway::link {
namespace {

enum Parameter : std::uint64_t {
  kLowestVersion = 1,
  kHighestVersion = 2,
  kNumber = 3,
  kJoin = 4,
  kLinkCredit = 5,
  kStreamCredit = 6,
  kMaxStreams = 7,
  kVersion = 8,
  kLinkId = 9,
  kIcmpEcho = 10,
  kRefusalCode = 11,
  kText = 12,
};

class Writer {
 public:
  void number(Parameter id, std::uint64_t value) {
    std::uint8_t raw[8];
    WireWriter inner(raw);
    inner.varint(value);
    bytes(id, {raw, inner.size()});
  }

  void bytes(Parameter id, Bytes value) {
    std::uint8_t header[16];
    WireWriter writer(header);
    writer.varint(id);
    writer.varint(value.size());
    out_.insert(out_.end(), header, header + writer.size());
    out_.insert(out_.end(), value.begin(), value.end());
  }

  void limits(const Limits& limits) {
    number(kLinkCredit, limits.link_credit);
    number(kStreamCredit, limits.stream_credit);
    number(kMaxStreams, limits.max_streams);
  }

  std::vector<std::uint8_t> take() { return std::move(out_); }

 private:
  std::vector<std::uint8_t> out_;
};

// Calls `each(id, value)` for every parameter; false if the triples do not fit the payload.
template <class F>
bool read_parameters(Bytes payload, F&& each) {
  WireReader reader(payload);
  while (!reader.empty()) {
    std::uint64_t id = reader.varint();
    Bytes value = reader.take(reader.varint());
    if (reader.failed()) return false;
    WireReader inner(value);
    if (!each(id, value, inner) || inner.failed()) return false;
  }
  return !reader.failed();
}

bool read_limit(std::uint64_t id, WireReader& value, Limits& limits) {
  switch (id) {
    case kLinkCredit: limits.link_credit = value.varint(); return true;
    case kStreamCredit: limits.stream_credit = value.varint(); return true;
    case kMaxStreams: limits.max_streams = value.varint(); return true;
    default: return false;
  }
}

}  // namespace

std::vector<std::uint8_t> encode(const Hello& hello) {
  Writer writer;
  writer.number(kLowestVersion, hello.lowest_version);
  writer.number(kHighestVersion, hello.highest_version);
  writer.number(kNumber, hello.number & kMaxVarint);
  if (hello.join) writer.bytes(kJoin, *hello.join);
  writer.limits(hello.limits);
  return writer.take();
}

std::vector<std::uint8_t> encode(const Welcome& welcome) {
  Writer writer;
  writer.number(kVersion, welcome.version);
  writer.number(kLinkId, welcome.link_id & kMaxVarint);
  writer.limits(welcome.limits);
  writer.number(kIcmpEcho, welcome.icmp_echo);
  return writer.take();
}

std::vector<std::uint8_t> encode(const Refusal& refusal) {
  Writer writer;
  writer.number(kRefusalCode, std::uint64_t(refusal.code));
  writer.bytes(kText, as_bytes(std::string_view(refusal.text).substr(0, 255)));
  return writer.take();
}

Result<Hello> parse_hello(Bytes payload) {
  Hello hello;
  bool fits = read_parameters(payload, [&](std::uint64_t id, Bytes value, WireReader& reader) {
    switch (id) {
      case kLowestVersion: hello.lowest_version = reader.varint(); break;
      case kHighestVersion: hello.highest_version = reader.varint(); break;
      case kNumber: hello.number = reader.varint(); break;
      case kJoin:
        if (value.size() != std::tuple_size_v<JoinToken>) return false;
        std::memcpy(hello.join.emplace().data(), value.data(), value.size());
        break;
      default: read_limit(id, reader, hello.limits);
    }
    return true;
  });
  if (!fits) return fail(ErrorCode::kProtocol, "malformed hello");
  return hello;
}

Result<std::variant<Welcome, Refusal>> parse_answer(Bytes payload) {
  Welcome welcome;
  std::optional<Refusal> refusal;
  std::string text;
  bool fits = read_parameters(payload, [&](std::uint64_t id, Bytes value, WireReader& reader) {
    switch (id) {
      case kVersion: welcome.version = reader.varint(); break;
      case kLinkId: welcome.link_id = reader.varint(); break;
      case kIcmpEcho: welcome.icmp_echo = reader.varint() != 0; break;
      case kRefusalCode: refusal.emplace().code = RefusalCode(reader.varint()); break;
      case kText:
        text.clear();
        for (std::uint8_t c : value.first(std::min<std::size_t>(value.size(), 255))) {
          text += c < ' ' || c == 0x7f ? '?' : char(c);
        }
        break;
      default: read_limit(id, reader, welcome.limits);
    }
    return true;
  });
  if (!fits) return fail(ErrorCode::kProtocol, "malformed answer");
  if (!refusal) return std::variant<Welcome, Refusal>(welcome);
  refusal->text = text;
  return std::variant<Welcome, Refusal>(*refusal);
}

}  // namespace causeway::link
