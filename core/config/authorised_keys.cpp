#include "core/config/authorised_keys.h"

#include <algorithm>
#include <map>

#include "core/config/toml_reader.h"
#include "core/noise/keys.h"

namespace causeway::config {
namespace {

constexpr std::string_view kSpace = " \t\r";
constexpr std::size_t kMaxName = 64;

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (std::size_t at = line.find_first_not_of(kSpace); at != std::string_view::npos;) {
    std::size_t end = std::min(line.find_first_of(kSpace, at), line.size());
    if (line[at] == '#') break;
    words.push_back(line.substr(at, end - at));
    at = line.find_first_not_of(kSpace, end);
  }
  return words;
}

bool is_name(std::string_view name) {
  return name.size() <= kMaxName && std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

AuthorisedKeys parse_authorised_keys(std::string_view text, std::string_view source) {
  AuthorisedKeys keys;
  std::map<link::PublicKey, unsigned> lines;
  unsigned number = 0;
  while (!text.empty()) {
    std::size_t end = std::min(text.find('\n'), text.size());
    std::vector<std::string_view> words = words_of(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (words.empty()) continue;
    auto wrong = [&](const std::string& why) {
      keys.mistakes.push_back(std::string(source) + ':' + std::to_string(number) + ": " + why +
                              "; the line lets nobody in");
    };
    auto key = noise::parse_public_key(words[0]);
    if (!key) {
      wrong("the first word is not a key (44 characters of base64)");
    } else if (words.size() < 2) {
      wrong("a name is missing behind the key");
    } else if (!is_name(words[1])) {
      wrong("a name has at most 64 characters, all printable ASCII");
    } else if (words.size() > 3) {
      wrong("there is something behind KEY, NAME and PSK_FILE");
    } else if (auto [it, fresh] = lines.try_emplace(*key, number); !fresh) {
      wrong("this key stands in line " + std::to_string(it->second) + " already");
    } else {
      std::string psk = words.size() == 3 ? path_beside(source, words[2]) : std::string();
      keys.clients.push_back({*key, std::string(words[1]), std::move(psk), number});
    }
  }
  return keys;
}

}  // namespace causeway::config
