// What the tunnels of a Runtime share.
#pragma once

#include <causeway/tunnel.h>

#include <memory>
#include <set>

#include "core/base/buffer.h"
#include "core/noise/keys.h"
#include "platform/client/name_chain.h"
#include "platform/client/virtual_addresses.h"
#include "platform/host/host.h"
#include "platform/loop/loop.h"
#include "tun/stack.h"

namespace causeway {

Failure to_failure(const Error& error, std::string step);

struct Runtime::Inside {
  explicit Inside(Runtime::Options chosen)
      : options(std::move(chosen)), host(options.host), keep_waiting(loop, [] {}), stack(pool, random) {}

  Runtime::Options options;
  platform::Loop loop;
  std::unique_ptr<platform::Host> own_host;
  platform::Host* host;
  platform::Timer keep_waiting;  // never due: a runtime without tunnels waits for stop(), too
  BufferPool pool;
  noise::SodiumRandom random;
  tun::Stack stack;
  platform::NameChain names;
  platform::AddressSlots slots;
  std::set<std::string> attached;  // profiles
};

}  // namespace causeway
