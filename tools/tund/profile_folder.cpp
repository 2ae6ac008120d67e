#include "tools/tund/profile_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "core/control/message.h"

namespace causeway::tund {
namespace {

constexpr std::size_t kMaxNames = 200;

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < 20; ++i) out += (i ? ", " : "") + names[i];
  return names.size() > 20 ? out + ", ..." : out;
}

}  // namespace

std::vector<std::string> ProfileFolder::names() const {
  // The folder as it is now; where it may not be looked into by everybody, the one that was opened at the start.
  int folder = open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0 && errno == EACCES && opened_) folder = fcntl(opened_.get(), F_DUPFD_CLOEXEC, 0);
  if (folder < 0) return {};
  std::unique_ptr<DIR, int (*)(DIR*)> entries(fdopendir(folder), closedir);
  if (!entries) {
    close(folder);
    return {};
  }
  rewinddir(entries.get());  // a duplicate shares its place with the original
  std::vector<std::string> found;
  for (dirent* entry; found.size() < kMaxNames && (entry = readdir(entries.get()));) {
    std::string name = entry->d_name;
    if (!name.ends_with(".toml")) continue;
    name.resize(name.size() - 5);
    if (control::is_profile_name(name)) found.push_back(std::move(name));
  }
  std::sort(found.begin(), found.end());
  return found;
}

Result<std::string> ProfileFolder::default_name() const {
  std::vector<std::string> all = names();
  if (all.size() == 1) return all.front();
  if (std::find(all.begin(), all.end(), "default") != all.end()) return std::string("default");
  if (all.empty()) {
    return fail(ErrorCode::kNotFound, "there is no profile in " + path_,
                "write one, or name a .toml file: `tunctl up ./demo.toml`");
  }
  return fail(ErrorCode::kNotFound, "there are several profiles, and none is called 'default': " + joined(all),
              "say which: `tunctl up " + all.front() + "`");
}

Result<std::string> ProfileFolder::read(const std::string& name) const {
  auto file = host_.open_file(name + ".toml", false);
  if (!file) {
    if (file.error().code != ErrorCode::kNotFound) return tl::make_unexpected(file.error());
    std::vector<std::string> all = names();
    return fail(ErrorCode::kNotFound, "there is no profile '" + name + "' in " + path_,
                all.empty() ? "write " + source(name) : "there are: " + joined(all));
  }
  std::string text(control::kMaxToml + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    ssize_t got = ::read(file->get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(ErrorCode::kSystem, "cannot read " + source(name) + ": " + platform::error_text(errno));
    if (got == 0) break;
    size += std::size_t(got);
  }
  if (size > control::kMaxToml) return fail(ErrorCode::kInvalid, source(name) + " is longer than 32 KiB");
  text.resize(size);
  return text;
}

}  // namespace causeway::tund
