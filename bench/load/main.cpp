// cw-load: the requests, connections, datagrams and idle flows that tools/bench measures with, and the side that answers them.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

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
  unsigned connections = 1;
  unsigned stalled = 1;
  bool pour = false;
  std::vector<std::string> from;
  auto* serving = app.add_subcommand(
      "serve",
      "TCP and UDP echo on PORT; PORT+1 answers a byte and closes; PORT+2 never reads; PORT+3 writes and never reads");
  serving->add_option("PORT", port)->required();
  auto* rr = app.add_subcommand("rr", "one byte there and back, one at a time");
  rr->add_option("--connections", connections)->check(CLI::Range(1, 256));
  auto* connecting = app.add_subcommand("connect", "new connections, to a `serve`'s PORT+1");
  connecting->add_option("--parallel", parallel)->check(CLI::Range(1, 4096));
  connecting->add_option("--from", from, "an address of this machine; may be repeated");
  auto* udp = app.add_subcommand("udp", "datagrams there and back");
  udp->add_option("--window", window)->check(CLI::Range(1, 4096));
  udp->add_option("--size", size)->check(CLI::Range(8, 60000));
  auto* holding = app.add_subcommand("hold", "idle connections, until the input ends");
  holding->add_option("--flows", flows)->check(CLI::Range(1, 60000));
  auto* stalling = app.add_subcommand("stall", "connections that never read, until the input ends");
  stalling->add_option("--flows", stalled)->check(CLI::Range(1, 4096));
  stalling->add_flag("--pour", pour, "they write as long as they can");
  for (auto* verb : {rr, connecting, udp, holding, stalling}) takes_target(verb, target);
  CLI11_PARSE(app, count, words);
  if (serving->parsed()) return serve(port);
  if (rr->parsed()) return request_response(target, connections);
  if (connecting->parsed()) return connect_rate(target, parallel, from);
  if (udp->parsed()) return udp_echo(target, window, size);
  if (stalling->parsed()) return stall(target, stalled, pour);
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
