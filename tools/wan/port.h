// A network device as raw frames (frame.h). The offload header before each is handed on with it, so that checksums and segments
// which the sender has left to its device are left to it here as well.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace causeway::wan {

class Port {
 public:
  static constexpr std::size_t kBatch = 64;

  static Result<std::unique_ptr<Port>> open(const std::string& device);
  ~Port();
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  [[nodiscard]] int descriptor() const { return descriptor_; }
  // What has come, at most kBatch frames; valid until the next call. Empty when there is nothing.
  std::span<const Bytes> receive();
  // Sends in one call; gives how many have been taken.
  std::size_t send(std::span<const Bytes> frames);

  // Frames that came faster than they were read, since the last call.
  std::uint64_t missed();

 private:
  static constexpr std::size_t kRoom = 66 * 1024;  // 64 KB and every header

  explicit Port(int descriptor);

  int descriptor_;
  std::unique_ptr<std::uint8_t[]> rooms_;  // of kRoom each
  std::array<iovec, kBatch> receive_pieces_;
  std::array<mmsghdr, kBatch> receive_heads_;
  std::array<iovec, kBatch> send_pieces_;
  std::array<mmsghdr, kBatch> send_heads_;
  std::array<Bytes, kBatch> frames_;
};

}  // namespace causeway::wan
