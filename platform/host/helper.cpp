#include "platform/host/helper.h"

#include <poll.h>

#include <cerrno>
#include <chrono>

#include "platform/host/files.h"
#include "platform/host/request_check.h"

namespace causeway::platform {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{5};

// Until the socket can be read, or the deadline.
Result<void> wait_readable(int socket, Clock::time_point deadline) {
  for (;;) {
    auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd wanted{socket, POLLIN, 0};
    int ready = ::poll(&wanted, 1, int(std::max<long long>(left, 0)));
    if (ready > 0) return {};
    if (ready == 0) return fail(ErrorCode::kTimedOut, "the host helper did not answer within 5 s", "see its log");
    if (errno != EINTR) return fail_errno(errno, "waiting for the host helper");
  }
}

}  // namespace

bool HostServer::serve() {
  auto message = receive_message(socket_.get());
  if (!message) return false;
  // RemoteHost asks nothing that is malformed or out of bounds: whoever does is broken, or was taken over.
  auto request = decode_host_request(message->bytes);
  if (!request) return false;
  Answer made = std::visit([&](const auto& body) { return answer(body); }, request->body);
  Numbered<HostAnswer> reply{request->number, std::move(made.body)};
  return send_message(socket_.get(), encode(reply), made.descriptor.get()).has_value();
}

HostServer::Answer HostServer::answer(const NetworkRequest& request) {
  auto attached = host_.attach(request);
  if (!attached) return {std::move(attached.error()), {}};
  return {AttachedAnswer{std::move(attached->device), std::move(attached->skipped)}, std::move(attached->tun)};
}

HostServer::Answer HostServer::answer(const ResolverRequest& request) {
  auto resolver = host_.set_resolver(request);
  if (!resolver) return {std::move(resolver.error()), {}};
  return {std::move(*resolver), {}};
}

HostServer::Answer HostServer::answer(const DetachRequest& request) {
  auto lines = host_.detach(request.profile);
  if (!lines) return {std::move(lines.error()), {}};
  return {DetachedAnswer{std::move(*lines)}, {}};
}

HostServer::Answer HostServer::answer(const OpenFileRequest& request) {
  auto file = host_.open_file(request.name, request.secret);
  if (!file) return {std::move(file.error()), {}};
  return {OpenedAnswer{}, std::move(*file)};
}

HostServer::Answer HostServer::answer(const ConflictsRequest& request) {
  auto conflicts = host_.conflicts(request);
  if (!conflicts) return {std::move(conflicts.error()), {}};
  return {ConflictsAnswer{std::move(*conflicts)}, {}};
}

HostServer::Answer HostServer::answer(const RoutesRequest& request) {
  auto changed = host_.change_routes(request);
  if (!changed) return {std::move(changed.error()), {}};
  return {std::move(*changed), {}};
}

Result<RemoteHost::Answered> RemoteHost::ask(HostRequest request) {
  std::uint64_t number = ++last_number_;
  auto deadline = Clock::now() + kPatience;
  auto sent = send_message(socket_.get(), encode(Numbered<HostRequest>{number, std::move(request)}));
  if (!sent) return tl::make_unexpected(std::move(sent.error()).in("asking the host helper"));
  for (;;) {
    if (auto ready = wait_readable(socket_.get(), deadline); !ready)
      return tl::make_unexpected(std::move(ready.error()));
    auto message = receive_message(socket_.get());
    if (!message) return tl::make_unexpected(std::move(message.error()).in("asking the host helper"));
    auto answer = decode_host_answer(message->bytes);
    if (!answer) return tl::make_unexpected(std::move(answer.error()).in("asking the host helper"));
    // The answer to a call that was given up: its descriptor closes here.
    if (answer->number != number) continue;
    return Answered{std::move(answer->body), std::move(message->descriptor)};
  }
}

template <class T>
Result<std::pair<T, Descriptor>> RemoteHost::ask_for(HostRequest request) {
  auto answered = ask(std::move(request));
  if (!answered) return tl::make_unexpected(std::move(answered.error()));
  if (auto* error = std::get_if<Error>(&answered->body)) return tl::make_unexpected(std::move(*error));
  auto* body = std::get_if<T>(&answered->body);
  if (!body) return fail(ErrorCode::kProtocol, "the host helper answered another question");
  return std::pair(std::move(*body), std::move(answered->descriptor));
}

Result<std::vector<RouteConflict>> RemoteHost::conflicts(const ConflictsRequest& request) {
  if (auto checked = check_request(request); !checked) return tl::make_unexpected(std::move(checked.error()));
  auto answer = ask_for<ConflictsAnswer>(request);
  if (!answer) return tl::make_unexpected(std::move(answer.error()));
  return std::move(answer->first.conflicts);
}

Result<ChangedRoutes> RemoteHost::change_routes(const RoutesRequest& request) {
  if (auto checked = check_request(request); !checked) return tl::make_unexpected(std::move(checked.error()));
  auto answer = ask_for<ChangedRoutes>(request);
  if (!answer) return tl::make_unexpected(std::move(answer.error()));
  return std::move(answer->first);
}

Result<AttachedNetwork> RemoteHost::attach(const NetworkRequest& request) {
  if (auto checked = check_request(request); !checked) return tl::make_unexpected(std::move(checked.error()));
  auto answer = ask_for<AttachedAnswer>(request);
  if (!answer) return tl::make_unexpected(std::move(answer.error()));
  if (!answer->second) return fail(ErrorCode::kProtocol, "the host helper sent no device");
  return AttachedNetwork{std::move(answer->first.device), std::move(answer->second), std::move(answer->first.skipped)};
}

Result<MachineResolver> RemoteHost::set_resolver(const ResolverRequest& request) {
  if (auto checked = check_request(request); !checked) return tl::make_unexpected(std::move(checked.error()));
  auto answer = ask_for<MachineResolver>(request);
  if (!answer) return tl::make_unexpected(std::move(answer.error()));
  return std::move(answer->first);
}

Result<std::vector<std::string>> RemoteHost::detach(std::string_view profile) {
  if (auto checked = check_profile_name(profile); !checked) return tl::make_unexpected(std::move(checked.error()));
  auto answer = ask_for<DetachedAnswer>(DetachRequest{std::string(profile)});
  if (!answer) return tl::make_unexpected(std::move(answer.error()));
  return std::move(answer->first.lines);
}

Result<Descriptor> RemoteHost::open_file(std::string_view name, bool secret) {
  if (auto checked = check_file_name(name); !checked) return tl::make_unexpected(std::move(checked.error()));
  auto answer = ask_for<OpenedAnswer>(OpenFileRequest{std::string(name), secret});
  if (!answer) return tl::make_unexpected(std::move(answer.error()));
  if (!answer->second) return fail(ErrorCode::kProtocol, "the host helper sent no file");
  return std::move(answer->second);
}

}  // namespace causeway::platform
