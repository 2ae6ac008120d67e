// Tells when a file is another one than before: written, replaced by rename, or reached through a symbolic link that was turned
// (as orchestrators update mounted files). Its folder is watched with inotify; a look at the file now and then catches what inotify does
// not see (links into other folders, network file systems).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "platform/loop/loop.h"

namespace causeway::platform {

class FileWatch {
 public:
  // `changed` comes once things have been quiet for a moment, so that a file being written in place is not read half; also when
  // the file goes or comes.
  FileWatch(Loop& loop, std::string path, std::function<void()> changed,
            Duration look_every = std::chrono::milliseconds(800));
  ~FileWatch();
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace causeway::platform
