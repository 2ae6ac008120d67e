// IP addresses, endpoints and prefixes as values: they copy, compare, hash and print.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.h"

namespace causeway::packet {

// An IPv4 or IPv6 address. The default is 0.0.0.0. An IPv4-mapped IPv6 address stays IPv6; see unmapped().
class Address {
 public:
  constexpr Address() = default;
  static Address v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d);
  // 4 or 16 bytes in network order; any other length is our bug.
  static Address from_bytes(Bytes raw);
  // Dotted quad (four parts, no leading zeros) or RFC 4291 text, without scope.
  static std::optional<Address> parse(std::string_view text);

  bool is_v4() const { return v4_; }
  bool is_v6() const { return !v4_; }
  Bytes bytes() const { return {raw_.data(), v4_ ? 4u : 16u}; }
  unsigned bits() const { return v4_ ? 32 : 128; }

  bool is_unspecified() const;
  bool is_loopback() const;    // 127/8, ::1
  bool is_link_local() const;  // 169.254/16, fe80::/10
  bool is_multicast() const;   // 224/4, ff00::/8
  bool is_broadcast() const;   // 255.255.255.255
  Address unmapped() const;    // ::ffff:1.2.3.4 > 1.2.3.4, anything else itself

  std::string text() const;  // RFC 5952 for IPv6
  friend bool operator==(const Address&, const Address&) = default;
  friend auto operator<=>(const Address&, const Address&) = default;

 private:
  std::array<std::uint8_t, 16> raw_{};  // an IPv4 address uses the first 4, the rest is 0
  bool v4_ = true;
};

struct Endpoint {
  Address address;
  std::uint16_t port = 0;

  // "1.2.3.4:80", "[2001:db8::1]:80".
  static std::optional<Endpoint> parse(std::string_view text);
  std::string text() const;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

// A prefix. The host bits of `network` are zero.
class Cidr {
 public:
  Cidr() = default;
  Cidr(Address address, unsigned length);  // clears the host bits
  // "10.96.0.0/12"; bits beyond the length must be zero; a bare address is a full-length prefix.
  static std::optional<Cidr> parse(std::string_view text);

  const Address& network() const { return network_; }
  unsigned length() const { return length_; }
  bool contains(const Address& address) const;
  bool overlaps(const Cidr& other) const;
  std::string text() const;
  friend bool operator==(const Cidr&, const Cidr&) = default;
  friend auto operator<=>(const Cidr&, const Cidr&) = default;

 private:
  Address network_;
  unsigned length_ = 0;
};

// What tells one conversation from another. For ICMP echo both ports are the echo identifier.
struct FiveTuple {
  Endpoint source;
  Endpoint destination;
  std::uint8_t protocol = 0;
  friend bool operator==(const FiveTuple&, const FiveTuple&) = default;
};

}  // namespace causeway::packet

template <>
struct std::hash<causeway::packet::Address> {
  std::size_t operator()(const causeway::packet::Address&) const noexcept;
};
template <>
struct std::hash<causeway::packet::Endpoint> {
  std::size_t operator()(const causeway::packet::Endpoint&) const noexcept;
};
template <>
struct std::hash<causeway::packet::FiveTuple> {
  std::size_t operator()(const causeway::packet::FiveTuple&) const noexcept;
};
