// `tunctl pubkey [FILE|-]`: the public key of a private one.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "core/noise/keys.h"
#include "platform/net/socket.h"
#include "tools/tunctl/call.h"
#include "tools/tunctl/verbs.h"

namespace causeway::tunctl {
namespace {

// A key with white space around it fits many times.
Result<noise::PrivateKey> read_key(int from, const std::string& name) {
  std::array<char, 1024> text;
  std::size_t size = 0;
  while (size < text.size()) {
    ssize_t got = read(from, text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(ErrorCode::kSystem, "cannot read " + name + ": " + std::strerror(errno));
    if (got == 0) break;
    size += std::size_t(got);
  }
  auto key = noise::parse_key({text.data(), size});
  explicit_bzero(text.data(), text.size());
  if (!key)
    return fail(ErrorCode::kInvalid, name + " does not hold a key (44 characters of base64)",
                "`tunctl keygen` makes one");
  return *key;
}

}  // namespace

ExitCode pubkey(const std::string& file) {
  bool standard = file == "-";
  platform::Descriptor opened;
  if (!standard) {
    opened = platform::Descriptor(open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!opened) {
      complain("cannot read " + file + ": " + std::strerror(errno));
      return ExitCode::kProfile;
    }
    struct stat state {};
    if (fstat(opened.get(), &state) == 0 && S_ISREG(state.st_mode) && (state.st_mode & 077) != 0) {
      complain("warning: others can read or change " + file,
               "chmod 600 " + file + ", and a new key if somebody else may have read it");
    }
  }
  auto key = read_key(standard ? STDIN_FILENO : opened.get(), standard ? "standard input" : file);
  if (!key) return complain(key.error(), ExitCode::kProfile);
  fmt::print("{}\n", noise::encode_key(noise::from_private(*key).public_key));
  return ExitCode::kDone;
}

}  // namespace causeway::tunctl
