// cw-wan NEAR FAR --control PATH [--settings WORDS] [--seed N]: the lab's wide-area path. Carries Ethernet frames between two
// devices of its namespace, as late, lossy and fast as WORDS say ("delay=20 jitter=1 loss=0.5 rate=100"; see settings.h). Ends
// no connection and changes no frame. Requests on the control socket: "set WORDS", "cut", "heal", "show". Each is answered by
// what is in force and has been counted, as NAME=VALUE lines, or by "error: REASON".
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>

#include "platform/loop/loop.h"
#include "tools/wan/control.h"
#include "tools/wan/direction.h"

namespace causeway::wan {
namespace {

struct Options {
  std::string near, far, control, words;
  std::uint64_t seed = 1;
};

class Relay {
 public:
  Relay(platform::Loop& loop, Port& near, Port& far, const Settings& settings, std::uint64_t seed)
      : seed_(seed), up_(loop, near, far, settings, seed), down_(loop, far, near, settings, ~seed) {}

  std::string answer(std::string_view request) {
    if (request == "cut" || request == "heal") {
      for (Direction* way : {&up_, &down_}) way->set_cut(request == "cut");
    } else if (request.starts_with("set ")) {
      const auto settings = changed(up_.settings(), request.substr(4));
      if (!settings) return "error: " + settings.error().message;
      for (Direction* way : {&up_, &down_}) way->set(*settings);
    } else if (request != "show") {
      return "error: a request is set WORDS, cut, heal or show";
    }
    return report();
  }

 private:
  std::string report() {
    std::string text = to_words(up_.settings());
    for (char& c : text) c = c == ' ' ? '\n' : c;
    text += fmt::format("\nqueue={}\ncut={}\nseed={}\n", up_.settings().queue(), int(up_.is_cut()), seed_);
    for (auto& [name, way] : {std::pair{"up", &up_}, std::pair{"down", &down_}}) {
      const Direction::Counts counts = way->counts();
      text += fmt::format("{0}_frames={1}\n{0}_bytes={2}\n{0}_lost={3}\n{0}_queue={4}\n{0}_cut={5}\n{0}_missed={6}\n",
                          name, counts.frames, counts.bytes, counts.lost, counts.queue, counts.cut, counts.missed);
    }
    return text;
  }

  std::uint64_t seed_;
  Direction up_;
  Direction down_;
};

Result<void> run(const Options& options) {
  const auto settings = changed({}, options.words);
  if (!settings) return tl::make_unexpected(settings.error());
  const auto near = Port::open(options.near);
  if (!near) return tl::make_unexpected(near.error());
  const auto far = Port::open(options.far);
  if (!far) return tl::make_unexpected(far.error());
  platform::Loop loop;
  Relay relay(loop, **near, **far, *settings, options.seed);
  const auto control =
      Control::open(loop, options.control, [&](std::string_view request) { return relay.answer(request); });
  if (!control) return tl::make_unexpected(control.error());
  platform::SignalWatch terminate(loop, SIGTERM, [&] { loop.stop(); });
  platform::SignalWatch interrupt(loop, SIGINT, [&] { loop.stop(); });
  loop.run();
  return {};
}

}  // namespace
}  // namespace causeway::wan

int main(int argc, char** argv) {
  causeway::wan::Options options;
  CLI::App app("The lab's wide-area path: carries frames between two devices, late, lossy and limited as asked.",
               "cw-wan");
  app.add_option("near", options.near, "the device on the laptop's side")->required();
  app.add_option("far", options.far, "the device on the cluster's side")->required();
  app.add_option("--control", options.control, "where the control socket is made")->required();
  app.add_option("--settings", options.words, "\"delay=MS jitter=MS loss=PERCENT rate=MBIT\", of each direction");
  app.add_option("--seed", options.seed, "of losses and jitter; the same seed repeats them");
  CLI11_PARSE(app, argc, argv);
  const auto done = causeway::wan::run(options);
  if (!done) std::fprintf(stderr, "cw-wan: %s\n", done.error().message.c_str());
  return done ? 0 : 1;
}
