#include "tools/tunctl/service_environment.h"

#include "tools/tunctl/write_file.h"

namespace causeway::tunctl {
namespace {

bool is_of_this_machine(const std::string& name) {
  return name == "PATH" || name == "HOME" || name.starts_with("LD_") || name.starts_with("DYLD_");
}

}  // namespace

ExitCode ask_environment(const std::string& socket, const InterceptOptions& options, ServiceEnvironment& out) {
  control::VariableCollector collector;
  bool whole = true;
  ExitCode code = call(socket, control::EnvironmentRequest{options.profile, options.service}, std::chrono::seconds(15),
                       [&](const control::Answer& answer) {
                         if (const auto* service = std::get_if<control::ServiceAnswer>(&answer)) out.service = *service;
                         const auto* variable = std::get_if<control::VariableAnswer>(&answer);
                         if (variable) whole = whole && collector.take(*variable);
                         return ExitCode::kDone;
                       });
  if (code != ExitCode::kDone) return code;
  if (!whole || !collector.complete()) {
    complain("tund's answer is not understood: the environment is in pieces");
    return ExitCode::kOther;
  }
  out.variables = std::move(collector.variables);
  return ExitCode::kDone;
}

Result<void> write_environment(const environment::Variables& variables, const InterceptOptions& options) {
  auto text = environment::write(variables, options.env_syntax);
  if (!text) {
    Error error = text.error();
    if (!error.advice.empty()) error.advice += ": --env-syntax, or the file's extension (.sh, .json), says so";
    return tl::make_unexpected(std::move(error));
  }
  return write_out(options.env_file, *text);
}

environment::Variables for_program(const environment::Variables& variables, std::vector<std::string>& left_out) {
  environment::Variables out;
  for (const environment::Variable& variable : variables) {
    if (is_of_this_machine(variable.first)) {
      left_out.push_back(variable.first);
    } else {
      out.push_back(variable);
    }
  }
  return out;
}

}  // namespace causeway::tunctl
