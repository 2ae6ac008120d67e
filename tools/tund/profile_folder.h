// The profiles of /etc/causeway, as the engine process sees them: it may list the folder, and has single files opened by the host.
#pragma once

#include <string>
#include <vector>

#include "platform/host/host.h"

namespace causeway::tund {

class ProfileFolder {
 public:
  // `opened`: the folder, opened by somebody who may, where it was there already. `host` outlives this.
  ProfileFolder(std::string path, platform::Descriptor opened, platform::Host& host)
      : path_(std::move(path)), opened_(std::move(opened)), host_(host) {}

  const std::string& path() const { return path_; }
  // Sorted. At most 200 of what is there; nothing where there is no folder.
  std::vector<std::string> names() const;
  // The only profile there is, or the one called "default".
  Result<std::string> default_name() const;
  // "/etc/causeway/demo.toml"
  std::string source(const std::string& name) const { return path_ + '/' + name + ".toml"; }
  // The profile's text.
  Result<std::string> read(const std::string& name) const;

 private:
  std::string path_;
  platform::Descriptor opened_;
  platform::Host& host_;
};

}  // namespace causeway::tund
