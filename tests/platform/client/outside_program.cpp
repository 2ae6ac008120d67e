// A program outside the tree that uses the installed library: it is told what is wrong with a profile.
#include <causeway/tunnel.h>

#include <cstdio>

int main(int, char** argv) {
  causeway::Failure failure;
  causeway::Runtime::Options options;
  options.state_directory = argv[1];
  auto runtime = causeway::Runtime::create(options, failure);
  if (!runtime) return std::printf("no runtime: %s\n", failure.message.c_str()), 1;

  causeway::Tunnel::Profile profile;
  profile.source = "demo.toml";
  profile.toml = "gateways = 7\n";
  auto tunnel = causeway::Tunnel::create(*runtime, profile, failure);
  std::printf("%s: %s: %s\n", causeway::version(), failure.step.c_str(), failure.message.c_str());
  return tunnel == nullptr && failure.kind == causeway::FailureKind::kInvalid && failure.step == "profile" ? 0 : 1;
}
