#include "dns/name.h"

#include <array>
#include <cstdint>

namespace causeway::dns {

namespace {

constexpr std::uint8_t kPointer = 0xc0;
// Every pointer of a sensible name follows a label, and a name has at most 127 of those.
constexpr int kMaxPointers = 128;

char lower(char c) { return c >= 'A' && c <= 'Z' ? char(c + ('a' - 'A')) : c; }

struct Wire {
  std::array<char, Name::kMaxWire> bytes;
  std::size_t size = 0;
};

bool walk(Bytes message, std::size_t& at, Name::Compression compression, Wire& out) {
  std::size_t position = at, after = 0, lowest = at;
  int pointers = 0;
  while (true) {
    if (position >= message.size()) return false;
    std::uint8_t length = message[position];
    if ((length & kPointer) == kPointer) {
      if (compression == Name::Compression::kForbidden || position + 1 >= message.size()) return false;
      std::size_t target = std::size_t(length & ~kPointer) << 8 | message[position + 1];
      if (target >= lowest || ++pointers > kMaxPointers) return false;
      if (after == 0) after = position + 2;
      position = lowest = target;
      continue;
    }
    if (length > Name::kMaxLabel || message.size() - position <= length || out.size + 1 + length > out.bytes.size())
      return false;
    std::memcpy(out.bytes.data() + out.size, message.data() + position, 1u + length);
    out.size += 1u + length;
    position += 1u + length;
    if (length == 0) break;
  }
  at = after == 0 ? position : after;
  return true;
}

void append_escaped(std::string& out, char c) {
  auto byte = std::uint8_t(c);
  if (c == '.' || c == '\\') {
    out += '\\';
    out += c;
  } else if (byte > 0x20 && byte < 0x7f) {
    out += c;
  } else {
    out += '\\';
    for (int unit : {100, 10, 1}) out += char('0' + byte / unit % 10);
  }
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::optional<Name> Name::parse(std::string_view text) {
  if (text == ".") return Name();
  if (text.empty()) return std::nullopt;
  std::string wire, label;
  auto end_label = [&] {
    if (label.empty() || label.size() > kMaxLabel) return false;
    wire += char(label.size());
    wire += label;
    label.clear();
    return true;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '.') {
      if (!end_label()) return std::nullopt;
    } else if (text[i] != '\\') {
      label += text[i];
    } else if (i + 3 < text.size() && is_digit(text[i + 1]) && is_digit(text[i + 2]) && is_digit(text[i + 3])) {
      int value = (text[i + 1] - '0') * 100 + (text[i + 2] - '0') * 10 + (text[i + 3] - '0');
      if (value > 255) return std::nullopt;
      label += char(value);
      i += 3;
    } else if (i + 1 < text.size() && !is_digit(text[i + 1])) {
      label += text[++i];
    } else {
      return std::nullopt;
    }
    if (wire.size() + label.size() > kMaxWire) return std::nullopt;
  }
  if (!label.empty() && !end_label()) return std::nullopt;
  wire += '\0';
  if (wire.size() > kMaxWire) return std::nullopt;
  return Name(std::move(wire));
}

std::optional<Name> Name::read(Bytes message, std::size_t& at, Compression compression) {
  Wire wire;
  if (!walk(message, at, compression, wire)) return std::nullopt;
  return Name(std::string(wire.bytes.data(), wire.size));
}

bool Name::skip(Bytes message, std::size_t& at) {
  Wire wire;
  return walk(message, at, Compression::kAllowed, wire);
}

std::string Name::text() const {
  if (is_root()) return ".";
  std::string out;
  for (std::size_t at = 0; wire_[at] != 0; at += 1u + std::uint8_t(wire_[at])) {
    if (at != 0) out += '.';
    for (char c : std::string_view(wire_).substr(at + 1, std::uint8_t(wire_[at]))) append_escaped(out, c);
  }
  return out;
}

std::string Name::key() const {
  // Length bytes are at most 63, so lowering them too changes none.
  return dns::lower(wire_);
}

std::size_t Name::labels() const {
  std::size_t count = 0;
  for (std::size_t at = 0; wire_[at] != 0; at += 1u + std::uint8_t(wire_[at])) ++count;
  return count;
}

std::string_view Name::label(std::size_t index) const {
  std::size_t at = offset(index);
  CAUSEWAY_ASSERT(wire_[at] != 0);
  return std::string_view(wire_).substr(at + 1, std::uint8_t(wire_[at]));
}

std::size_t Name::offset(std::size_t index) const {
  std::size_t at = 0;
  for (; index > 0; --index) {
    CAUSEWAY_ASSERT(wire_[at] != 0);
    at += 1u + std::uint8_t(wire_[at]);
  }
  return at;
}

bool Name::under(const Name& ancestor) const {
  std::size_t own = labels(), theirs = ancestor.labels();
  return own >= theirs && same_label(std::string_view(wire_).substr(offset(own - theirs)), ancestor.wire_);
}

Name Name::without_first(std::size_t count) const { return Name(wire_.substr(offset(count))); }

Name Name::before_last(std::size_t count) const { return Name(wire_.substr(0, offset(labels() - count)) + '\0'); }

std::optional<Name> Name::followed_by(const Name& suffix) const {
  if (wire_.size() - 1 + suffix.wire_.size() > kMaxWire) return std::nullopt;
  return Name(wire_.substr(0, wire_.size() - 1) + suffix.wire_);
}

bool operator==(const Name& a, const Name& b) { return same_label(a.wire_, b.wire_); }

bool same_label(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

}  // namespace causeway::dns
