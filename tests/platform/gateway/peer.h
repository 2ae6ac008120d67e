// A client of a gateway without device and stack: link and mux over a blocking socket, driven by the test's thread.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/link/link.h"
#include "core/mux/mux.h"
#include "core/noise/keys.h"
#include "platform/net/socket.h"

namespace causeway::platform {

class Peer {
 public:
  struct Flow {
    bool opened = false;
    bool refused = false;
    bool reset = false;
    bool closed = false;
    bool ended = false;  // the service sent its end, and all of it was read
    link::Reason reason = link::Reason::kNone;
    std::string data;
    std::uint64_t size = 0;  // of all that came, also where it is not kept
    bool keep = true;
    bool reading = true;
    std::vector<std::string> datagrams;
  };

  Peer(const noise::KeyPair& own, const link::PublicKey& gateway, std::uint16_t port,
       std::optional<Secret<32>> psk = std::nullopt);

  // Goes on until `done` is true; false when 10 s have passed.
  bool until(const std::function<bool()>& done);
  // Until the link is proven, or is not going to be.
  bool up();
  bool gone() const { return gone_; }
  // Why the gateway refused, or why the link is over.
  const std::string& why() const { return why_; }
  const link::Welcome& welcome() const { return welcome_; }

  link::StreamId open(flow::Protocol protocol, const packet::Endpoint& to, std::string_view first = {});
  link::StreamId open_name(flow::Protocol protocol, const std::string& name, std::uint16_t port);
  Flow& flow(link::StreamId id) { return flows_[id]; }
  void write(link::StreamId id, std::string_view bytes);
  void finish(link::StreamId id) { mux_->finish(id); }
  void reset(link::StreamId id) { mux_->reset(id, link::Reason::kNone); }
  void send(link::StreamId id, std::string_view datagram);
  std::uint64_t unsent(link::StreamId id) const { return mux_->unsent(id); }
  void disconnect() { socket_.reset(); }

 private:
  void turn();
  void read_socket();
  void write_socket();
  void take_events();

  noise::SodiumRandom random_;
  BufferPool pool_;
  Descriptor socket_;
  link::StreamCarrier carrier_;
  std::unique_ptr<mux::Mux> mux_;
  std::unique_ptr<link::Link> link_;
  link::Welcome welcome_;
  std::map<link::StreamId, Flow> flows_;
  bool gone_ = false;
  std::string why_;
};

}  // namespace causeway::platform
