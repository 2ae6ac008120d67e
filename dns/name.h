// A domain name as a value: bounded, compared without case, and readable from a hostile message.
#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.h"

namespace causeway::dns {

// At most 255 bytes in wire form and 63 a label (RFC 1035, section 2.3.4). Keeps the case it was given, compares and hashes
// without it (RFC 4343). The default is the root.
class Name {
 public:
  static constexpr std::size_t kMaxWire = 255;
  static constexpr std::size_t kMaxLabel = 63;

  enum class Compression { kForbidden, kAllowed };

  Name() = default;

  // "orders.shop", with or without a final dot; "." is the root. "\." and "\\" stand for the characters themselves, "\DDD" for
  // a byte in decimal (RFC 1035, section 5.1).
  static std::optional<Name> parse(std::string_view text);

  // Reads the name at `at` of a message and moves `at` behind it. Pointers must lead backwards, so that every name ends
  // (RFC 1035, section 4.1.4). On failure `at` is not moved.
  static std::optional<Name> read(Bytes message, std::size_t& at, Compression compression);

  // Moves `at` behind a name that read() would give; false where it would fail.
  static bool skip(Bytes message, std::size_t& at);

  // Without the final dot, "." for the root; escaped as parse() reads it.
  std::string text() const;
  // Uncompressed, with the final zero byte. Lives as long as this name.
  Bytes wire() const { return as_bytes(std::string_view(wire_)); }
  // The wire form in lower case: equal for equal names.
  std::string key() const;

  bool is_root() const { return wire_.size() == 1; }
  std::size_t labels() const;
  // Counted from the left; `index` is less than labels(). Lives as long as this name.
  std::string_view label(std::size_t index) const;

  // This name is `ancestor` or lies below it.
  bool under(const Name& ancestor) const;
  // The name without its first `count` labels, at most labels().
  Name without_first(std::size_t count) const;
  // The name without its last `count` labels, at most labels().
  Name before_last(std::size_t count) const;
  // This name's labels, then those of `suffix`; none where that is longer than a name may be.
  std::optional<Name> followed_by(const Name& suffix) const;

  friend bool operator==(const Name& a, const Name& b);

 private:
  explicit Name(std::string wire) : wire_(std::move(wire)) {}
  std::size_t offset(std::size_t index) const;

  std::string wire_ = std::string(1, '\0');
};

// Labels compare without case, in ASCII only.
bool same_label(std::string_view a, std::string_view b);
std::string lower(std::string_view text);

}  // namespace causeway::dns
