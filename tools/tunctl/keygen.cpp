// `tunctl keygen [FILE]`: a new private key, and what to do with its public one.
#include <fmt/format.h>
#include <unistd.h>

#include <cstring>

#include "core/noise/keys.h"
#include "tools/tunctl/call.h"
#include "tools/tunctl/verbs.h"
#include "tools/tunctl/write_file.h"

namespace causeway::tunctl {

ExitCode keygen(const std::string& file, bool force) {
  noise::SodiumRandom random;
  noise::KeyPair pair = noise::generate(random);
  std::string text = noise::encode_key(pair.private_key.bytes()) + '\n';
  auto written = file.empty() ? write_all(STDOUT_FILENO, text, "standard output")
                 : force      ? replace(file, text)
                              : write_new(file, text);
  if (!written && written.error().code == ErrorCode::kConflict) {
    written.error().advice =
        "`tunctl pubkey " + file + "` prints its public key; --force replaces it, and the old key is lost";
  }
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
