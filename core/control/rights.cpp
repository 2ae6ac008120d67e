#include "core/control/rights.h"

namespace causeway::control {
namespace {

constexpr const char* kCut = "…";

}  // namespace

bool may_ask(const Asker& asker, const Request& request) { return asker.may_change() || privilege(request).empty(); }

bool may_end(const Asker& asker, const Owner& owner) {
  return asker.is_root() || (asker.member && (!owner || *owner == asker.user));
}

Error not_yours(const std::string& what, const std::string& owner_name, const std::string& how) {
  return {ErrorCode::kPermission, what + " by " + owner_name + ", and is not yours to end",
          "ask " + owner_name + ", or use sudo: " + how};
}

View view_of(const Asker& asker, const Owner& owner) {
  if (asker.is_root() || (owner && *owner == asker.user)) return View::kWhole;
  if (!asker.member) return View::kOther;
  return owner ? View::kMember : View::kWhole;
}

void cut(TunnelAnswer& tunnel, View view) {
  if (view != View::kOther) return;
  tunnel.gateway_key.clear();
  tunnel.own_key.clear();
}

void cut(InterceptedAnswer& intercept, View view) {
  if (view == View::kWhole) return;
  if (intercept.here) {
    intercept.here->local.clear();
    intercept.here->last_error.clear();
  }
  if (view == View::kMember) return;
  for (auto& [name, value] : intercept.headers) value = kCut;
  if (!intercept.path_prefix.empty()) intercept.path_prefix = std::string("/") + kCut;
  if (intercept.at_gateway) intercept.at_gateway->last_error.clear();
}

}  // namespace causeway::control
