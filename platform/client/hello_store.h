// The last hello number that a key has used, kept across runs, so that a clock that went back does not make the gateway take us
// for a replay. One small file for each key: STATE/hello-<fingerprint>.
#pragma once

#include <cstdint>
#include <string>

#include "core/noise/keys.h"

namespace causeway::platform {

class HelloStore {
 public:
  // An empty folder keeps nothing.
  HelloStore(std::string folder, const noise::PublicKey& key);

  // 0 where nothing was kept, or it cannot be read.
  std::uint64_t load() const;
  // In a single write. Where that cannot be done a line is logged, once; the clock alone has to do then.
  void keep(std::uint64_t number);

 private:
  bool write(const std::string& text) const;

  std::string path_;  // empty: nothing is kept
  bool complained_ = false;
};

}  // namespace causeway::platform
