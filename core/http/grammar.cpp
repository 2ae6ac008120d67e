#include "core/http/grammar.h"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <limits>
#include <optional>

#include "core/base/assert.h"
#include "core/http/parser.h"
#include "core/http/text.h"

namespace causeway::http {
namespace {

namespace beast = boost::beast::http;
using beast_view = boost::beast::string_view;
using boost::beast::error_code;

std::string_view view(beast_view text) { return {text.data(), text.size()}; }

constexpr const char* kNotWellFormed = "the message is not well-formed";

const char* what_is_wrong(const error_code& error) {
  if (error == beast::error::bad_method) return "the method is not a token";
  if (error == beast::error::bad_target) return "the request's target holds what it may not";
  if (error == beast::error::bad_version) return "the version is not HTTP/1.0 or HTTP/1.1";
  if (error == beast::error::bad_status) return "the status is not three digits";
  if (error == beast::error::bad_reason) return "the reason holds what it may not";
  if (error == beast::error::bad_field) return "a header's name is not a token, or does not end at its colon";
  if (error == beast::error::bad_value) return "a header's value holds what it may not";
  if (error == beast::error::bad_content_length)
    return "Content-Length is no length, or does not go with the other headers";
  if (error == beast::error::bad_transfer_encoding) return "Transfer-Encoding does not go with the other headers";
  if (error == beast::error::bad_chunk) return "a chunk does not begin with its size, or does not end with it";
  if (error == beast::error::bad_chunk_extension) return "a chunk's extension is not well-formed";
  return kNotWellFormed;
}

// Beast takes anything between quotes, and white space around everything.
bool is_strict(std::string_view extension) {
  bool quoted = false;
  for (std::size_t i = 0; i < extension.size(); ++i) {
    if (extension[i] == '"') quoted = !quoted;
    if (quoted && extension[i] == '\\') ++i;
    if (!quoted && is_white(extension[i])) return false;
  }
  return is_field_value(extension);
}

// What the callbacks of both kinds fill.
struct Found {
  Head* head = nullptr;  // null: trailers
  std::uint64_t chunk = 0;
  Parser::Complaint complaint;
};

template <bool kRequest>
class Machine final : public beast::basic_parser<kRequest> {
 public:
  explicit Machine(Found& found) : found_(found) {
    // Not none: Beast 1.74 takes that for less than any length.
    this->body_limit(std::numeric_limits<std::uint64_t>::max());
    this->header_limit(std::uint32_t(Parser::kMaxHead));
  }

 private:
  void on_request_impl(beast::verb, beast_view method, beast_view target, int version, error_code&) override {
    found_.head->method = view(method);
    found_.head->target = view(target);
    found_.head->minor = std::uint8_t(version - 10);
  }
  void on_response_impl(int status, beast_view, int version, error_code&) override {
    found_.head->status = unsigned(status);
    found_.head->minor = std::uint8_t(version - 10);
  }
  void on_field_impl(beast::field, beast_view name, beast_view value, error_code& error) override {
    if (!found_.head) return;
    if (found_.head->fields.size() == Parser::kMaxFields) {
      found_.complaint = {431, "there are too many headers"};
      error = beast::error::header_limit;
      return;
    }
    found_.head->fields.push_back({view(name), view(value), {}});
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(beast_view body, error_code&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t size, beast_view extension, error_code& error) override {
    found_.chunk = size;
    // Beyond what fits a signed number others have been seen to begin from 0 again.
    if (size > std::uint64_t(std::numeric_limits<std::int64_t>::max())) {
      found_.complaint.text = "a chunk's size is too large";
      error = beast::error::bad_chunk;
    }
    if (!is_strict(view(extension))) error = beast::error::bad_chunk_extension;
  }
  std::size_t on_chunk_body_impl(std::uint64_t, beast_view body, error_code&) override { return body.size(); }
  void on_finish_impl(error_code&) override {}

  Found& found_;
};

}  // namespace

class Grammar::Impl {
 public:
  explicit Impl(bool requests) : is_requests_(requests) {}

  void begin() {
    if (is_requests_) {
      request_.emplace(found_);
    } else {
      response_.emplace(found_);
    }
  }

  // All of `bytes` must be taken.
  bool put(std::string_view bytes) {
    found_.complaint = {400, nullptr};
    error_code error;
    const boost::asio::const_buffer buffer(bytes.data(), bytes.size());
    const std::size_t taken = is_requests_ ? request_->put(buffer, error) : response_->put(buffer, error);
    if (error == beast::error::need_more) error = {};
    if (!error && taken == bytes.size()) return true;
    if (error == beast::error::bad_version) found_.complaint.status = 505;
    if (!found_.complaint.text) found_.complaint.text = error ? what_is_wrong(error) : kNotWellFormed;
    return false;
  }

  bool head_done() const { return is_requests_ ? request_->is_header_done() : response_->is_header_done(); }

  const bool is_requests_;
  Found found_;

 private:
  std::optional<Machine<true>> request_;
  std::optional<Machine<false>> response_;
};

Grammar::Grammar(bool requests) : impl_(std::make_unique<Impl>(requests)) {}
Grammar::~Grammar() = default;

bool Grammar::head(std::string_view bytes, Head& head) {
  impl_->begin();
  impl_->found_.head = &head;
  // A status line that ends with its number: common, harmless, and more than Beast takes.
  constexpr std::size_t kStatusOnly = std::string_view("HTTP/1.1 200").size();
  bool good = true;
  if (!impl_->is_requests_ && bytes.size() > kStatusOnly && bytes.substr(kStatusOnly).starts_with("\r\n")) {
    char line[kStatusOnly + 3];
    bytes.copy(line, kStatusOnly);
    line[kStatusOnly] = ' ';
    line[kStatusOnly + 1] = '\r';
    line[kStatusOnly + 2] = '\n';
    good = impl_->put({line, sizeof line});
    bytes.remove_prefix(kStatusOnly + 2);
  }
  good = good && impl_->put(bytes);
  impl_->found_.head = nullptr;
  if (!good || impl_->head_done()) return good;
  impl_->found_.complaint.text = kNotWellFormed;
  return false;
}

bool Grammar::chunk_line(std::string_view bytes, std::uint64_t& size) {
  const bool good = impl_->put(bytes);
  size = impl_->found_.chunk;
  return good;
}

void Grammar::chunk_bytes(std::string_view bytes) { CAUSEWAY_ASSERT(impl_->put(bytes)); }

const Parser::Complaint& Grammar::complaint() const { return impl_->found_.complaint; }

}  // namespace causeway::http
