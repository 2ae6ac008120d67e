#include "core/config/service_config.h"

#include <algorithm>
#include <set>

#include "core/config/toml_reader.h"
#include "core/flow/service_name.h"

namespace causeway::config {
namespace {

constexpr const char* kVariableName = "no name of a variable: letters, digits, '_', '.' and '-', a letter or '_' first";

std::optional<packet::Endpoint> listen_endpoint(std::string_view text) {
  auto endpoint = packet::Endpoint::parse(text);
  return endpoint && !endpoint->address.is_multicast() ? endpoint : std::nullopt;
}

std::optional<HostPort> original(std::string_view text) {
  auto parsed = parse_host_port(text);
  return parsed && parsed->port != 0 ? parsed : std::nullopt;
}

std::optional<std::string> service_name(std::string_view text) {
  return flow::is_service_name(text) ? std::optional<std::string>(text) : std::nullopt;
}

std::optional<bool> is_second(std::string_view word, std::string_view first, std::string_view second) {
  if (word == second) return true;
  return word == first ? std::optional<bool>(false) : std::nullopt;
}

// What is listened on at `listen` is what a connection to `to` would reach.
bool reaches(const packet::Endpoint& to, const packet::Endpoint& listen) {
  if (to.port != listen.port) return false;
  return to.address == listen.address || (listen.address.is_unspecified() && to.address.is_loopback());
}

void read_listen(TomlTable& table, ServiceConfig& service) {
  if (!table.read_list("listen", service.listen, listen_endpoint,
                       "an address and port such as \"10.96.0.10:80\" or \"[::]:80\"")) {
    table.require("listen", "where the cluster reaches the service, such as [\"0.0.0.0:80\"]");
    return;
  }
  if (service.listen.empty()) table.reject("listen", "at least one is needed");
  if (service.listen.size() > ServiceConfig::kMaxListen) {
    table.reject("listen", "more than " + std::to_string(ServiceConfig::kMaxListen), ServiceConfig::kMaxListen);
  }
}

void read_environment(TomlTable table, environment::Variables& out) {
  std::size_t bytes = 0;
  for (const std::string& name : table.keys()) {
    std::string value;
    if (!table.read(name, value)) continue;
    if (!environment::is_name(name)) {
      table.reject(name, kVariableName);
    } else if (!environment::is_value(value)) {
      table.reject(name, "a value is text without NUL, at most " + std::to_string(environment::kMaxValue) + " bytes");
    } else if ((bytes += name.size() + value.size()) > environment::kMaxBytes ||
               out.size() == environment::kMaxVariables) {
      table.reject(name, "with this one there are more than " + std::to_string(environment::kMaxVariables) +
                             " variables, or they are longer than " + std::to_string(environment::kMaxBytes) +
                             " bytes");
    }
    out.emplace_back(name, std::move(value));
  }
}

ServiceConfig read_service(TomlTable table) {
  ServiceConfig service;
  if (!table.read("name", service.name, service_name, "a service's name: letters, digits, '-', '_' and '.'")) {
    table.require("name", "what the service is called, such as \"orders\"");
  }
  read_listen(table, service);
  table.read(
      "protocol", service.http, [](std::string_view word) { return is_second(word, "tcp", "http"); },
      "one of \"tcp\" and \"http\"");
  if (!table.read("original", service.original, original, "an address or name with a port, such as \"orders-v1:80\"")) {
    table.require("original", "who answers while nobody intercepts, such as \"orders-v1:80\"");
  }
  table.read(
      "local_down", service.refuse_when_local_down,
      [](std::string_view word) { return is_second(word, "original", "refuse"); },
      "one of \"original\" and \"refuse\"");
  table.read_path("environment_file", service.environment_file);
  read_environment(table.table("environment"), service.environment);
  return service;
}

// What is wrong between services: each was read from the table of the same place.
void compare(std::vector<TomlTable>& tables, const std::vector<ServiceConfig>& services) {
  std::set<std::string_view> names;
  std::set<packet::Endpoint> taken;
  for (std::size_t i = 0; i < services.size(); ++i) {
    const ServiceConfig& service = services[i];
    if (!service.name.empty() && !names.insert(service.name).second) {
      tables[i].reject("name", "there is a service " + service.name + " already");
    }
    for (std::size_t j = 0; j < service.listen.size(); ++j) {
      const packet::Endpoint& at = service.listen[j];
      if (at.port != 0 && !taken.insert(at).second) tables[i].reject("listen", at.text() + " is taken already", j);
    }
  }
  for (std::size_t i = 0; i < services.size(); ++i) {
    auto address = packet::Address::parse(services[i].original.host);
    if (!address) continue;
    packet::Endpoint to{*address, services[i].original.port};
    if (std::any_of(taken.begin(), taken.end(), [&](const packet::Endpoint& at) { return reaches(to, at); })) {
      tables[i].reject("original", to.text() + " is where this gateway itself listens for a service");
    }
  }
}

}  // namespace

std::vector<ServiceConfig> read_services(TomlTable& root) {
  std::vector<TomlTable> tables = root.tables("service");
  if (tables.size() > ServiceConfig::kMaxServices) {
    root.reject("service", "more than " + std::to_string(ServiceConfig::kMaxServices), ServiceConfig::kMaxServices);
  }
  std::vector<ServiceConfig> services;
  for (const TomlTable& table : tables) services.push_back(read_service(table));
  compare(tables, services);
  return services;
}

}  // namespace causeway::config
