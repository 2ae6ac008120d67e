// Messages for tests, built record by record, so that a test says what is on the wire.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/packet/address.h"
#include "dns/message.h"

namespace causeway::dns::test {

using Message = std::vector<std::uint8_t>;

inline Name name(std::string_view text) {
  std::optional<Name> parsed = Name::parse(text);
  CAUSEWAY_ASSERT(parsed);
  return *parsed;
}

inline Question question(std::string_view text, std::uint16_t type = kTypeA) { return {name(text), type, kClassIn}; }

inline Query query(std::string_view text, std::uint16_t type = kTypeA, std::uint16_t id = 1) {
  Query out;
  out.id = id;
  out.question = question(text, type);
  return out;
}

inline Message bytes(std::initializer_list<int> values) {
  Message out;
  for (int value : values) out.push_back(std::uint8_t(value));
  return out;
}

inline Message operator+(Message a, const Message& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

inline Message wire(std::string_view text) {
  Name parsed = name(text);
  return {parsed.wire().begin(), parsed.wire().end()};
}

struct Rr {
  Message owner;  // as it stands on the wire
  std::uint16_t type = kTypeA;
  std::uint32_t ttl = 60;
  Message data;
  std::uint16_t klass = kClassIn;
};

inline Rr a(std::string_view owner, int last = 1, std::uint32_t ttl = 60) {
  return {wire(owner), kTypeA, ttl, bytes({10, 96, 0, last})};
}
inline Rr aaaa(std::string_view owner, std::string_view address) {
  Bytes data = packet::Address::parse(address)->bytes();
  return {wire(owner), kTypeAaaa, 60, {data.begin(), data.end()}};
}
inline Rr cname(std::string_view owner, std::string_view target) { return {wire(owner), kTypeCname, 60, wire(target)}; }
inline Rr soa(std::string_view owner, std::uint32_t ttl, std::uint8_t minimum) {
  return {wire(owner), kTypeSoa, ttl,
          wire("ns." + std::string(owner)) + wire("admin." + std::string(owner)) +
              bytes({0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, minimum})};
}
inline Rr opt(std::uint16_t udp_size, std::uint8_t rcode_high = 0, std::uint8_t version = 0, Message options = {}) {
  return {bytes({0}), kTypeOpt, std::uint32_t(rcode_high) << 24 | std::uint32_t(version) << 16, std::move(options),
          udp_size};
}

struct Parts {
  std::uint16_t id = 1;
  std::uint16_t flags = 0;
  std::vector<Question> questions;
  std::vector<Rr> answers, authority, additional;
};

inline Message encode(const Parts& parts) {
  Message out;
  for (std::size_t word : {std::size_t(parts.id), std::size_t(parts.flags), parts.questions.size(),
                           parts.answers.size(), parts.authority.size(), parts.additional.size()}) {
    append16(out, std::uint16_t(word));
  }
  for (const Question& asked : parts.questions) append_question(out, asked);
  for (const auto* section : {&parts.answers, &parts.authority, &parts.additional}) {
    for (const Rr& rr : *section) {
      append_bytes(out, rr.owner);
      append16(out, rr.type);
      append16(out, rr.klass);
      append16(out, std::uint16_t(rr.ttl >> 16));
      append16(out, std::uint16_t(rr.ttl));
      append16(out, std::uint16_t(rr.data.size()));
      append_bytes(out, rr.data);
    }
  }
  return out;
}

inline constexpr std::uint16_t kAnswer = kFlagResponse | kFlagRecursionDesired | kFlagRecursionAvailable;

inline std::uint16_t flags_of(Bytes message) { return load16(message.data() + 2); }
inline int rcode_of(Bytes message) { return message[3] & 15; }

}  // namespace causeway::dns::test
