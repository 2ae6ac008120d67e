// tunctl: brings tunnels up and down, and tells how they are. The work is done by tund, which it asks over a local socket.
#include <CLI/CLI.hpp>

#include "tools/tunctl/verbs.h"

namespace {

using namespace causeway::tunctl;

constexpr const char* kProfileHelp =
    "a profile's name, or the path of a .toml; default: the only one of tund's profiles folder, or the one called "
    "'default'";

struct Options {
  std::string socket = "/run/causeway/control.sock";
  std::string profile, file, key_file = "-";
  bool force = false, json = false, counters = false;
};

void add_keygen(CLI::App& app, Options& options) {
  CLI::App* verb = app.add_subcommand("keygen", "make a private key");
  verb->add_option("FILE", options.file, "where to write it, readable by its owner only; default: to standard output");
  verb->add_flag("--force", options.force, "replace FILE where it exists: its key is lost");
}

void add_pubkey(CLI::App& app, Options& options) {
  CLI::App* verb = app.add_subcommand("pubkey", "print the public key of a private one");
  verb->add_option("FILE", options.key_file, "the private key; '-' and default: standard input");
}

void add_up_and_down(CLI::App& app, Options& options) {
  app.add_subcommand("up", "bring a tunnel up; done when a name of the cluster was answered through it")
      ->add_option("PROFILE", options.profile, kProfileHelp);
  app.add_subcommand("down", "take a tunnel down, and undo everything")
      ->add_option("PROFILE", options.profile, "its name; default: the one that is up");
}

void add_status(CLI::App& app, Options& options) {
  CLI::App* verb = app.add_subcommand("status", "tell what is up, and how it is");
  verb->add_option("PROFILE", options.profile, "its name; default: all");
  verb->add_flag("--json", options.json, "for programs");
  verb->add_flag("--counters", options.counters, "every counter too (--json has them always)");
}

ExitCode run(const CLI::App& app, const Options& options) {
  if (app.got_subcommand("keygen")) return keygen(options.file, options.force);
  if (app.got_subcommand("pubkey")) return pubkey(options.key_file);
  if (app.got_subcommand("up")) return up(options.socket, options.profile);
  if (app.got_subcommand("down")) return down(options.socket, options.profile);
  if (app.got_subcommand("status")) return status(options.socket, options.profile, options.json, options.counters);
  return version(options.socket);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Puts this machine inside a cluster's network, by tund.", "tunctl");
  Options options;
  app.add_option("--socket", options.socket, "where tund listens")->envname("CAUSEWAY_SOCKET")->capture_default_str();
  app.require_subcommand(1);
  app.fallthrough();  // --socket after the verb, too
  app.footer(exit_code_help());
  add_keygen(app, options);
  add_pubkey(app, options);
  add_up_and_down(app, options);
  add_status(app, options);
  app.add_subcommand("version", "tell the versions of tunctl and tund");
  app.set_version_flag("--version", "tunctl " CAUSEWAY_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? int(ExitCode::kDone) : int(ExitCode::kUsage);
  }
  return int(run(app, options));
}
