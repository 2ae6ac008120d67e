// `tunctl keygen [FILE]`: a new private key, and what to do with its public one.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "core/noise/keys.h"
#include "platform/net/socket.h"
#include "tools/tunctl/call.h"
#include "tools/tunctl/verbs.h"

namespace causeway::tunctl {
namespace {

using platform::Descriptor;

tl::unexpected<Error> cannot_write(const std::string& file) {
  return fail(ErrorCode::kSystem, "cannot write " + file + ": " + std::strerror(errno));
}

Result<void> write_all(int to, const std::string& text, const std::string& file) {
  for (std::size_t at = 0; at < text.size();) {
    ssize_t size = write(to, text.data() + at, text.size() - at);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return cannot_write(file);
    at += std::size_t(size);
  }
  return {};
}

// Never a moment in which others could read it, and never half a key under the file's name.
Result<void> write_new(const std::string& file, const std::string& text) {
  Descriptor to(open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!to && errno == EEXIST) {
    return fail(ErrorCode::kConflict, file + " exists already, and was left as it is",
                "`tunctl pubkey " + file + "` prints its public key; --force replaces it, and the old key is lost");
  }
  if (!to) return cannot_write(file);
  auto written = write_all(to.get(), text, file);
  if (written && (fchmod(to.get(), 0600) != 0 || fsync(to.get()) != 0)) written = cannot_write(file);
  if (!written) unlink(file.c_str());
  return written;
}

Result<void> replace(const std::string& file, const std::string& text) {
  std::string fresh = file + ".XXXXXX";
  Descriptor to(mkostemp(fresh.data(), O_CLOEXEC));  // mode 0600
  if (!to) return cannot_write(file);
  auto written = write_all(to.get(), text, file);
  if (written && (fsync(to.get()) != 0 || rename(fresh.c_str(), file.c_str()) != 0)) written = cannot_write(file);
  if (!written) unlink(fresh.c_str());
  return written;
}

}  // namespace

ExitCode keygen(const std::string& file, bool force) {
  noise::SodiumRandom random;
  noise::KeyPair pair = noise::generate(random);
  std::string text = noise::encode_key(pair.private_key.bytes()) + '\n';
  auto written = file.empty() ? write_all(STDOUT_FILENO, text, "standard output")
                 : force      ? replace(file, text)
                              : write_new(file, text);
  explicit_bzero(text.data(), text.size());
  if (!written) return complain(written.error(), ExitCode::kOther);
  std::string shown = noise::encode_key(pair.public_key);
  if (!file.empty()) fmt::print(stderr, "private key: {} (readable by its owner only)\n", file);
  fmt::print(
      stderr,
      "public key:  {}\n"
      "A laptop's goes into the gateway's clients file, as the line `{} NAME`; a gateway's into each profile, as "
      "gateway_key.\n",
      shown, shown);
  return ExitCode::kDone;
}

}  // namespace causeway::tunctl
