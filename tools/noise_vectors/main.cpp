// noise-vectors FILE...: replays Noise test vectors and says how many passed. Exits 0 when some did and none failed, 1 otherwise,
// 2 when called wrongly. A file that cannot be read counts as one failure.
#include <cstdio>
#include <fstream>
#include <sstream>

#include "core/noise/keys.h"
#include "tools/noise_vectors/replay.h"

namespace causeway::tools {
namespace {

Result<std::string> read_file(const char* path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  bool any = in && in.peek() != std::ifstream::traits_type::eof();
  if (any) text << in.rdbuf();
  if (!text || in.bad() || (!any && !in.eof())) {
    return fail(ErrorCode::kNotFound, "it cannot be read");
  }
  return text.str();
}

int run(int count, char** paths) {
  noise::SodiumRandom initialise;
  ReplayReport all;
  for (int i = 0; i < count; ++i) {
    auto report = read_file(paths[i]).and_then([](const std::string& text) { return replay_vectors(text); });
    if (!report) {
      ++all.failed;
      std::fprintf(stderr, "%s: %s\n", paths[i], report.error().message.c_str());
      continue;
    }
    for (const std::string& failure : report->failures) std::fprintf(stderr, "%s: %s\n", paths[i], failure.c_str());
    all.passed += report->passed;
    all.failed += report->failed;
    all.skipped += report->skipped;
  }
  if (all.skipped > 0) std::printf("%zu skipped: of protocols that the link does not use\n", all.skipped);
  std::printf("%zu passed, %zu failed\n", all.passed, all.failed);
  return all.failed == 0 && all.passed > 0 ? 0 : 1;
}

}  // namespace
}  // namespace causeway::tools

int main(int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') {
    std::fprintf(stderr, "usage: noise-vectors FILE...\n");
    return 2;
  }
  return causeway::tools::run(argc - 1, argv + 1);
}
