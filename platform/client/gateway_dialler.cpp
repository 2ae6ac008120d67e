#include "platform/client/gateway_dialler.h"

#include <errno.h>
#include <sys/socket.h>

#include <algorithm>

#include "platform/client/carrier_socket.h"
#include "platform/loop/clock.h"

namespace causeway::platform {

GatewayDialler::GatewayDialler(Loop& loop, std::vector<config::HostPort> gateways, std::vector<packet::Cidr> routes)
    : loop_(loop),
      gateways_(std::move(gateways)),
      routes_(std::move(routes)),
      names_(loop),
      timeout_(loop, [this] { failed("no answer within 5 s", true); }),
      begin_(loop, [this] {
        if (done_ && !socket_) next();
      }) {}

void GatewayDialler::resolve(const MachineResolver& machine, std::function<void()> done) {
  names_.resolve(gateways_, machine, [this, done = std::move(done)](std::vector<GatewayTarget> targets) {
    targets_ = std::move(targets);
    std::function<void()> call = done;
    call();
  });
}

std::vector<packet::Address> GatewayDialler::addresses() const {
  std::vector<packet::Address> out;
  for (const GatewayTarget& target : targets_) {
    for (const packet::Endpoint& endpoint : target.endpoints) out.push_back(endpoint.address);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

bool GatewayDialler::has_names() const {
  return std::any_of(gateways_.begin(), gateways_.end(),
                     [](const config::HostPort& each) { return !packet::Address::parse(each.host); });
}

void GatewayDialler::cancel() {
  names_.cancel();
  done_ = nullptr;
  poll_.reset();
  socket_.reset();
  timeout_.set(kNever);
}

bool GatewayDialler::skip() {
  if (at_ < attempts_.size()) first_ = (attempts_[at_].gateway + 1) % gateways_.size();
  return first_ == 0;
}

void GatewayDialler::dial(Done done) {
  cancel();
  done_ = std::move(done);
  failures_.clear();
  timed_out_ = false;
  at_ = 0;
  list_attempts();
  begin_.ask();
}

void GatewayDialler::list_attempts() {
  attempts_.clear();
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    std::size_t gateway = (first_ + i) % targets_.size();
    const GatewayTarget& target = targets_[gateway];
    for (const packet::Endpoint& endpoint : target.endpoints) {
      bool is_name = !packet::Address::parse(target.gateway.host);
      attempts_.push_back({gateway, endpoint,
                           is_name ? target.gateway.text() + " (" + endpoint.address.text() + ")" : endpoint.text()});
    }
    if (target.endpoints.empty())
      failures_ += (failures_.empty() ? "" : "; ") + target.gateway.text() + ": " + target.trouble;
  }
}

void GatewayDialler::next() {
  if (at_ == attempts_.size()) {
    ErrorCode code = timed_out_ ? ErrorCode::kTimedOut : ErrorCode::kUnavailable;
    return finish(fail(code, failures_, "is tun-gateway running there, and its port open to this machine?"));
  }
  connect(attempts_[at_]);
}

void GatewayDialler::connect(const Attempt& attempt) {
  last_ = attempt.text;
  const packet::Address& address = attempt.endpoint.address;
  bool inside =
      std::any_of(routes_.begin(), routes_.end(), [&](const packet::Cidr& cidr) { return cidr.contains(address); });
  if (inside) return failed("lies inside the tunnel's own routes");
  socket_ = Descriptor(socket(family_of(address), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket_) return failed(error_text(errno));
  set_carrier_options(socket_.get());
  SocketAddress to(attempt.endpoint);
  if (::connect(socket_.get(), to.get(), to.size) != 0 && errno != EINPROGRESS) return failed(error_text(errno));
  timeout_.set(boot_now() + kConnectTimeout);
  poll_ = std::make_unique<Poll>(loop_, socket_.get(), [this](int) { check(); });
  poll_->watch(Poll::kWritable);
}

void GatewayDialler::check() {
  int error = connect_outcome(socket_.get(), attempts_[at_].endpoint);
  if (error == EALREADY) return poll_->watch(Poll::kWritable);
  if (error != 0) return failed(error_text(error));
  poll_.reset();
  finish(Dialled{std::move(socket_), attempts_[at_].text});
}

void GatewayDialler::failed(const std::string& why, bool timed_out) {
  timed_out_ = timed_out;
  poll_.reset();
  socket_.reset();
  timeout_.set(kNever);
  failures_ += (failures_.empty() ? "" : "; ") + attempts_[at_].text + ": " + why;
  ++at_;
  begin_.ask();
}

void GatewayDialler::finish(Result<Dialled> result) {
  timeout_.set(kNever);
  Done done = std::exchange(done_, nullptr);
  done(std::move(result));
}

}  // namespace causeway::platform
