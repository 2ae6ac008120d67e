#include "tools/tunctl/intercept_options.h"

#include "core/flow/service_name.h"
#include "core/intercept/match.h"

namespace causeway::tunctl {
namespace {

Result<void> read_match(const InterceptWords& words, InterceptOptions& options) {
  std::vector<intercept::HeaderCondition> conditions;
  for (const std::string& word : words.headers) {
    std::size_t equals = word.find('=');
    if (equals == std::string::npos) {
      return fail(ErrorCode::kInvalid, "--http-header " + word + ": there is no '='",
                  "it is NAME=VALUE, such as x-user=anna");
    }
    conditions.push_back({word.substr(0, equals), word.substr(equals + 1)});
  }
  auto match = intercept::Match::create(std::move(conditions), words.path_prefix);
  if (!match) return tl::make_unexpected(match.error());
  for (const auto& header : match->headers()) options.headers.emplace_back(header.name, header.value);
  options.path_prefix = match->path_prefix();
  if (!match->everything()) options.what = match->text();
  return {};
}

Result<void> read_address(const std::string& word, InterceptOptions& options) {
  // Both of its addresses, as where there is none at all.
  if (word.empty() || word == "localhost") return {};
  options.address = packet::Address::parse(word);
  bool fits = options.address && !options.address->is_unspecified() && !options.address->is_multicast();
  if (fits) return {};
  return fail(ErrorCode::kInvalid, "--address " + word + ": it is no IP address that can be connected to",
              "it is where your process listens; left out, it is this machine");
}

}  // namespace

Result<InterceptOptions> read_options(const InterceptWords& words) {
  InterceptOptions options;
  if (!flow::is_service_name(words.service)) {
    return fail(ErrorCode::kInvalid, "'" + words.service + "' cannot be a service's name",
                "`tunctl list` shows those there are");
  }
  options.service = words.service;
  options.profile = words.profile;
  options.port = words.port;
  options.env_file = words.env_file;
  options.command = words.command;
  if (auto read = read_match(words, options); !read) return tl::make_unexpected(read.error());
  if (auto read = read_address(words.address, options); !read) return tl::make_unexpected(read.error());
  auto syntax = environment::syntax_named(words.env_syntax);
  options.env_syntax = syntax.value_or(environment::syntax_of_file(words.env_file));
  if (!syntax && !words.env_syntax.empty()) {
    return fail(ErrorCode::kInvalid, "--env-syntax " + words.env_syntax + ": docker, sh and json are known");
  }
  if (words.env_file.empty() && !words.env_syntax.empty()) {
    return fail(ErrorCode::kInvalid, "--env-syntax needs --env-file");
  }
  return options;
}

}  // namespace causeway::tunctl
