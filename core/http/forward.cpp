#include "core/http/forward.h"

#include <algorithm>
#include <string>

#include "core/http/parser.h"
#include "core/http/text.h"

namespace causeway::http {
namespace {

// What this hop adds at most, beside two client addresses.
constexpr std::size_t kAdded = 256;

// Builds a head in one block that is large enough from the start.
class Writer {
 public:
  Writer(std::size_t most, BufferPool& pool) : out_{pool.take(most), nullptr, 0} { out_.data = out_.owner.data(); }

  Writer& operator<<(std::string_view text) {
    CAUSEWAY_ASSERT(text.size() <= out_.owner.capacity() - out_.size);
    std::copy(text.begin(), text.end(), out_.owner.data() + out_.size);
    out_.size += text.size();
    return *this;
  }
  // A field's line without its CRLF.
  Writer& without_end(std::string_view line) { return *this << line.substr(0, line.size() - 2); }

  Slice take() { return std::move(out_); }

 private:
  Slice out_;
};

// What Connection may name without effect: without these the message would be another, or none.
bool is_needed(std::string_view name) {
  for (std::string_view needed :
       {"host", "content-length", "transfer-encoding", "forwarded", "x-forwarded-for", "trailer"})
    if (equals_ignoring_case(name, needed)) return true;
  return false;
}

bool is_for_one_hop(std::string_view name) {
  switch (name.size()) {
    case 2: return equals_ignoring_case(name, "te");
    case 7: return equals_ignoring_case(name, "upgrade");
    case 10: return equals_ignoring_case(name, "connection") || equals_ignoring_case(name, "keep-alive");
    case 16: return equals_ignoring_case(name, "proxy-connection");
    default: return false;
  }
}

// The Connection fields of a head, all together.
class Connection {
 public:
  explicit Connection(const Head& head) : head_(head) {
    any_ = std::any_of(head.fields.begin(), head.fields.end(), [](const Field& field) { return is(field); });
  }

  bool names(std::string_view name) const {
    if (!any_ || is_needed(name)) return false;
    return std::any_of(head_.fields.begin(), head_.fields.end(),
                       [&](const Field& field) { return is(field) && lists(field.value, name); });
  }

 private:
  static bool is(const Field& field) { return equals_ignoring_case(field.name, "connection"); }

