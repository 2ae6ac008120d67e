// What tund does for those who call: profiles by name, each with its session.
#pragma once

#include <causeway/tunnel.h>

#include <map>
#include <memory>
#include <string>

#include "platform/control/server.h"
#include "tools/tund/profile_folder.h"
#include "tools/tund/session.h"

namespace causeway::tund {

class Service final : public platform::ControlServer::Handler {
 public:
  // The runtime outlives this.
  Service(Runtime& runtime, ProfileFolder folder, platform::Descriptor listening,
          const platform::ControlServer::Options& options);
  ~Service() override;

  // Takes all tunnels down; then `done` is called, and nothing is begun any more.
  void stop(std::function<void()> done);

 private:
  using Asker = control::Asker;
  static constexpr std::size_t kMaxSessions = 16;
  static constexpr std::size_t kMaxFailures = 64;

  void asked(platform::CallerId caller, const Asker& asker, const control::Request& request) override;
  void left(platform::CallerId caller) override;

  void answer(platform::CallerId caller, const Asker& asker, const control::VersionRequest& request);
  void answer(platform::CallerId caller, const Asker& asker, const control::UpRequest& request);
  void answer(platform::CallerId caller, const Asker& asker, const control::DownRequest& request);
  void answer(platform::CallerId caller, const Asker& asker, const control::StatusRequest& request);
  void answer(platform::CallerId caller, const Asker& asker, const control::InterceptRequest& request);
  void answer(platform::CallerId caller, const Asker& asker, const control::LeaveRequest& request);
  void answer(platform::CallerId caller, const Asker& asker, const control::ListRequest& request);
  void answer(platform::CallerId caller, const Asker& asker, const control::EnvironmentRequest& request);

  Result<Tunnel::Profile> profile_of(const control::UpRequest& request) const;
  // Where none was named the one that is up, or of several the asker's own; nothing where none is.
  Result<std::string> name_of_running(const Asker& asker, const std::string& asked, const std::string& verb) const;
  // The tunnel to intercept through; null: the caller was told why there is none. `needs_link`: its gateway is to be asked.
  Session* session_for(platform::CallerId caller, const Asker& asker, const std::string& profile,
                       const std::string& verb, bool needs_link);
  void begin(platform::CallerId caller, const Asker& asker, const Tunnel::Profile& profile);
  void gone(const std::string& name, const std::string& last_error);
  void send_status(platform::CallerId caller, const Asker& asker, const std::string& name);
  void send_error(platform::CallerId caller, const Error& error, std::string step = {});

  Runtime& runtime_;
  ProfileFolder folder_;
  std::map<std::string, std::unique_ptr<Session>> sessions_;
  std::map<std::string, std::string> failures_;  // why a profile is down
  // Asked for while the profile was going down.
  struct Waiting {
    platform::CallerId caller;
    Asker asker;
    control::UpRequest request;
  };
  std::map<std::string, std::vector<Waiting>> waiting_;
  std::function<void()> stopped_;
  platform::ControlServer server_;
};

}  // namespace causeway::tund
