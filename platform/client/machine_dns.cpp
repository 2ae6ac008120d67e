#include "platform/client/machine_dns.h"

#include <ares.h>

#include <utility>

#include "platform/log.h"

namespace causeway::platform {

struct MachineDns::Question {
  MachineDns* dns;
  engine::DnsRequestId request;
  bool forgotten = false;
};

MachineDns::MachineDns(Loop& loop, Callbacks callbacks) : loop_(loop), callbacks_(std::move(callbacks)) {}

MachineDns::~MachineDns() {
  for (auto& [request, question] : wanted_) question->forgotten = true;
  channel_.reset();
}

void MachineDns::set_servers(const std::vector<packet::Address>& servers, std::uint16_t port) {
  if (servers == servers_) return;
  servers_ = servers;
  channel_.reset();
  if (servers.empty()) return;
  DnsChannel::Options options;
  options.servers = servers;
  options.port = port;
  auto channel = DnsChannel::create(loop_, options);
  if (channel) {
    channel_ = std::move(*channel);
  } else {
    spdlog::warn("the machine's DNS servers cannot be used: {}", channel.error().message);
  }
}

void MachineDns::forget(engine::DnsRequestId request) {
  auto found = wanted_.find(request);
  if (found == wanted_.end()) return;
  found->second->forgotten = true;  // c-ares cannot forget one question: its answer comes to nothing
  wanted_.erase(found);
}

void MachineDns::ask(engine::DnsRequestId request, Bytes message) {
  if (!channel_ || under_way_ >= kMost) return callbacks_.failed(request, engine::DnsFailure::kUnreachable);
  auto* question = new Question{this, request};
  wanted_.emplace(request, question);
  ++under_way_;
  ares_send(
      channel_->raw(), message.data(), int(message.size()),
      [](void* which, int status, int, unsigned char* answer, int size) {
        std::unique_ptr<Question> owned(static_cast<Question*>(which));
        owned->dns->answered(*owned, status, {answer, answer ? std::size_t(size) : 0});
      },
      question);
  channel_->schedule();
}

void MachineDns::answered(Question& question, int status, Bytes message) {
  --under_way_;
  if (question.forgotten) return;
  wanted_.erase(question.request);
  if (status == ARES_SUCCESS && !message.empty()) return callbacks_.answered(question.request, message);
  // c-ares asks the next server where one refuses or fails, and then does not say which of the two it was.
  bool silent = status == ARES_ETIMEOUT;
  callbacks_.failed(question.request, silent ? engine::DnsFailure::kTimedOut : engine::DnsFailure::kUnreachable);
}

}  // namespace causeway::platform
