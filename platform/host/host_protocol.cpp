#include "platform/host/host_protocol.h"

#include <algorithm>
#include <string_view>

#include "core/base/wire.h"
#include "platform/host/request_check.h"

namespace causeway::platform {
namespace {

using packet::Address;
using packet::Cidr;

// Kinds on the wire are the places in the two variants.
enum RequestKind : std::uint8_t { kAttach, kSetResolver, kDetach, kOpenFile, kConflicts, kChangeRoutes };
enum AnswerKind : std::uint8_t { kError, kAttached, kResolver, kDetached, kOpened, kConflictsFound, kRoutesChanged };

constexpr std::size_t kMaxText = 500;
constexpr std::size_t kMaxLines = 100;
constexpr std::size_t kMaxSearch = 64;
constexpr std::size_t kMaxHolder = 48;

class Writer {
 public:
  Writer() : space_(kMaxHostMessage), wire_(space_) {}

  void head(std::uint64_t number, std::size_t kind) {
    wire_.byte(kHostProtocolVersion);
    wire_.varint(number);
    wire_.byte(std::uint8_t(kind));
  }
  void flag(bool value) { wire_.byte(value); }
  void byte(std::uint8_t value) { wire_.byte(value); }
  void number16(std::uint16_t value) { wire_.number16(value); }
  void text(std::string_view text, std::size_t most = kMaxText) {
    text = text.substr(0, most);
    wire_.varint(text.size());
    wire_.bytes(as_bytes(text));
  }
  void item(const std::string& value) { text(value); }
  void item(const Address& address) {
    wire_.byte(address.is_v4() ? 4 : 6);
    wire_.bytes(address.bytes());
  }
  void item(const Cidr& prefix) {
    item(prefix.network());
    wire_.byte(std::uint8_t(prefix.length()));
  }
  void item(const RouteConflict& conflict) {
    item(conflict.wanted);
    item(conflict.existing);
    text(conflict.holder, kMaxHolder);
    wire_.number16(conflict.more);
  }
  template <class T>
  void list(const std::vector<T>& items, std::size_t most) {
    std::size_t n = std::min(items.size(), most);
    wire_.varint(n);
    for (std::size_t i = 0; i < n; ++i) item(items[i]);
  }
  std::vector<std::uint8_t> take() {
    space_.resize(wire_.size());
    return std::move(space_);
  }

 private:
  std::vector<std::uint8_t> space_;
  WireWriter wire_;
};

class Reader {
 public:
  explicit Reader(Bytes message) : wire_(message) {}

  bool whole() const { return !broken_ && !wire_.failed() && wire_.empty(); }
  std::uint8_t byte() { return wire_.byte(); }
  std::uint16_t number16() { return wire_.number16(); }
  std::uint64_t varint() { return wire_.varint(); }
  bool flag() {
    std::uint8_t value = wire_.byte();
    broken_ |= value > 1;
    return value == 1;
  }
  std::string text(std::size_t most = kMaxText) {
    std::uint64_t size = wire_.varint();
    broken_ |= size > most;
    return broken_ ? std::string() : std::string(as_text(wire_.take(size)));
  }
  void item(std::string& value) { value = text(); }
  void item(Address& address) {
    std::uint8_t family = wire_.byte();
    broken_ |= family != 4 && family != 6;
    Bytes raw = wire_.take(family == 4 ? 4 : 16);
    if (!broken_ && !raw.empty()) address = Address::from_bytes(raw);
  }
  void item(Cidr& prefix) {
    Address network;
    item(network);
    unsigned length = wire_.byte();
    broken_ |= length > network.bits();
    if (broken_) return;
    prefix = Cidr(network, length);
    broken_ |= prefix.network() != network;
  }
  void item(RouteConflict& conflict) {
    item(conflict.wanted);
    item(conflict.existing);
    conflict.holder = text(kMaxHolder);
    conflict.more = wire_.number16();
  }
  template <class T>
  std::vector<T> list(std::size_t most) {
    std::uint64_t n = wire_.varint();
    broken_ |= n > most || n > wire_.left();
    std::vector<T> items(broken_ ? 0 : std::size_t(n));
    for (T& one : items) item(one);
    return items;
  }

