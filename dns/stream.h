// Takes the messages out of a TCP stream of them, each behind its length (RFC 1035, section 4.2.2; RFC 7766, section 8).
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/base/bytes.h"

namespace causeway::dns {

// Holds the part of a message that has arrived, at most 65,537 bytes.
class MessageStream {
 public:
  // Calls `take(Bytes)` for each message that `bytes` completes; the bytes live as long as the call.
  template <class Take>
  void receive(Bytes bytes, Take take) {
    while (!bytes.empty()) {
      if (part_.empty() && bytes.size() >= 2 && bytes.size() - 2 >= load16(bytes.data())) {
        std::size_t length = load16(bytes.data());
        take(bytes.subspan(2, length));
        bytes = bytes.subspan(2 + length);
        continue;
      }
      std::size_t wanted = part_.size() < 2 ? 2 : 2u + load16(part_.data());
      std::size_t n = std::min(bytes.size(), wanted - part_.size());
      part_.insert(part_.end(), bytes.begin(), bytes.begin() + std::ptrdiff_t(n));
      bytes = bytes.subspan(n);
      if (part_.size() < 2 || part_.size() < 2u + load16(part_.data())) continue;
      take(Bytes(part_).subspan(2));
      part_ = {};
    }
  }

  // Bytes held.
  std::size_t size() const { return part_.size(); }

 private:
  std::vector<std::uint8_t> part_;
};

}  // namespace causeway::dns
