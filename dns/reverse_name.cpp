#include "dns/reverse_name.h"

#include <algorithm>
#include <array>
#include <string>

namespace causeway::dns {

namespace {

std::optional<unsigned> octet(std::string_view label) {
  auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (label.empty() || label.size() > 3 || !std::all_of(label.begin(), label.end(), is_digit)) return std::nullopt;
  unsigned value = 0;
  for (char c : label) value = value * 10 + unsigned(c - '0');
  if (value > 255) return std::nullopt;
  return value;
}

std::optional<unsigned> nibble(std::string_view label) {
  if (label.size() != 1) return std::nullopt;
  char c = label[0];
  if (c >= '0' && c <= '9') return unsigned(c - '0');
  if (c >= 'a' && c <= 'f') return unsigned(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return unsigned(c - 'A' + 10);
  return std::nullopt;
}

}  // namespace

std::optional<packet::Cidr> reverse_prefix(const Name& name) {
  std::size_t labels = name.labels();
  if (labels < 3 || !same_label(name.label(labels - 1), "arpa")) return std::nullopt;
  std::array<std::uint8_t, 16> raw{};
  unsigned length = 0;
  if (same_label(name.label(labels - 2), "in-addr")) {
    for (std::size_t at = labels - 2; at-- > 0 && length < 32; length += 8) {
      std::optional<unsigned> value = octet(name.label(at));
      if (!value) break;
      raw[length / 8] = std::uint8_t(*value);
    }
    if (length == 0) return std::nullopt;
    return packet::Cidr(packet::Address::from_bytes(Bytes(raw).first(4)), length);
  }
  if (!same_label(name.label(labels - 2), "ip6")) return std::nullopt;
  for (std::size_t at = labels - 2; at-- > 0 && length < 128; length += 4) {
    std::optional<unsigned> value = nibble(name.label(at));
    if (!value) break;
    raw[length / 8] = std::uint8_t(raw[length / 8] | *value << (length % 8 == 0 ? 4 : 0));
  }
  if (length == 0) return std::nullopt;
  return packet::Cidr(packet::Address::from_bytes(raw), length);
}

std::optional<packet::Address> reverse_address(const Name& name) {
  const auto prefix = reverse_prefix(name);
  if (!prefix || prefix->length() != prefix->network().bits()) return std::nullopt;
  if (name.labels() != (prefix->network().is_v4() ? 6u : 34u)) return std::nullopt;
  return prefix->network();
}

Name reverse_name(const packet::Address& address) {
  static constexpr char kDigits[] = "0123456789abcdef";
  const Bytes bytes = address.bytes();
  std::string text;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    if (address.is_v4()) {
      text += std::to_string(bytes[i]) + '.';
    } else {
      (text += kDigits[bytes[i] & 15]) += '.';
      (text += kDigits[bytes[i] >> 4]) += '.';
    }
  }
  const auto name = Name::parse(text + (address.is_v4() ? "in-addr.arpa" : "ip6.arpa"));
  CAUSEWAY_ASSERT(name);
  return *name;
}

}  // namespace causeway::dns
