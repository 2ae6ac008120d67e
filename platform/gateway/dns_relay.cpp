#include "platform/gateway/dns_relay.h"

namespace causeway::platform {

void DnsRelay::start() {
  host_.engine().dialled(id_, boot_now());
  host_.touched();
}

void DnsRelay::writable() {
  while (std::optional<Slice> message = host_.engine().relay_next_datagram(id_)) {
    if (message->size < DnsQuestion::kHeader || questions_.size() >= kAtOnce) continue;
    auto at = questions_.emplace(questions_.end(), host_.loop(), host_.dns_deadlines(), host_.random(),
                                 host_.dns_servers(), message->bytes(), host_.scratch());
    link::Reason why = at->start([this, at](Bytes answer, link::Reason reason) { answered(at, answer, reason); });
    if (why != link::Reason::kNone) return host_.failed(id_, why);
  }
}

void DnsRelay::answered(std::list<DnsQuestion>::iterator question, Bytes answer, link::Reason why) {
  if (!answer.empty()) {
    host_.engine().relay_datagram(id_, answer, boot_now());
    host_.touched();
  } else if (questions_.size() == 1) {
    return host_.failed(id_, why);
  }
  questions_.erase(question);
}

}  // namespace causeway::platform
