// The authorised clients of a gateway as they lie in files.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/engine/gateway.h"

namespace causeway::platform {

struct ClientList {
  std::vector<engine::AuthorisedClient> clients;
  std::vector<std::string> mistakes;  // lines that let nobody in
};

// See core/config/authorised_keys.h. A client whose pre-shared key cannot be read is left out with a mistake: it never gets in
// without it. Fails only where the file itself cannot be read.
Result<ClientList> read_clients_file(const std::string& path);

}  // namespace causeway::platform
