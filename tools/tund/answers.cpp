#include "tools/tund/answers.h"

namespace causeway::tund {
namespace {

ErrorCode kind_of(FailureKind kind) {
  switch (kind) {
    case FailureKind::kInvalid: return ErrorCode::kInvalid;
    case FailureKind::kPermission: return ErrorCode::kPermission;
    case FailureKind::kNotFound: return ErrorCode::kNotFound;
    case FailureKind::kUnavailable: return ErrorCode::kUnavailable;
    case FailureKind::kRefused: return ErrorCode::kRefused;
    case FailureKind::kTimedOut: return ErrorCode::kTimedOut;
    case FailureKind::kProtocol: return ErrorCode::kProtocol;
    case FailureKind::kConflict: return ErrorCode::kConflict;
    case FailureKind::kLimit: return ErrorCode::kLimit;
    case FailureKind::kSystem: break;
  }
  return ErrorCode::kSystem;
}

const char* state_text(TunnelState state) {
  switch (state) {
    case TunnelState::kDown: return "down";
    case TunnelState::kComingUp: return "coming-up";
    case TunnelState::kUp: return "up";
    case TunnelState::kReconnecting: return "reconnecting";
    case TunnelState::kGoingDown: break;
  }
  return "going-down";
}

}  // namespace

control::StepAnswer to_answer(const Step& step) { return {step.name, step.took, step.detail}; }

control::TunnelAnswer to_answer(const TunnelStatus& status) {
  control::TunnelAnswer out;
  out.profile = status.profile;
  out.state = state_text(status.state);
  out.device = status.device;
  out.gateway = status.gateway;
  out.gateway_key = status.gateway_key;
  out.own_key = status.own_key;
  out.last_error = status.last_error;
  out.icmp = status.icmp;
  out.resolver = status.resolver;
  out.cipher = status.cipher;
  out.round_trip = status.round_trip;
  out.up_for = status.up_for;
  out.routes = status.routes;
  out.addresses = status.addresses;
  out.dns_servers = status.dns_servers;
  out.skipped_routes = status.skipped_routes;
  out.counters = status.counters;
  return out;
}

control::ErrorAnswer to_answer(const Failure& failure) {
  return {kind_of(failure.kind), failure.step, failure.message, failure.advice};
}

}  // namespace causeway::tund
