#include "platform/client/profile_key.h"

#include <string.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "core/noise/keys.h"

namespace causeway::platform {
namespace {

// A key is 44 characters; white space around it may be more.
using Text = std::array<char, 256>;

struct Wiped {
  Text& text;
  ~Wiped() { explicit_bzero(text.data(), text.size()); }
};

}  // namespace

Result<Secret<32>> read_profile_key(Host& host, const std::string& folder, const std::string& path) {
  std::filesystem::path beneath = std::filesystem::path(path).lexically_normal();
  if (beneath.is_absolute()) beneath = beneath.lexically_relative(std::filesystem::path(folder).lexically_normal());
  if (beneath.empty() || *beneath.begin() == "..") {
    return fail(ErrorCode::kPermission, path + " is not beneath " + folder, "keys are read from there only: move it");
  }
  auto file = host.open_file(beneath.string(), true);
  if (!file) return tl::make_unexpected(std::move(file.error()));
  Text text;
  Wiped wiped{text};
  std::size_t size = 0;
  while (size < text.size()) {
    ssize_t n = read(file->get(), text.data() + size, text.size() - size);
    if (n < 0) return fail(ErrorCode::kSystem, path + ": " + error_text(errno));
    if (n == 0) break;
    size += std::size_t(n);
  }
  auto key = size < text.size() ? noise::parse_key({text.data(), size}) : std::nullopt;
  if (!key) return fail(ErrorCode::kInvalid, path + " holds no key", "make one with `tunctl keygen`");
  return *key;
}

}  // namespace causeway::platform
