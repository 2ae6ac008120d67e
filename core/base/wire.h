// Reading and writing of the link's own messages: QUIC's variable-length integers (RFC 9000, section 16) and plain bytes.
//
// A WireReader never reads beyond its bytes: once something did not fit, failed() stays true and every read gives zeros.
// A WireWriter asserts that what is written fits; callers ask for room first, with varint_size() and the like.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/base/bytes.h"

namespace causeway {

inline constexpr std::uint64_t kMaxVarint = (std::uint64_t(1) << 62) - 1;

constexpr std::size_t varint_size(std::uint64_t value) {
  return value < (1u << 6) ? 1 : value < (1u << 14) ? 2 : value < (1u << 30) ? 4 : 8;
}

class WireReader {
 public:
  explicit WireReader(Bytes bytes) : bytes_(bytes) {}

  bool failed() const { return failed_; }
  bool empty() const { return bytes_.empty(); }
  std::size_t left() const { return bytes_.size(); }

  std::uint8_t byte() {
    Bytes b = take(1);
    return b.empty() ? 0 : b[0];
  }

  std::uint16_t number16() {
    Bytes b = take(2);
    return b.empty() ? 0 : load16(b.data());
  }

  std::uint64_t varint() {
    if (bytes_.empty()) {
      failed_ = true;
      return 0;
    }
    Bytes b = take(std::size_t(1) << (bytes_[0] >> 6));
    if (b.empty()) return 0;
    std::uint64_t value = b[0] & 0x3f;
    for (std::size_t i = 1; i < b.size(); ++i) value = value << 8 | b[i];
    return value;
  }

  // The next `n` bytes, or none (and failed) if there are not as many.
  Bytes take(std::uint64_t n) {
    if (failed_ || n > bytes_.size()) {
      failed_ = true;
      bytes_ = {};
      return {};
    }
    Bytes b = bytes_.first(std::size_t(n));
    bytes_ = bytes_.subspan(std::size_t(n));
    return b;
  }

 private:
  Bytes bytes_;
  bool failed_ = false;
};

class WireWriter {
 public:
  explicit WireWriter(MutableBytes space) : space_(space) {}

  // No more than `n` further bytes from now on.
  void limit(std::size_t n) { space_ = space_.first(at_ + std::min(n, room())); }

  std::size_t size() const { return at_; }
  std::size_t room() const { return space_.size() - at_; }
  bool empty() const { return at_ == 0; }

  void byte(std::uint8_t value) { *claim(1).data() = value; }
  void number16(std::uint16_t value) { store16(claim(2).data(), value); }

  void varint(std::uint64_t value) {
    CAUSEWAY_ASSERT(value <= kMaxVarint);
    std::size_t n = varint_size(value);
    MutableBytes out = claim(n);
    for (std::size_t i = n; i-- > 0; value >>= 8) out[i] = std::uint8_t(value);
    out[0] |= std::uint8_t(n == 1 ? 0x00 : n == 2 ? 0x40 : n == 4 ? 0x80 : 0xc0);
  }

  // Headers and names. Payload goes through claim() and copy_bytes(), where it is counted.
  void bytes(Bytes from) {
    MutableBytes out = claim(from.size());
    if (!from.empty()) std::memcpy(out.data(), from.data(), from.size());
  }

  MutableBytes claim(std::size_t n) {
    CAUSEWAY_ASSERT(n <= room());
    MutableBytes out = space_.subspan(at_, n);
    at_ += n;
    return out;
  }

 private:
  MutableBytes space_;
  std::size_t at_ = 0;
};

}  // namespace causeway
