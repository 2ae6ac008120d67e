// Frames for seeds, each as its bytes.
#pragma once

#include "core/link/frame.h"
#include "tests/fuzz/target.h"

namespace causeway::fuzz {

template <class Fill>
Blob frame(Fill fill) {
  Blob out(8192);
  WireWriter writer(out);
  fill(writer);
  out.resize(writer.size());
  return out;
}

// Towards 10.96.0.1:80, with "first" as its first bytes.
inline Blob open(link::StreamId stream, flow::Protocol protocol = flow::Protocol::kTcp, link::ListenId listen = 0) {
  return frame([&](WireWriter& writer) {
    link::OpenFrame out;
    out.stream = stream;
    out.listen = listen;
    out.destination = {protocol, "", *packet::Endpoint::parse("10.96.0.1:80")};
    out.first = as_bytes("first");
    link::write_open(writer, out);
  });
}
inline Blob opened(link::StreamId stream) {
  return frame([&](WireWriter& writer) { link::write_opened(writer, stream); });
}
inline Blob refused(link::StreamId stream, link::Reason reason) {
  return frame([&](WireWriter& writer) { link::write_refused(writer, stream, reason); });
}
inline Blob data(link::StreamId stream, std::uint64_t offset, std::size_t size) {
  return frame(
      [&](WireWriter& writer) { std::memset(link::write_data(writer, stream, offset, size).data(), 'd', size); });
}
inline Blob fin(link::StreamId stream, std::uint64_t size) {
  return frame([&](WireWriter& writer) { link::write_fin(writer, stream, size); });
}
inline Blob reset(link::StreamId stream, std::uint64_t size) {
  return frame([&](WireWriter& writer) { link::write_reset(writer, stream, link::Reason::kConnectionReset, size); });
}
inline Blob credit(link::StreamId stream, std::uint64_t limit) {
  return frame([&](WireWriter& writer) { link::write_credit(writer, stream, limit); });
}
inline Blob link_datagram(link::StreamId flow, std::uint64_t number, std::uint32_t offset, bool last,
                          std::size_t size) {
  return frame([&](WireWriter& writer) {
    std::memset(link::write_datagram(writer, flow, number, offset, last, size).data(), 'u', size);
  });
}

}  // namespace causeway::fuzz
