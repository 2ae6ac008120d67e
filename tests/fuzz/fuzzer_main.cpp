// libFuzzer's entry for the one target that is linked in. With --seeds=FOLDER it writes the target's seeds there and ends.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string_view>

#include "tests/fuzz/target.h"

using causeway::fuzz::targets;

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  for (int i = 1; i < *argc; ++i) {
    std::string_view argument = (*argv)[i];
    constexpr std::string_view kSeeds = "--seeds=";
    if (!argument.starts_with(kSeeds)) continue;
    int number = 0;
    for (const causeway::fuzz::Seed& seed : targets().front().seeds()) {
      std::ofstream file(std::string(argument.substr(kSeeds.size())) + "/seed-" + std::to_string(number++),
                         std::ios::binary);
      file.write(reinterpret_cast<const char*>(seed.bytes.data()), std::streamsize(seed.bytes.size()));
      if (!file.flush()) {
        std::fprintf(stderr, "cannot write seeds to %s\n", argument.data() + kSeeds.size());
        std::exit(1);
      }
    }
    std::exit(0);
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  targets().front().run({data, size});
  return 0;
}
