#include "platform/gateway/catalogue_relay.h"

#include <algorithm>
#include <array>

namespace causeway::platform {

void CatalogueRelay::start() {
  host_.relays().dialled(id_, boot_now());
  say();
}

void CatalogueRelay::writable() {
  std::array<Bytes, 8> pieces;
  while (std::size_t count = host_.relays().relay_transmit(id_, pieces)) {
    std::size_t size = 0;
    for (const Bytes& piece : std::span(pieces.data(), count)) size += piece.size();
    host_.relays().relay_transmitted(id_, size, boot_now());
  }
  host_.touched();
}

void CatalogueRelay::say() {
  const Bytes rest = as_bytes(document_);
  while (said_ < rest.size()) {
    MutableBytes space = host_.relays().relay_space(id_);
    if (space.empty()) break;
    const std::size_t n = std::min(space.size(), rest.size() - said_);
    copy_bytes(space, rest.subspan(said_, n));
    host_.relays().relay_received(id_, n, boot_now());
    said_ += n;
  }
  if (said_ == rest.size()) host_.relays().relay_finished(id_, boot_now());
  host_.touched();
}

}  // namespace causeway::platform
