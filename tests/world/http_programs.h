// Programs that speak HTTP/1.1, simply and with a parser of their own, so that core/http is not its own judge.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "tests/world/talker.h"

namespace causeway::world {

struct HttpMessage {
  std::string start;                          // the first line
  std::map<std::string, std::string> fields;  // names in lower case
  std::string body;                           // without its chunks' sizes
};

// Cuts messages out of bytes; a response without a length ends with its connection.
class HttpReader {
 public:
  void add(std::string_view bytes) { bytes_ += bytes; }
  // The next message that is there as a whole. `no_body`: it answers a HEAD.
  bool next(HttpMessage& out, bool no_body = false);
  bool has_head() const { return bytes_.find("\r\n\r\n") != std::string::npos; }
  std::string& rest() { return bytes_; }

 private:
  std::string bytes_;
};

// A server of one connection: answers each request with its own name, the request's line and what it knows of who asked.
class HttpServer final : public Program {
 public:
  struct Options {
    std::string name;
    Duration thinks{};     // before each answer
    std::size_t body = 0;  // this many bytes more
    bool chunked = false;
    bool silent = false;  // never answers
    bool dies = false;    // resets instead of answering
  };
  // `seen` gets every request.
  HttpServer(Timeline& time, const Options& options, std::vector<HttpMessage>* seen)
      : time_(time), options_(options), seen_(seen) {}

  void connected(StreamSocket& socket) override { socket_ = &socket; }
  void pump() override;
  void socket_reset() override { gone_ = true; }

 private:
  void answer(const HttpMessage& request);
  void say();

  Timeline& time_;
  const Options options_;
  std::vector<HttpMessage>* seen_;
  StreamSocket* socket_ = nullptr;
  HttpReader reader_;
  std::string out_;
  bool thinking_ = false, upgraded_ = false, gone_ = false, pumping_ = false, finished_ = false;
};

// A client of one connection: sends requests one behind the other's answer, or all at once.
class HttpClient final : public Program {
 public:
  HttpClient(std::vector<std::string> requests, bool pipelined = false)
      : requests_(requests.begin(), requests.end()), pipelined_(pipelined) {}

  void connected(StreamSocket& socket) override { socket_ = &socket; }
  void pump() override;
  void socket_reset() override { reset_ = true; }

  // More to ask, on the same connection.
  void ask(std::string request);
  void finish();

  std::vector<HttpMessage> answers;
  bool done() const { return requests_.empty() && heads_.empty(); }
  bool reset() const { return reset_; }
  bool ended() const { return ended_; }  // the other end has finished
  std::string raw;                       // what came behind a 101

 private:
  StreamSocket* socket_ = nullptr;
  std::deque<std::string> requests_;
  std::deque<bool> heads_;  // those under way: whether it is a HEAD
  bool pipelined_;
  HttpReader reader_;
  std::string out_;
  bool reset_ = false, ended_ = false, upgraded_ = false, pumping_ = false, finishing_ = false;
};

}  // namespace causeway::world
