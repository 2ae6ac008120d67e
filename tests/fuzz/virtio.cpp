// The header before each packet of a device with offloads.
#include "tests/fuzz/target.h"
#include "tun/virtio_header.h"

namespace causeway::fuzz {
namespace {

bool run(Bytes input) {
  std::optional<tun::IncomingOffload> offload = tun::decode_virtio_header(input);
  if (!offload) return false;
  CAUSEWAY_ASSERT(input.size() >= tun::kVirtioHeaderSize);
  CAUSEWAY_ASSERT(!offload->checksum_partial || offload->checksum_trusted);
  CAUSEWAY_ASSERT(offload->segment_size == 0 || offload->checksum_trusted);
  return true;
}

std::vector<Seed> seeds() {
  std::vector<Seed> out{{Blob(9, 0), false},
                        {blob({0, 5, 0, 0, 0, 5, 0, 0, 0, 0}), false},
                        {blob({1, 1, 0, 0, 0, 0, 0, 0, 0, 0}), false}};
  for (packet::Segmentation kind :
       {packet::Segmentation::kNone, packet::Segmentation::kTcp4, packet::Segmentation::kTcp6}) {
    Blob header(tun::kVirtioHeaderSize);
    tun::encode_virtio_header({true, 20, 16, kind, 1448, 52}, header);
    out.push_back({header});
  }
  return out;
}

const Registration kRegistration({"virtio", run, seeds});

}  // namespace
}  // namespace causeway::fuzz