  const Head& head_;
  bool any_;
};

const Field* last(const Head& head, std::string_view name) {
  auto found = std::find_if(head.fields.rbegin(), head.fields.rend(),
                            [&](const Field& field) { return equals_ignoring_case(field.name, name); });
  return found == head.fields.rend() ? nullptr : &*found;
}

std::string_view first_line(const Head& head) { return head.bytes.substr(0, head.bytes.find('\n') + 1); }

// RFC 7239, section 6: an IPv6 address stands in brackets and quotes.
void write_forwarded(Writer& out, std::string_view client) {
  const bool v6 = client.find(':') != std::string_view::npos;
  out << "for=" << (v6 ? "\"[" : "") << client << (v6 ? "]\"" : "") << ";proto=http";
}

const char* reason_phrase(unsigned status) {
  switch (status) {
    case 400: return "Bad Request";
    case 408: return "Request Timeout";
    case 414: return "URI Too Long";
    case 431: return "Request Header Fields Too Large";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 505: return "HTTP Version Not Supported";
    default: return "";
  }
}

}  // namespace

bool offers_only_h2c(const Head& request) {
  bool any = false;
  for (const Field& field : request.fields) {
    if (!equals_ignoring_case(field.name, "upgrade")) continue;
    std::string_view list = field.value, element;
    while (next_element(list, element)) {
      if (element.empty()) continue;
      if (!equals_ignoring_case(element, "h2c")) return false;
      any = true;
    }
  }
  return any;
}

Slice forward_request(const Head& request, const RequestHop& hop, BufferPool& pool) {
  Writer out(request.bytes.size() + 2 * hop.client.size() + kAdded, pool);
  const Connection connection(request);
  const Field* forwarded = hop.client.empty() ? nullptr : last(request, "forwarded");
  const Field* forwarded_for = hop.client.empty() ? nullptr : last(request, "x-forwarded-for");
  bool trailers = false;
  out << first_line(request);
  for (const Field& field : request.fields) {
    if (&field == forwarded || &field == forwarded_for) {
      // Elements are added behind those that are there. An empty one would make a list with a hole.
      out.without_end(field.line) << (field.value.empty() ? "" : ", ");
      &field == forwarded ? write_forwarded(out, hop.client) : void(out << hop.client);
      out << "\r\n";
    } else if (equals_ignoring_case(field.name, "te")) {
      trailers = trailers || lists(field.value, "trailers");
    } else {
      const bool stays = hop.upgrade && equals_ignoring_case(field.name, "upgrade");
      if (stays || (!is_for_one_hop(field.name) && !connection.names(field.name))) out << field.line;
    }
  }
  if (!hop.client.empty() && !forwarded) {
    out << "Forwarded: ";
    write_forwarded(out, hop.client);
    out << "\r\n";
  }
  if (!hop.client.empty() && !forwarded_for) out << "X-Forwarded-For: " << hop.client << "\r\n";
  if (trailers) out << "TE: trailers\r\n";
  if (hop.upgrade) {
    out << (trailers ? "Connection: upgrade, TE\r\n" : "Connection: upgrade\r\n");
  } else if (!hop.keep_alive) {
    out << (trailers ? "Connection: close, TE\r\n" : "Connection: close\r\n");
  } else if (request.minor == 0) {
    out << "Connection: keep-alive\r\n";
  } else if (trailers) {
    out << "Connection: TE\r\n";
  }
  return (out << "\r\n").take();
}

Slice forward_response(const Head& response, const ResponseHop& hop, BufferPool& pool) {
  Writer out(response.bytes.size() + kAdded, pool);
  const Connection connection(response);
  // Where it has neither body nor announces one (RFC 9110, section 8.6; RFC 9112, section 6.1).
  const bool unframed = response.status / 100 == 1 || response.status == 204 || response.framing == Framing::kTunnel;
  const bool upgrade = response.status == 101 || response.status == 426;
  const bool interim = response.status / 100 == 1;
  // The version is this hop's own.
  out << "HTTP/1.1" << first_line(response).substr(std::string_view("HTTP/1.1").size());
  for (const Field& field : response.fields) {
    if (unframed &&
        (equals_ignoring_case(field.name, "content-length") || equals_ignoring_case(field.name, "transfer-encoding")))
      continue;
    const bool stays = upgrade && equals_ignoring_case(field.name, "upgrade");
    if (stays || (!is_for_one_hop(field.name) && !connection.names(field.name))) out << field.line;
  }
  if (response.status == 101) {
    out << "Connection: upgrade\r\n";
  } else if (!interim && response.framing != Framing::kTunnel) {
    if (!hop.keep_alive)
      out << (upgrade ? "Connection: upgrade, close\r\n" : "Connection: close\r\n");
    else if (upgrade)
      out << "Connection: upgrade\r\n";
    else if (hop.to_http_1_0)
      out << "Connection: keep-alive\r\n";
  }
  return (out << "\r\n").take();
}

Slice make_response(unsigned status, std::string_view text, const ResponseHop& hop, bool head_only, BufferPool& pool) {
  Writer out(text.size() + kAdded, pool);
  out << "HTTP/1.1 " << std::to_string(status) << " " << reason_phrase(status)
      << "\r\nContent-Type: text/plain; charset=utf-8\r\n"
      << "Content-Length: " << std::to_string(text.size() + 1) << "\r\n";
  if (!hop.keep_alive)
    out << "Connection: close\r\n";
  else if (hop.to_http_1_0)
    out << "Connection: keep-alive\r\n";
  out << "\r\n";
  if (!head_only) out << text << "\n";
  return out.take();
}

}  // namespace causeway::http
