// Small, whole files: read within a bound, written so that a crash leaves the old or the new one.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "platform/host/host.h"

namespace causeway::platform {

// "doing: No such file or directory", with the kind of no that `number` (an errno) stands for.
tl::unexpected<Error> fail_errno(int number, std::string doing, std::string advice = {});

// What replace_file() adds to a name for as long as it takes.
inline constexpr std::string_view kUnfinished = ".causeway-new";

struct FileOwner {
  mode_t mode = 0644;  // permission bits
  uid_t uid = 0;
  gid_t gid = 0;
};

// The whole content; kLimit where it is larger than `most` bytes.
Result<std::string> read_file(const std::string& path, std::size_t most);

// By a new file beside it that takes its name, synced; an error leaves the old file as it was.
Result<void> replace_file(const std::string& path, std::string_view content, const FileOwner& owner);

// Removes what replace_file() left beside `path` where a crash cut it off.
void remove_unfinished(const std::string& path);

// Into the file that is there (or made now), synced: for files that cannot be replaced, being a mount or having a second name.
// A crash on the way leaves the beginning of `content`, then what was there.
Result<void> overwrite_file(const std::string& path, std::string_view content);

// Makes the folder if need be, for us alone (0700), and its parents, for all to see.
Result<void> make_private_folder(const std::string& path);

// So that names made or removed in the folder survive a power cut.
Result<void> sync_folder(const std::string& path);

// All of it, or the errno as a failure.
Result<void> write_all(int descriptor, std::string_view content, const std::string& path);

}  // namespace causeway::platform
