#include "tests/world/http_programs.h"

#include <algorithm>

namespace causeway::world {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

// Whole chunks of `rest`, taken apart; false: not all of them are there.
bool unchunk(const std::string& rest, std::string& body, std::size_t& used) {
  std::size_t at = 0;
  while (true) {
    std::size_t line = rest.find("\r\n", at);
    if (line == std::string::npos) return false;
    std::size_t size = std::stoul(rest.substr(at, line - at), nullptr, 16);
    at = line + 2;
    if (size == 0) {
      std::size_t end = rest.compare(at, 2, "\r\n") == 0 ? at : rest.find("\r\n\r\n", at);
      if (end == std::string::npos) return false;
      used = end == at ? at + 2 : end + 4;
      return rest.size() >= used;
    }
    if (rest.size() < at + size + 2) return false;
    body += rest.substr(at, size);
    at += size + 2;
  }
}

std::size_t read_into(StreamSocket& socket, std::string& out) {
  std::uint8_t space[16384];
  std::size_t all = 0;
  while (std::size_t n = socket.read(space)) {
    out += as_text({space, n});
    all += n;
  }
  return all;
}

bool write_from(StreamSocket& socket, std::string& out) {
  while (!out.empty()) {
    std::size_t n = socket.write(as_bytes(out));
    if (n == 0) return false;
    out.erase(0, n);
  }
  return true;
}

}  // namespace

bool HttpReader::next(HttpMessage& out, bool no_body) {
  std::size_t end = bytes_.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  out = {};
  std::string head = bytes_.substr(0, end + 2);
  std::size_t line = head.find("\r\n");
  out.start = head.substr(0, line);
  for (std::size_t at = line + 2; at < head.size();) {
    std::size_t next = head.find("\r\n", at);
    std::string field = head.substr(at, next - at);
    std::size_t colon = field.find(':');
    std::string value = field.substr(colon + 1);
    value.erase(0, value.find_first_not_of(' '));
    out.fields[lower(field.substr(0, colon))] = value;
    at = next + 2;
  }
  std::string rest = bytes_.substr(end + 4);
  const bool interim = out.start.compare(0, 10, "HTTP/1.1 1") == 0;
  if (!no_body && !interim && out.fields.contains("transfer-encoding")) {
    std::size_t used = 0;
    if (!unchunk(rest, out.body, used)) return false;
    rest.erase(0, used);
  } else if (!no_body && !interim && out.fields.contains("content-length")) {
    std::size_t size = std::stoul(out.fields["content-length"]);
    if (rest.size() < size) return false;
    out.body = rest.substr(0, size);
    rest.erase(0, size);
  }
  bytes_ = std::move(rest);
  return true;
}

void HttpServer::pump() {
  if (gone_ || pumping_ || !socket_) return;
  pumping_ = true;
  std::string came;
  read_into(*socket_, came);
  if (upgraded_) {
    out_ += came;
  } else {
    reader_.add(came);
  }
  HttpMessage request;
  while (!thinking_ && !upgraded_ && reader_.next(request)) {
    if (seen_) seen_->push_back(request);
    if (options_.silent) continue;
    if (options_.dies) {
      gone_ = true;
      socket_->reset();
      break;
    }
    if (options_.thinks > Duration::zero()) {
      thinking_ = true;
      time_.after(options_.thinks, [this, request] {
        thinking_ = false;
        answer(request);
        pump();
      });
    } else {
      answer(request);
    }
  }
  if (!gone_) say();
  socket_->flush();
  pumping_ = false;
}

void HttpServer::answer(const HttpMessage& request) {
  if (request.fields.contains("upgrade")) {
    upgraded_ = true;
    out_ += "HTTP/1.1 101 Switching Protocols\r\nUpgrade: " + request.fields.at("upgrade") +
            "\r\nConnection: Upgrade\r\n\r\n" + reader_.rest();
    reader_.rest().clear();
    return;
  }
  std::string body = options_.name + " " + request.start + " +" + std::to_string(request.body.size());
  if (auto from = request.fields.find("x-forwarded-for"); from != request.fields.end()) body += " from " + from->second;
  body += std::string(options_.body, 'b');
  const bool head = request.start.compare(0, 5, "HEAD ") == 0;
  if (options_.chunked && !head) {
    out_ += "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (std::size_t at = 0; at < body.size(); at += 1000) {
      char size[32];
      std::snprintf(size, sizeof size, "%zx\r\n", std::min<std::size_t>(1000, body.size() - at));
      out_ += size + body.substr(at, 1000) + "\r\n";
    }
    out_ += "0\r\n\r\n";
  } else {
    out_ += "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + (head ? "" : body);
  }
}

void HttpServer::say() {
  if (!write_from(*socket_, out_)) return;
  if (finished_ || !socket_->at_end() || thinking_) return;
  finished_ = true;
  socket_->finish();
}

void HttpClient::ask(std::string request) {
  requests_.push_back(std::move(request));
  pump();
}

void HttpClient::finish() {
  finishing_ = true;
  pump();
}

void HttpClient::pump() {
  if (reset_ || pumping_ || !socket_) return;
  pumping_ = true;
  std::string came;
  read_into(*socket_, came);
  if (upgraded_) {
    raw += came;
  } else {
    reader_.add(came);
  }
  HttpMessage answer;
  while (!upgraded_ && reader_.next(answer, !heads_.empty() && heads_.front())) {
    answers.push_back(answer);
    if (answer.start.compare(0, 12, "HTTP/1.1 100") == 0) continue;
    if (!heads_.empty()) heads_.pop_front();
    if (answer.start.compare(0, 12, "HTTP/1.1 101") != 0) continue;
    upgraded_ = true;
    raw = std::exchange(reader_.rest(), {});
  }
  while (!requests_.empty() && (pipelined_ || upgraded_ || heads_.empty())) {
    if (!upgraded_) heads_.push_back(requests_.front().compare(0, 5, "HEAD ") == 0);
    out_ += requests_.front();
    requests_.pop_front();
  }
  const bool all = write_from(*socket_, out_);
  if (finishing_ && all) socket_->finish();
  if (socket_->at_end()) ended_ = true;
  socket_->flush();
  pumping_ = false;
}

}  // namespace causeway::world
