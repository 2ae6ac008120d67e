// The list of who may enter a gateway: a line for each client.
//
//   # KEY NAME [PSK_FILE]
//   mFNl0cU0SkZ6zNqQ2cTz1VrJr5lJHTnLvwUjLnFHy0A= alice
//   EcmkMrcx8F0hOLvPMk8l8uMBaXD8tRk1Xe3oa5cdQxQ= ci  /etc/causeway/ci.psk
//
// A bad line lets nobody in and is told with its number; the other lines count. So a mistake never keeps in somebody whose line
// was taken out in the same edit.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/link/stream_carrier.h"

namespace causeway::config {

struct AuthorisedKey {
  link::PublicKey key{};
  std::string name;      // 1 to 64 printable characters of ASCII without space; for logs
  std::string psk_file;  // empty: none
  unsigned line = 0;
};

struct AuthorisedKeys {
  std::vector<AuthorisedKey> clients;
  std::vector<std::string> mistakes;  // "clients:7: ..."
};

// A relative PSK_FILE is meant from the folder of `source`.
AuthorisedKeys parse_authorised_keys(std::string_view text, std::string_view source);

}  // namespace causeway::config
