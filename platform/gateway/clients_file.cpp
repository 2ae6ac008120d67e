#include "platform/gateway/clients_file.h"

#include "core/config/authorised_keys.h"
#include "platform/net/secret_file.h"

namespace causeway::platform {
namespace {

constexpr std::size_t kMost = 8 * 1024 * 1024;

}  // namespace

Result<ClientList> read_clients_file(const std::string& path) {
  auto text = read_text_file(path, kMost);
  if (!text) return tl::make_unexpected(text.error());
  config::AuthorisedKeys keys = config::parse_authorised_keys(*text, path);
  ClientList list;
  list.mistakes = std::move(keys.mistakes);
  for (config::AuthorisedKey& entry : keys.clients) {
    engine::AuthorisedClient client{entry.key, std::move(entry.name), std::nullopt};
    if (!entry.psk_file.empty()) {
      auto psk = read_key_file(entry.psk_file);
      if (!psk) {
        list.mistakes.push_back(path + ':' + std::to_string(entry.line) + ": " + psk.error().message +
                                "; the line lets nobody in");
        continue;
      }
      client.psk = *psk;
    }
    list.clients.push_back(std::move(client));
  }
  return list;
}

}  // namespace causeway::platform
