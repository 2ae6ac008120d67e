// cw-load: the requests, connections, datagrams and idle flows that tools/bench measures with, and the side that answers them.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "bench/load/load.h"

namespace causeway::load {
namespace {

void takes_target(CLI::App* verb, Target& target) {
  verb->add_option("ADDRESS", target.address)->required();
  verb->add_option("PORT", target.port)->required();
  verb->add_option("--seconds", target.seconds)->check(CLI::PositiveNumber);
  verb->add_option("--warm-up", target.warm_up)->check(CLI::NonNegativeNumber);
}

int run(int count, char** words) {
  CLI::App app{"Load for tools/bench, and the side that answers it."};
  app.require_subcommand(1);
  Target target;
  std::uint16_t port = 0;
  unsigned parallel = 1;
  unsigned window = 32;
  unsigned size = 64;
  unsigned flows = 1000;
  auto* serving = app.add_subcommand("serve", "TCP and UDP echo on PORT; PORT+1 answers a byte and closes");
  serving->add_option("PORT", port)->required();
  auto* rr = app.add_subcommand("rr", "one byte there and back, one at a time");
  auto* connecting = app.add_subcommand("connect", "new connections, to a `serve`'s PORT+1");
  connecting->add_option("--parallel", parallel)->check(CLI::Range(1, 4096));
  auto* udp = app.add_subcommand("udp", "datagrams there and back");
  udp->add_option("--window", window)->check(CLI::Range(1, 4096));
  udp->add_option("--size", size)->check(CLI::Range(8, 60000));
  auto* holding = app.add_subcommand("hold", "idle connections, until the input ends");
  holding->add_option("--flows", flows)->check(CLI::Range(1, 60000));
  for (auto* verb : {rr, connecting, udp, holding}) takes_target(verb, target);
  CLI11_PARSE(app, count, words);
  if (serving->parsed()) return serve(port);
  if (rr->parsed()) return request_response(target);
  if (connecting->parsed()) return connect_rate(target, parallel);
  if (udp->parsed()) return udp_echo(target, window, size);
  return hold(target, flows);
}

}  // namespace
}  // namespace causeway::load

int main(int count, char** words) {
  try {
    return causeway::load::run(count, words);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cw-load: %s\n", error.what());
    return 1;
  }
}
