// tund's service on a thread of its own, over the fake tunnel, with its profiles in a folder that is removed at the end.
#pragma once

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "platform/control/client.h"
#include "platform/control/listen.h"
#include "platform/host/profile_files.h"
#include "tests/tools/fake_tunnel.h"
#include "tools/tund/service.h"

namespace causeway {

using namespace std::chrono_literals;

struct TestFolder {
  TestFolder() {
    char name[] = "/tmp/causeway-tools-XXXXXX";
    path = mkdtemp(name);
    std::filesystem::permissions(path, std::filesystem::perms(0755));  // other users call too
  }
  ~TestFolder() { std::filesystem::remove_all(path); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path + '/' + name) << text; }
  std::string path;
};

class FolderHost final : public platform::Host {
 public:
  explicit FolderHost(std::string folder) : folder_(std::move(folder)) {}
  Result<platform::AttachedNetwork> attach(const platform::NetworkRequest&) override { return no(); }
  Result<std::vector<platform::RouteConflict>> conflicts(const platform::ConflictsRequest&) override { return no(); }
  Result<platform::ChangedRoutes> change_routes(const platform::RoutesRequest&) override { return no(); }
  Result<platform::MachineResolver> set_resolver(const platform::ResolverRequest&) override { return no(); }
  Result<std::vector<std::string>> detach(std::string_view) override { return no(); }
  Result<platform::Descriptor> open_file(std::string_view name, bool secret) override {
    return platform::open_beneath(folder_, name, secret);
  }

 private:
  static tl::unexpected<Error> no() { return fail(ErrorCode::kSystem, "not in this test"); }
  std::string folder_;
};

class Daemon {
 public:
  explicit Daemon(const platform::ControlServer::Options& options = {})
      : host_(profiles.path), socket(folder_.path + "/control.sock") {
    Failure failure;
    runtime = Runtime::create({}, failure);
    auto listening = platform::listen_on(socket);
    EXPECT_TRUE(listening);
    service =
        std::make_unique<tund::Service>(*runtime, tund::ProfileFolder(profiles.path, platform::Descriptor(), host_),
                                        std::move(*listening), options);
    thread_ = std::thread([this] { runtime->run(); });
  }
  ~Daemon() { end(); }

  // As on SIGTERM.
  void end() {
    if (!thread_.joinable()) return;
    on_loop([this] { service->stop([this] { runtime->stop(); }); });
    thread_.join();
    service.reset();
    runtime.reset();
  }

  void on_loop(std::function<void()> work) {
    std::promise<void> done;
    runtime->post([&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }

  TestFolder profiles;

 private:
  TestFolder folder_;
  FolderHost host_;

 public:
  std::string socket;
  std::unique_ptr<Runtime> runtime;
  std::unique_ptr<tund::Service> service;

 private:
  std::thread thread_;
};

}  // namespace causeway
