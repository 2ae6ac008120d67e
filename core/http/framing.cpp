#include "core/http/framing.h"

#include <charconv>

#include "core/http/text.h"

namespace causeway::http {
namespace {

using Complaint = Parser::Complaint;

// The fields that decide about the message; the first of each, and how many there are.
struct Deciding {
  const Field* length = nullptr;
  const Field* coding = nullptr;
  const Field* host = nullptr;
  int lengths = 0, codings = 0, hosts = 0;
  bool close = false, keep_alive = false, upgrade_named = false, upgrade = false, expect = false;

  explicit Deciding(const Head& head) {
    for (const Field& field : head.fields) {
      // Few fields have these lengths: the rest is told apart without looking at it.
      switch (field.name.size()) {
        case 4: note(field, "host", host, hosts); break;
        case 6: expect = expect || (is(field, "expect") && equals_ignoring_case(field.value, "100-continue")); break;
        case 7: upgrade = upgrade || is(field, "upgrade"); break;
        case 10:
          if (!is(field, "connection")) break;
          close = close || lists(field.value, "close");
          keep_alive = keep_alive || lists(field.value, "keep-alive");
          upgrade_named = upgrade_named || lists(field.value, "upgrade");
          break;
        case 14: note(field, "content-length", length, lengths); break;
        case 17: note(field, "transfer-encoding", coding, codings); break;
        default: break;
      }
    }
  }