 private:
  WireReader wire_;
  bool broken_ = false;
};

void write(Writer& out, const NetworkRequest& request) {
  out.text(request.profile);
  out.number16(request.mtu);
  out.list(request.addresses, kMaxAddresses);
  out.list(request.routes, kMaxRoutes);
  out.list(request.exclude, kMaxExcluded);
  out.list(request.keep, kMaxKept);
}

void write(Writer& out, const ConflictsRequest& request) {
  out.text(request.profile);
  out.list(request.routes, kMaxConflicts);
  out.list(request.include, kMaxRoutes);
  out.list(request.exclude, kMaxExcluded);
}

void write(Writer& out, const RoutesRequest& request) {
  out.text(request.profile);
  out.list(request.routes, kMaxRoutes);
  out.list(request.exclude, kMaxExcluded);
  out.list(request.keep, kMaxKept);
  out.flag(request.repair);
}

void write(Writer& out, const ResolverRequest& request) {
  out.text(request.profile);
  out.list(request.servers, kMaxStubServers);
  out.flag(request.take_over);
}

void write(Writer& out, const DetachRequest& request) { out.text(request.profile); }

void write(Writer& out, const OpenFileRequest& request) {
  out.text(request.name);
  out.flag(request.secret);
}

void write(Writer& out, const Error& error) {
  out.byte(std::uint8_t(error.code));
  out.text(error.message);
  out.text(error.advice);
}

void write(Writer& out, const AttachedAnswer& answer) {
  out.text(answer.device);
  out.list(answer.skipped, kMaxRoutes);
}

void write(Writer& out, const MachineResolver& answer) {
  out.list(answer.servers, kMaxStubServers);
  out.list(answer.search, kMaxSearch);
  out.flag(answer.standing_in);
  out.text(answer.how);
}

void write(Writer& out, const DetachedAnswer& answer) { out.list(answer.lines, kMaxLines); }

void write(Writer&, const OpenedAnswer&) {}

void write(Writer& out, const ConflictsAnswer& answer) { out.list(answer.conflicts, kMaxConflicts); }

void write(Writer& out, const ChangedRoutes& answer) { out.list(answer.lost, kMaxLines); }

template <class Body>
std::vector<std::uint8_t> encode_any(const Numbered<Body>& message) {
  Writer out;
  out.head(message.number, message.body.index());
  std::visit([&](const auto& body) { write(out, body); }, message.body);
  return out.take();
}

std::optional<HostRequest> read_request(Reader& in, std::uint8_t kind) {
  switch (kind) {
    case kAttach: {
      NetworkRequest request;
      request.profile = in.text(kMaxProfileName);
      request.mtu = in.number16();
      request.addresses = in.list<Address>(kMaxAddresses);
      request.routes = in.list<Cidr>(kMaxRoutes);
      request.exclude = in.list<Cidr>(kMaxExcluded);
      request.keep = in.list<Address>(kMaxKept);
      return request;
    }
    case kSetResolver: {
      ResolverRequest request;
      request.profile = in.text(kMaxProfileName);
      request.servers = in.list<Address>(kMaxStubServers);
      request.take_over = in.flag();
      return request;
    }
    case kDetach: return DetachRequest{in.text(kMaxProfileName)};
    case kOpenFile: {
      OpenFileRequest request;
      request.name = in.text(kMaxFileName);
      request.secret = in.flag();
      return request;
    }
    case kConflicts: {
      ConflictsRequest request;
      request.profile = in.text(kMaxProfileName);
      request.routes = in.list<Cidr>(kMaxConflicts);
      request.include = in.list<Cidr>(kMaxRoutes);
      request.exclude = in.list<Cidr>(kMaxExcluded);
      return request;
    }
    case kChangeRoutes: {
      RoutesRequest request;
      request.profile = in.text(kMaxProfileName);
      request.routes = in.list<Cidr>(kMaxRoutes);
      request.exclude = in.list<Cidr>(kMaxExcluded);
      request.keep = in.list<Address>(kMaxKept);
      request.repair = in.flag();
      return request;
    }
    default: return std::nullopt;
  }
}

std::optional<HostAnswer> read_answer(Reader& in, std::uint8_t kind) {
  switch (kind) {
    case kError: {
      Error error;
      std::uint8_t code = in.byte();
      if (code > std::uint8_t(ErrorCode::kSystem)) return std::nullopt;
      error.code = ErrorCode(code);
      error.message = in.text();
      error.advice = in.text();
      return error;
    }
    case kAttached: {
      AttachedAnswer answer;
      answer.device = in.text();
      answer.skipped = in.list<Cidr>(kMaxRoutes);
      return answer;
    }
    case kResolver: {
      MachineResolver answer;
      answer.servers = in.list<Address>(kMaxStubServers);
      answer.search = in.list<std::string>(kMaxSearch);
      answer.standing_in = in.flag();
      answer.how = in.text();
      return answer;
    }
    case kDetached: return DetachedAnswer{in.list<std::string>(kMaxLines)};
    case kOpened: return OpenedAnswer{};
    case kConflictsFound: return ConflictsAnswer{in.list<RouteConflict>(kMaxConflicts)};
    case kRoutesChanged: return ChangedRoutes{in.list<std::string>(kMaxLines)};
    default: return std::nullopt;
  }
}

template <class Body, class Read>
Result<Numbered<Body>> decode_any(Bytes bytes, const char* what, Read read) {
  Reader in(bytes);
  if (in.byte() != kHostProtocolVersion) return fail(ErrorCode::kProtocol, std::string(what) + " of another version");
  Numbered<Body> message;
  message.number = in.varint();
  std::uint8_t kind = in.byte();
  std::optional<Body> body = read(in, kind);
  if (!body || !in.whole()) return fail(ErrorCode::kProtocol, std::string(what) + " that is malformed");
  message.body = std::move(*body);
  return message;
}

Result<void> check(const NetworkRequest& request) { return check_request(request); }
Result<void> check(const ConflictsRequest& request) { return check_request(request); }
Result<void> check(const RoutesRequest& request) { return check_request(request); }
Result<void> check(const ResolverRequest& request) { return check_request(request); }
Result<void> check(const DetachRequest& request) { return check_profile_name(request.profile); }
Result<void> check(const OpenFileRequest& request) { return check_file_name(request.name); }

}  // namespace

std::vector<std::uint8_t> encode(const Numbered<HostRequest>& request) {
  bool fine = std::visit([](const auto& body) { return check(body).has_value(); }, request.body);
  CAUSEWAY_ASSERT(fine);
  return encode_any(request);
}

std::vector<std::uint8_t> encode(const Numbered<HostAnswer>& answer) { return encode_any(answer); }

Result<Numbered<HostRequest>> decode_host_request(Bytes message) {
  auto request = decode_any<HostRequest>(message, "a request", read_request);
  if (!request) return request;
  auto checked = std::visit([](const auto& body) { return check(body); }, request->body);
  if (!checked) return tl::make_unexpected(std::move(checked.error()));
  return request;
}

Result<Numbered<HostAnswer>> decode_host_answer(Bytes message) {
  return decode_any<HostAnswer>(message, "an answer", read_answer);
}

}  // namespace causeway::platform
