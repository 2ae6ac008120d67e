#include "platform/client/runtime_inside.h"
#include "platform/host/machine_host.h"
#include "platform/log.h"

namespace causeway {

Failure to_failure(const Error& error, std::string step) {
  FailureKind kind = FailureKind::kSystem;
  switch (error.code) {
    case ErrorCode::kInvalid: kind = FailureKind::kInvalid; break;
    case ErrorCode::kPermission: kind = FailureKind::kPermission; break;
    case ErrorCode::kNotFound: kind = FailureKind::kNotFound; break;
    case ErrorCode::kUnavailable: kind = FailureKind::kUnavailable; break;
    case ErrorCode::kRefused: kind = FailureKind::kRefused; break;
    case ErrorCode::kTimedOut: kind = FailureKind::kTimedOut; break;
    case ErrorCode::kProtocol: kind = FailureKind::kProtocol; break;
    case ErrorCode::kConflict: kind = FailureKind::kConflict; break;
    case ErrorCode::kLimit: kind = FailureKind::kLimit; break;
    case ErrorCode::kSystem: break;
  }
  return {kind, std::move(step), error.message, error.advice};
}

std::unique_ptr<Runtime> Runtime::create(const Options& options, Failure& failure) {
  auto inside = std::make_unique<Inside>(options);
  if (!inside->host) {
    platform::MachineHost::Options machine;
    machine.state_directory = options.state_directory;
    machine.profiles_directory = options.profiles_directory;
    auto host = platform::MachineHost::create(machine);
    if (!host) {
      failure = to_failure(host.error(), "");
      return nullptr;
    }
    for (const std::string& line : (*host)->recover()) spdlog::info("left by an earlier run: {}", line);
    inside->own_host = std::move(*host);
    inside->host = inside->own_host.get();
  }
  return std::unique_ptr<Runtime>(new Runtime(std::move(inside)));
}

Runtime::Runtime(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}
Runtime::~Runtime() = default;

void Runtime::run() { inside_->loop.run(); }
void Runtime::stop() { inside_->loop.stop(); }
void Runtime::post(std::function<void()> work) { inside_->loop.post(std::move(work)); }
platform::Loop& Runtime::loop() { return inside_->loop; }

const char* version() { return CAUSEWAY_VERSION; }

}  // namespace causeway
