// tunctl: brings tunnels up and down, and tells how they are. The work is done by tund, which it asks over a local socket.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>

#include "tools/tunctl/call.h"
#include "tools/tunctl/verbs.h"

namespace {

using namespace causeway::tunctl;

constexpr const char* kProfileHelp =
    "a profile's name, or the path of a .toml; default: the only one of tund's profiles folder, or the one called "
    "'default'";

struct Options {
  std::string socket = "/run/causeway/control.sock";
  std::string profile, file, key_file = "-";
  InterceptWords intercept;
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

// Which part of a service is meant.
void add_match(CLI::App* verb, InterceptWords& words) {
  verb->add_option("NAME", words.service, "the service, as `tunctl list` calls it")->required();
  verb->add_option("--http-header", words.headers,
                   "NAME=VALUE: only requests that have this header; repeat it for more")
      ->allow_extra_args(false);
  verb->add_option("--http-path-prefix", words.path_prefix, "only requests whose path begins so, such as /api");
  verb->add_option("--profile", words.profile, "the tunnel, by its profile's name; default: the one that is up");
}

void add_intercept(CLI::App& app, InterceptWords& words) {
  CLI::App* verb =
      app.add_subcommand("intercept", "answer for a service of the cluster with a process of this machine");
  add_match(verb, words);
  verb->add_option("--port", words.port, "where the process listens; default: the service's own port")
      ->check(CLI::Range(1, 65535));
  verb->add_option("--address", words.address, "and at which IP address; default: this machine (127.0.0.1, or ::1)");
  verb->add_option("--env-file", words.env_file, "write the service's environment there; '-': to standard output");
  verb->add_option("--env-syntax", words.env_syntax,
                   "docker, sh or json; default: by the file's extension, docker where it is neither .sh nor .json");
  verb->footer(
      "It stays until `tunctl leave` or `down`. With -- COMMAND… the command is run with the service's environment,\n"
      "as the process that answers: the intercept begins when it listens, and ends when it does.");
}

void add_leave_and_list(CLI::App& app, Options& options) {
  add_match(app.add_subcommand("leave", "end what is intercepted of a service from here"), options.intercept);
  CLI::App* verb = app.add_subcommand("list", "tell what can be intercepted, and who does");
  verb->add_option("PROFILE", options.profile, "a tunnel, by its profile's name; default: all that are up");
  verb->add_flag("--json", options.json, "for programs");
}

// What follows "--" behind `intercept` is a command of its own, options and all. None: there is no "--".
std::optional<std::vector<std::string>> cut_command(int& argc, char** argv) {
  char** end = argv + argc;
  char** dashes = std::find(argv, end, std::string_view("--"));
  if (dashes == end || std::find(argv, dashes, std::string_view("intercept")) == dashes) return std::nullopt;
  argc = int(dashes - argv);
  return std::vector<std::string>(dashes + 1, end);
}

int run(const CLI::App& app, const Options& options) {
  if (app.got_subcommand("keygen")) return int(keygen(options.file, options.force));
  if (app.got_subcommand("pubkey")) return int(pubkey(options.key_file));
  if (app.got_subcommand("up")) return int(up(options.socket, options.profile));
  if (app.got_subcommand("down")) return int(down(options.socket, options.profile));
  if (app.got_subcommand("status")) return int(status(options.socket, options.profile, options.json, options.counters));
  if (app.got_subcommand("intercept")) return intercept(options.socket, options.intercept);
  if (app.got_subcommand("leave")) return int(leave(options.socket, options.intercept));
  if (app.got_subcommand("list")) return int(list(options.socket, options.profile, options.json));
  return int(version(options.socket));
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
  add_intercept(app, options.intercept);
  add_leave_and_list(app, options);
  app.add_subcommand("version", "tell the versions of tunctl and tund");
  app.set_version_flag("--version", "tunctl " CAUSEWAY_VERSION);
  auto command = cut_command(argc, argv);
  if (command) options.intercept.command = *command;
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? int(ExitCode::kDone) : int(ExitCode::kUsage);
  }
  if (command && command->empty()) {
    complain("there is no command behind --", "leave -- out to intercept without one");
    return int(ExitCode::kUsage);
  }
  return run(app, options);
}
