#include "platform/control/question_server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "platform/control/peer.h"
#include "platform/loop/clock.h"

namespace causeway::platform {

struct QuestionServer::Caller {
  Caller(QuestionServer& server, std::uint64_t id, Descriptor connection, bool is_allowed)
      : socket(std::move(connection)),
        allowed(is_allowed),
        poll(server.loop_, socket.get(), [&server, id](int events) { server.ready(id, events); }),
        timer(server.loop_, [&server, id] { server.callers_.erase(id); }) {}

  Descriptor socket;
  bool allowed;
  std::string asked, answer;
  std::size_t sent = 0;  // of the answer
  bool answered = false;
  Poll poll;
  Timer timer;
};

QuestionServer::QuestionServer(Loop& loop, Descriptor listening, Options options, Answer answer)
    : loop_(loop),
      options_(std::move(options)),
      answer_(std::move(answer)),
      listening_(std::move(listening)),
      poll_(loop, listening_.get(), [this](int) { accept(); }) {
  poll_.watch(Poll::kReadable);
}

QuestionServer::~QuestionServer() = default;

void QuestionServer::accept() {
  for (std::size_t i = 0; i < options_.max_callers; ++i) {
    Descriptor socket(accept4(listening_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) return;
    auto peer = peer_of(socket.get());
    if (!peer || callers_.size() >= options_.max_callers) continue;
    bool allowed = peer->user == 0 || peer->user == geteuid();
    std::uint64_t id = ++last_id_;
    auto caller = std::make_unique<Caller>(*this, id, std::move(socket), allowed);
    caller->timer.set(boot_now() + options_.patience);
    caller->poll.watch(Poll::kReadable);
    callers_.emplace(id, std::move(caller));
  }
}

void QuestionServer::ready(std::uint64_t id, int events) {
  Caller& caller = *callers_.at(id);
  bool alive = !(events & Poll::kReadable) || caller.answered || read(caller);
  if (!alive || (caller.answered && !write(caller))) {
    callers_.erase(id);
    return;
  }
  caller.poll.watch(caller.answered ? Poll::kWritable : Poll::kReadable);
}

// False: the caller is gone, or asks too much.
bool QuestionServer::read(Caller& caller) {
  char buffer[4096];
  ssize_t size = recv(caller.socket.get(), buffer, sizeof buffer, 0);
  if (size < 0) return errno == EAGAIN || errno == EINTR;
  if (size == 0) return false;
  caller.asked.append(buffer, std::size_t(size));
  std::size_t end = caller.asked.find('\n');
  if (end == std::string::npos) return caller.asked.size() <= options_.max_question;
  caller.asked.resize(end);
  if (caller.asked.size() > options_.max_question) return false;
  caller.answer = (caller.allowed ? answer_(caller.asked) : options_.forbidden) + '\n';
  caller.answered = true;
  return true;
}

// False: all is said, or nobody hears it.
bool QuestionServer::write(Caller& caller) {
  while (caller.sent < caller.answer.size()) {
    ssize_t size =
        send(caller.socket.get(), caller.answer.data() + caller.sent, caller.answer.size() - caller.sent, MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return errno == EAGAIN;
    caller.sent += std::size_t(size);
  }
  return false;
}

}  // namespace causeway::platform