 private:
  static bool is(const Field& field, std::string_view name) { return equals_ignoring_case(field.name, name); }
  static void note(const Field& field, std::string_view name, const Field*& first, int& count) {
    if (is(field, name) && count++ == 0) first = &field;
  }
};

bool parse_length(std::string_view text, std::uint64_t& length) {
  // 18 digits fit every integer that others may keep it in.
  if (text.empty() || text.size() > 18) return false;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  return error == std::errc() && end == text.data() + text.size();
}

// What both kinds have in common. `none`: the framing where neither header is there.
bool frame(Head& head, const Deciding& deciding, Framing none, Complaint& complaint) {
  head.framing = none;
  if (deciding.codings > 0 && deciding.lengths > 0) {
    complaint = {400, "both Transfer-Encoding and Content-Length"};
  } else if (deciding.codings > 0 && head.minor == 0) {
    complaint = {400, "Transfer-Encoding in HTTP/1.0"};
  } else if (deciding.codings > 1) {
    complaint = {400, "Transfer-Encoding more than once"};
  } else if (deciding.codings == 1 && !equals_ignoring_case(deciding.coding->value, "chunked")) {
    complaint = {501, "a Transfer-Encoding other than chunked"};
  } else if (deciding.lengths > 1) {
    complaint = {400, "Content-Length more than once"};
  } else if (deciding.lengths == 1 && !parse_length(deciding.length->value, head.length)) {
    complaint = {400, "Content-Length is no length"};
  } else {
    if (deciding.codings == 1) head.framing = Framing::kChunked;
    if (deciding.lengths == 1) head.framing = head.length > 0 ? Framing::kLength : Framing::kNone;
    return true;
  }
  return false;
}

void decide_connection(Head& head, const Deciding& deciding) {
  head.keep_alive = !deciding.close && (head.minor == 1 || deciding.keep_alive) && head.framing != Framing::kUntilClose;
  // In HTTP/1.0 it is to be ignored (RFC 9110, section 7.8).
  head.upgrade = head.minor == 1 && deciding.upgrade_named && deciding.upgrade;
}

// RFC 3986, section 3.2: a host and a port, without user information. May be empty.
bool is_authority(std::string_view text) {
  for (char c : text)
    if (!is_digit(c) && !(lower(c) >= 'a' && lower(c) <= 'z') &&
        std::string_view("-._~!$&'()*+;=%:[]").find(c) == std::string_view::npos)
      return false;
  return true;
}

struct AbsoluteForm {
  std::string_view authority;
  bool secure = false;
};

bool parse_absolute(std::string_view target, AbsoluteForm& out) {
  const std::size_t colon = target.find("://");
  if (colon == std::string_view::npos) return false;
  const std::string_view scheme = target.substr(0, colon);
  out.secure = equals_ignoring_case(scheme, "https");
  if (!out.secure && !equals_ignoring_case(scheme, "http")) return false;
  const std::string_view rest = target.substr(colon + 3);
  out.authority = rest.substr(0, rest.find_first_of("/?#"));
  return !out.authority.empty();
}

std::string_view without_default_port(std::string_view authority, bool secure) {
  const std::string_view port = secure ? ":443" : ":80";
  return authority.ends_with(port) ? authority.substr(0, authority.size() - port.size()) : authority;
}

// RFC 9112, section 3.2: which form of target goes with which method, and with Host.
const char* judge_target(const Head& head, const Field* host) {
  if (head.target.find('#') != std::string_view::npos) return "the target has a fragment";
  if (head.method == "CONNECT") {
    if (!is_authority(head.target) || head.target.find(':') == std::string_view::npos)
      return "CONNECT without host and port";
    return nullptr;
  }
  if (head.target == "*") return head.method == "OPTIONS" ? nullptr : "the target * is for OPTIONS only";
  if (head.target.front() == '/') return nullptr;
  AbsoluteForm absolute;
  if (!parse_absolute(head.target, absolute)) return "the target is neither a path nor an http URL";
  if (!is_authority(absolute.authority)) return "the target's host holds what it may not";
  if (host && !equals_ignoring_case(without_default_port(absolute.authority, absolute.secure),
                                    without_default_port(host->value, absolute.secure)))
    return "the target's host is not Host";
  return nullptr;
}

}  // namespace

bool frame_request(Head& head, Complaint& complaint) {
  const Deciding deciding(head);
  const char* wrong = judge_target(head, deciding.host);
  if (deciding.hosts > 1) wrong = "Host more than once";
  if (deciding.hosts == 0 && head.minor == 1) wrong = "no Host";
  if (deciding.hosts == 1 && !is_authority(deciding.host->value)) wrong = "Host holds what it may not";
  if (wrong) {
    complaint = {400, wrong};
    return false;
  }
  if (!frame(head, deciding, Framing::kNone, complaint)) return false;
  decide_connection(head, deciding);
  head.expects_continue = head.minor == 1 && deciding.expect;
  return true;
}

bool frame_response(Head& head, Parser::ResponseTo what, Complaint& complaint) {
  const Deciding deciding(head);
  // Above 599 there is no class, but some services have such (RFC 9110, section 15).
  if (head.status < 100) {
    complaint = {502, "the status is none"};
    return false;
  }
  if (!frame(head, deciding, Framing::kUntilClose, complaint)) {
    complaint.status = 502;
    return false;
  }
  if (head.status == 101 || (what == Parser::ResponseTo::kConnect && head.status / 100 == 2)) {
    head.framing = Framing::kTunnel;
  } else if (what == Parser::ResponseTo::kHead || head.status / 100 == 1 || head.status == 204 || head.status == 304) {
    head.framing = Framing::kNone;
  }
  decide_connection(head, deciding);
  return true;
}

const Field* Head::find(std::string_view name) const {
  for (const Field& field : fields)
    if (equals_ignoring_case(field.name, name)) return &field;
  return nullptr;
}

std::string_view Head::path() const {
  std::string_view path = target;
  if (!path.starts_with('/')) {
    const std::size_t colon = path.find("://");
    if (colon == std::string_view::npos) return {};
    path.remove_prefix(colon + 3);
    const std::size_t begin = path.find_first_of("/?");
    if (begin == std::string_view::npos || path[begin] == '?') return "/";
    path.remove_prefix(begin);
  }
  return path.substr(0, path.find('?'));
}

}  // namespace causeway::http
