#include "core/packet/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace causeway::packet {
namespace {

std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

std::optional<unsigned> parse_number(std::string_view text, unsigned most) {
  unsigned value = 0;
  if (text.empty() || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > most) return std::nullopt;
  return value;
}

}  // namespace

Address Address::v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
  const std::uint8_t raw[4]{a, b, c, d};
  return from_bytes(raw);
}

Address Address::from_bytes(Bytes raw) {
  CAUSEWAY_ASSERT(raw.size() == 4 || raw.size() == 16);
  Address address;
  address.v4_ = raw.size() == 4;
  std::copy(raw.begin(), raw.end(), address.raw_.begin());
  return address;
}

std::optional<Address> Address::parse(std::string_view text) {
  char buffer[INET6_ADDRSTRLEN];
  if (text.empty() || text.size() >= sizeof buffer) return std::nullopt;
  std::copy(text.begin(), text.end(), buffer);
  buffer[text.size()] = 0;
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  std::uint8_t raw[16];
  if (inet_pton(AF_INET, buffer, raw) == 1) return from_bytes({raw, 4});
  if (inet_pton(AF_INET6, buffer, raw) == 1) return from_bytes({raw, 16});
  return std::nullopt;
}

bool Address::is_unspecified() const {
  return std::all_of(raw_.begin(), raw_.end(), [](std::uint8_t b) { return b == 0; });
}

bool Address::is_loopback() const {
  if (v4_) return raw_[0] == 127;
  return raw_[15] == 1 && std::all_of(raw_.begin(), raw_.end() - 1, [](std::uint8_t b) { return b == 0; });
}

bool Address::is_link_local() const {
  return v4_ ? raw_[0] == 169 && raw_[1] == 254 : raw_[0] == 0xfe && (raw_[1] & 0xc0) == 0x80;
}

bool Address::is_multicast() const { return v4_ ? (raw_[0] & 0xf0) == 0xe0 : raw_[0] == 0xff; }

bool Address::is_broadcast() const {
  return v4_ && std::all_of(raw_.begin(), raw_.begin() + 4, [](std::uint8_t b) { return b == 0xff; });
}

Address Address::unmapped() const {
  static constexpr std::uint8_t kPrefix[12]{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (v4_ || !std::equal(std::begin(kPrefix), std::end(kPrefix), raw_.begin())) return *this;
  return from_bytes({raw_.data() + 12, 4});
}

std::string Address::text() const {
  char buffer[INET6_ADDRSTRLEN];
  inet_ntop(v4_ ? AF_INET : AF_INET6, raw_.data(), buffer, sizeof buffer);
  return buffer;
}

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
  std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  auto address = Address::parse(host);
  auto port = parse_number(text.substr(colon + 1), 65535);
  if (!address || !port || bracketed != address->is_v6()) return std::nullopt;
  return Endpoint{*address, std::uint16_t(*port)};
}

std::string Endpoint::text() const {
  std::string host = address.text();
  return (address.is_v4() ? host : '[' + host + ']') + ':' + std::to_string(port);
}

Cidr::Cidr(Address address, unsigned length) : length_(length) {
  CAUSEWAY_ASSERT(length <= address.bits());
  std::uint8_t raw[16];
  Bytes from = address.bytes();
  for (std::size_t i = 0; i < from.size(); ++i) {
    unsigned kept = length > i * 8 ? std::min(length - unsigned(i) * 8, 8u) : 0;
    raw[i] = std::uint8_t(from[i] & (0xff00 >> kept));
  }
  network_ = Address::from_bytes({raw, from.size()});
}

std::optional<Cidr> Cidr::parse(std::string_view text) {
  std::size_t slash = text.find('/');
  auto address = Address::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == std::string_view::npos) return Cidr(*address, address->bits());
  auto length = parse_number(text.substr(slash + 1), address->bits());
  if (!length) return std::nullopt;
  Cidr cidr(*address, *length);
  if (cidr.network_ != *address) return std::nullopt;
  return cidr;
}

bool Cidr::contains(const Address& address) const {
  return address.is_v4() == network_.is_v4() && Cidr(address, length_).network_ == network_;
}

bool Cidr::overlaps(const Cidr& other) const {
  return length_ <= other.length_ ? contains(other.network_) : other.contains(network_);
}

std::string Cidr::text() const { return network_.text() + '/' + std::to_string(length_); }

}  // namespace causeway::packet

std::size_t std::hash<causeway::packet::Address>::operator()(const causeway::packet::Address& address) const noexcept {
  std::uint64_t words[2]{};
  causeway::Bytes raw = address.bytes();
  std::memcpy(words, raw.data(), raw.size());
  return causeway::packet::mix(words[0] + causeway::packet::mix(words[1] + raw.size()));
}

std::size_t std::hash<causeway::packet::Endpoint>::operator()(const causeway::packet::Endpoint& endpoint) const noexcept {
  return causeway::packet::mix(std::hash<causeway::packet::Address>()(endpoint.address) + endpoint.port);
}

std::size_t std::hash<causeway::packet::FiveTuple>::operator()(const causeway::packet::FiveTuple& tuple) const noexcept {
  std::hash<causeway::packet::Endpoint> of;
  return causeway::packet::mix(of(tuple.source) * 3 + of(tuple.destination) + tuple.protocol);
}
