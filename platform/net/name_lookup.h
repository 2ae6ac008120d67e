// Names to addresses with c-ares, the way programs of this machine see them: hosts file, search list, servers.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/packet/address.h"
#include "platform/loop/loop.h"

namespace causeway::platform {

class NameLookup {
 public:
  using Done = std::function<void(Result<std::vector<packet::Address>>)>;

  // `servers` empty: those of resolv.conf, which is read now.
  NameLookup(Loop& loop, const std::vector<packet::Endpoint>& servers);
  // Lookups under way end with kUnavailable.
  ~NameLookup();
  NameLookup(const NameLookup&) = delete;
  NameLookup& operator=(const NameLookup&) = delete;

  // At least one address, those to be tried first in front (RFC 6724); or kNotFound where the name does not exist, kTimedOut,
  // kUnavailable. `done` is called once, perhaps before this returns, and must not destroy the lookup.
  void find(const std::string& name, Done done);

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace causeway::platform
