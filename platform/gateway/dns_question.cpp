#include "platform/gateway/dns_question.h"

#include <algorithm>
#include <cerrno>

#include "platform/relay/relay.h"

namespace causeway::platform {
namespace {

// RFC 1035, section 4.1.1: in the third byte of a header, and the code in the fourth.
constexpr std::uint8_t kResponse = 0x80, kTruncated = 0x02;
constexpr std::uint8_t kServFail = 2, kNotImp = 4, kRefused = 5;

bool unwilling(Bytes answer) {
  std::uint8_t code = answer[3] & 0x0f;
  return code == kServFail || code == kNotImp || code == kRefused;
}

}  // namespace

DnsQuestion::DnsQuestion(Loop& loop, DeadlineList& tries, Random& random, std::vector<packet::Endpoint> servers,
                         Bytes message, MutableBytes space)
    : loop_(loop), tries_(tries), random_(random), servers_(std::move(servers)), space_(space) {
  CAUSEWAY_ASSERT(message.size() >= kHeader && message.size() <= 65535 && !servers_.empty());
  message_.resize(2 + message.size());
  store16(message_.data(), std::uint16_t(message.size()));
  copy_bytes(MutableBytes(message_).subspan(2), message);
  asked_id_ = load16(message.data());
}

link::Reason DnsQuestion::start(Done done) {
  done_ = std::move(done);
  return next_try() ? link::Reason::kNone : why_;
}

// False where there is none left.
bool DnsQuestion::next_try() {
  stream_ = false;
  while (try_ < kTries) {
    ++try_;
    id_ = std::uint16_t(random_.number());
    store16(message_.data() + 2, id_);
    deadline_.start(tries_, [this] { failed(ETIMEDOUT); });
    if (open(SOCK_DGRAM) && send(socket_.get(), message_.data() + 2, message_.size() - 2, MSG_NOSIGNAL) >= 0) {
      poll_->watch(Poll::kReadable);
      return true;
    }
    why_ = reason_of(errno);
  }
  deadline_.stop();
  poll_.reset();
  return false;
}

void DnsQuestion::failed(int error) {
  why_ = reason_of(error);
  if (!next_try()) finish(unwilling_, why_);
}

bool DnsQuestion::open(int type) {
  poll_.reset();
  socket_ = Descriptor(socket(family_of(server().address), type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket_) return false;
  SocketAddress address(server());
  if (connect(socket_.get(), address.get(), address.size) != 0 && errno != EINPROGRESS) return false;
  poll_ = std::make_unique<Poll>(loop_, socket_.get(),
                                 [this](int events) { stream_ ? stream_ready(events) : read_datagram(); });
  return true;
}

void DnsQuestion::read_datagram() {
  ssize_t n = recv(socket_.get(), space_.data(), space_.size(), 0);
  if (n < 0 && errno != EAGAIN) return failed(errno);
  if (n < 0 || !is_answer(space_.first(std::size_t(n)))) return poll_->watch(Poll::kReadable);
  MutableBytes answer = space_.first(std::size_t(n));
  if (answer[2] & kTruncated) return ask_by_stream();
  answered(answer);
}

bool DnsQuestion::is_answer(Bytes message) const {
  return message.size() >= kHeader && load16(message.data()) == id_ && (message[2] & kResponse);
}

void DnsQuestion::ask_by_stream() {
  stream_ = true;
  written_ = 0;
  received_.clear();
  deadline_.start(tries_, [this] { failed(ETIMEDOUT); });
  if (!open(SOCK_STREAM)) return failed(errno);
  poll_->watch(Poll::kWritable);
}

void DnsQuestion::stream_ready(int events) {
  if ((events & Poll::kWritable) && written_ < message_.size()) {
    ssize_t n = send(socket_.get(), message_.data() + written_, message_.size() - written_, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) return failed(errno);
    if (n > 0) written_ += std::size_t(n);
  }
  if (written_ < message_.size()) return poll_->watch(Poll::kWritable);
  poll_->watch(Poll::kReadable);
  if (!(events & Poll::kReadable)) return;
  ssize_t n = recv(socket_.get(), space_.data(), space_.size(), 0);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) return failed(n == 0 ? ECONNRESET : errno);
  received_.insert(received_.end(), space_.begin(), space_.begin() + n);
  if (received_.size() < 2 || received_.size() < 2u + load16(received_.data())) return;
  MutableBytes answer = MutableBytes(received_).subspan(2, load16(received_.data()));
  if (!is_answer(answer)) return failed(EPROTO);
  answered(answer);
}

void DnsQuestion::answered(MutableBytes message) {
  store16(message.data(), asked_id_);
  if (!unwilling(message) || try_ >= std::min(servers_.size(), kTries)) return finish(message, link::Reason::kNone);
  unwilling_.assign(message.begin(), message.end());
  if (!next_try()) finish(unwilling_, why_);
}

void DnsQuestion::finish(Bytes answer, link::Reason why) {
  deadline_.stop();
  poll_.reset();
  Done done = std::move(done_);
  done(answer, why);
}

}  // namespace causeway::platform
