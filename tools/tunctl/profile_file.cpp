#include "tools/tunctl/profile_file.h"

#include <filesystem>

#include "core/config/profile.h"
#include "platform/net/secret_file.h"

namespace causeway::tunctl {
namespace {

Result<std::string> key_text(const std::string& path) {
  auto key = platform::read_key_file(path);
  if (!key) return tl::make_unexpected(key.error());
  return noise::encode_key(key->bytes());
}

}  // namespace

bool is_path(const std::string& profile) {
  return profile.find('/') != std::string::npos || profile.ends_with(".toml");
}

Result<control::UpRequest> read_profile(const std::string& path) {
  auto toml = platform::read_text_file(path, control::kMaxToml);
  if (!toml) return tl::make_unexpected(toml.error());
  auto profile = config::parse_profile(*toml, path);
  if (!profile) return tl::make_unexpected(profile.error());
  auto key = key_text(profile->key_file);
  if (!key) return tl::make_unexpected(key.error());
  std::error_code failed;
  std::string source = std::filesystem::absolute(path, failed).lexically_normal().string();
  control::ProfileContents contents{std::move(*toml), failed ? path : source, std::move(*key), ""};
  if (!profile->psk_file.empty()) {
    auto psk = key_text(profile->psk_file);
    if (!psk) return tl::make_unexpected(psk.error());
    contents.psk = std::move(*psk);
  }
  return control::UpRequest{profile->name, std::move(contents)};
}

}  // namespace causeway::tunctl
