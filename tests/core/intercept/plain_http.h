// A second opinion on HTTP/1.1: reads whole well-formed messages off a string, with nothing of the code under test.
#pragma once

#include <cstdlib>
#include <map>
#include <optional>
#include <string>

namespace causeway::intercept {

struct PlainMessage {
  std::string first_line;
  std::map<std::string, std::string> fields;  // names in lower case
  std::string body;                           // without chunks

  std::string field(const std::string& name) const {
    auto found = fields.find(name);
    return found == fields.end() ? std::string() : found->second;
  }
  std::string method() const { return first_line.substr(0, first_line.find(' ')); }
  int status() const { return std::atoi(first_line.c_str() + first_line.find(' ')); }
};

// The first message of `bytes`, which it is taken off; none while it is incomplete. `bodyless`: it ends with its head; `ended`: no more
// bytes come, so a response may end here.
inline std::optional<PlainMessage> take_message(std::string& bytes, bool bodyless, bool ended = false) {
  const std::size_t head_end = bytes.find("\r\n\r\n");
  if (head_end == std::string::npos) return std::nullopt;
  PlainMessage out;
  std::size_t at = bytes.find("\r\n");
  out.first_line = bytes.substr(0, at);
  while (at < head_end) {
    const std::size_t begin = at + 2;
    at = bytes.find("\r\n", begin);
    const std::string line = bytes.substr(begin, at - begin);
    std::string name = line.substr(0, line.find(':'));
    for (char& c : name) c = char(std::tolower(c));
    const std::size_t value = line.find_first_not_of(" \t", line.find(':') + 1);
    out.fields[name] = value == std::string::npos ? std::string() : line.substr(value);
  }
  at = head_end + 4;
  const bool response = out.first_line.starts_with("HTTP/");
  if (bodyless || (response && (out.status() / 100 == 1 || out.status() == 204 || out.status() == 304))) {
    // Ends here.
  } else if (!out.field("content-length").empty()) {
    const std::size_t length = std::strtoul(out.field("content-length").c_str(), nullptr, 10);
    if (bytes.size() - at < length) return std::nullopt;
    out.body = bytes.substr(at, length);
    at += length;
  } else if (out.field("transfer-encoding") == "chunked") {
    while (true) {
      const std::size_t line_end = bytes.find("\r\n", at);
      if (line_end == std::string::npos) return std::nullopt;
      const std::size_t size = std::strtoul(bytes.c_str() + at, nullptr, 16);
      if (size == 0) {
        // The end of the trailers, if there are any.
        const std::size_t end = bytes.find("\r\n\r\n", line_end);
        if (end == std::string::npos) return std::nullopt;
        at = end + 4;
        break;
      }
      if (bytes.size() < line_end + 2 + size + 2) return std::nullopt;
      out.body += bytes.substr(line_end + 2, size);
      at = line_end + 2 + size + 2;
    }
  } else if (response) {
    if (!ended) return std::nullopt;
    out.body = bytes.substr(at);
    at = bytes.size();
  }
  bytes.erase(0, at);
  return out;
}

}  // namespace causeway::intercept
