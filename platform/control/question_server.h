// A local socket on which one line is asked and one answered, for root and for this process's own user alone: who calls is asked of
// the kernel (SO_PEERCRED). Others are told that they may not.
//
// Bounded: callers at once, the length of a question, and the time that each takes. All on the loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "platform/loop/loop.h"
#include "platform/net/socket.h"

namespace causeway::platform {

class QuestionServer {
 public:
  // Lines without their line feeds.
  using Answer = std::function<std::string(std::string_view question)>;

  struct Options {
    std::size_t max_callers = 8;
    std::size_t max_question = 4096;
    Duration patience = std::chrono::seconds(5);
    std::string forbidden;  // what others are answered
  };

  // `listening`: a unix stream socket that listens, non-blocking.
  QuestionServer(Loop& loop, Descriptor listening, Options options, Answer answer);
  ~QuestionServer();
  QuestionServer(const QuestionServer&) = delete;
  QuestionServer& operator=(const QuestionServer&) = delete;

 private:
  struct Caller;
  void accept();
  void ready(std::uint64_t id, int events);
  bool read(Caller& caller);
  bool write(Caller& caller);

  Loop& loop_;
  Options options_;
  Answer answer_;
  Descriptor listening_;
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, std::unique_ptr<Caller>> callers_;
  Poll poll_;
};

}  // namespace causeway::platform
