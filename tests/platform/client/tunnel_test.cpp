#include <causeway/tunnel.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "core/noise/aead_choice.h"
#include "core/packet/build.h"
#include "core/packet/checksum.h"
#include "fake_host.h"
#include "platform/loop/clock.h"
#include "test_gateway.h"
#include "tun/virtio_header.h"

namespace causeway::platform {
namespace {

using namespace std::chrono_literals;
using ::testing::Test;

class TunnelTest : public Test {
 protected:
  TunnelTest() {
    char name[] = "/tmp/causeway-test-XXXXXX";
    state_ = mkdtemp(name);
    Runtime::Options options;
    options.host = &host_;
    options.state_directory = state_;
    Failure failure;
    runtime_ = Runtime::create(options, failure);
    guard_ = std::make_unique<Timer>(runtime_->loop(), [this] {
      ADD_FAILURE() << "nothing happened for 10 s";
      runtime_->stop();
    });
    gateway_ = std::make_unique<TestGateway>(runtime_->loop());
    keys_ = noise::generate(random_);
    gateway_->authorise(keys_.public_key);
    gateway_key_ = gateway_->key();
    gateways_ = {"127.0.0.1:" + std::to_string(gateway_->port())};
  }

  ~TunnelTest() override {
    tunnel_.reset();
    gateway_.reset();
    guard_.reset();
    runtime_.reset();
    std::filesystem::remove_all(state_);
  }

  std::string toml() const {
    std::string list;
    for (const std::string& each : gateways_) list += (list.empty() ? "\"" : ", \"") + each + "\"";
    return "gateways = [" + list + "]\ngateway_key = \"" + noise::encode_key(gateway_key_) +
           "\"\nkey_file = \"laptop.key\"\n" + more_ +
           "routes = [\"10.96.0.0/16\", \"10.97.0.0/16\"]\n[dns]\nnamespaces = [\"shop\"]\n";
  }

  std::unique_ptr<Tunnel> make(const std::string& name = "demo") {
    Tunnel::Profile profile;
    profile.toml = toml();
    profile.source = "/etc/causeway/" + name + ".toml";
    if (!key_from_file_) profile.key = noise::encode_key(keys_.private_key.bytes());
    return Tunnel::create(*runtime_, profile, failure_);
  }

  void run() {
    guard_->set(boot_now() + 10s);
    runtime_->run();
    guard_->set(kNever);
  }

  std::optional<Failure> up(Tunnel& tunnel) {
    steps_.clear();
    std::optional<Failure> result;
    tunnel.up([&](const Step& step) { steps_.push_back(step); },
              [&](const std::optional<Failure>& failure) {
                result = failure;
                runtime_->stop();
              });
    run();
    return result;
  }
  std::optional<Failure> up() {
    tunnel_ = make();
    EXPECT_TRUE(tunnel_) << failure_.message;
    return up(*tunnel_);
  }

  std::vector<std::string> down(Tunnel& tunnel) {
    std::vector<std::string> result;
    tunnel.down([&](const std::vector<std::string>& lines) {
      result = lines;
      runtime_->stop();
    });
    run();
    return result;
  }

  // Runs the loop until it is so.
  void until(const std::function<bool()>& so) {
    Timer look(runtime_->loop(), [] {});
    std::unique_ptr<Timer> again;
    again = std::make_unique<Timer>(runtime_->loop(), [&] {
      if (so()) return runtime_->stop();
      again->set(boot_now() + 1ms);
    });
    again->set(boot_now());
    run();
  }

  std::vector<std::string> step_names() const {
    std::vector<std::string> names;
    for (const Step& step : steps_) names.push_back(step.name);
    return names;
  }

  void send(const packet::PacketBatch& batch, bool finish_checksum = false) {
    for (const packet::OutgoingPacket& p : batch.packets()) {
      packet::Offload offload = p.offload;
      offload.needs_checksum |= finish_checksum;
      std::vector<std::uint8_t> bytes(tun::kVirtioHeaderSize);
      tun::encode_virtio_header(offload, bytes);
      Bytes header = batch.header(p);
      bytes.insert(bytes.end(), header.begin(), header.end());
      for (Bytes piece : batch.pieces(p)) bytes.insert(bytes.end(), piece.begin(), piece.end());
      ASSERT_EQ(write(host_.apps["demo"].get(), bytes.data(), bytes.size()), ssize_t(bytes.size()));
    }
  }

  // The next packet that came to the app.
  std::optional<packet::Parsed> receive() {
    arrived_.resize(70000);
    ssize_t n = read(host_.apps["demo"].get(), arrived_.data(), arrived_.size());
    if (n <= ssize_t(tun::kVirtioHeaderSize)) return std::nullopt;
    auto parsed =
        packet::parse(Bytes(arrived_).subspan(tun::kVirtioHeaderSize, std::size_t(n) - tun::kVirtioHeaderSize), true);
    EXPECT_TRUE(parsed);
    return *parsed;
  }
  packet::Parsed await_packet() {
    std::optional<packet::Parsed> got;
    until([&] { return (got = receive()).has_value(); });
    return got.value_or(packet::Parsed());
  }

  void send_tcp(std::uint16_t port, std::uint8_t flags, std::uint32_t sequence, std::uint32_t acknowledged,
                std::string_view data = {}) {
    packet::PacketBatch batch;
    MutableBytes h = batch.begin(40);
    std::fill(h.begin(), h.end(), 0);
    h[0] = 0x45;
    store16(&h[2], std::uint16_t(40 + data.size()));
    h[8] = 64;
    h[9] = packet::kTcp;
    copy_bytes(h.subspan(12), app_.bytes());
    copy_bytes(h.subspan(16), service_.bytes());
    store16(&h[10], std::uint16_t(~packet::fold(packet::add_to_sum(0, h.first(20)))));
    store16(&h[20], 40000);
    store16(&h[22], port);
    store32(&h[24], sequence);
    store32(&h[28], acknowledged);
    h[32] = 0x50;
    h[33] = flags;
    store16(&h[34], 65535);
    if (!data.empty()) batch.add_piece(as_bytes(data));
    send(batch, true);
  }

  void ask(const packet::Address& server, std::string_view name) {
    dns::Query query;
    query.id = 77;
    query.question.name = *dns::Name::parse(name);
    question_ = dns::encode_query(query, 512);
    packet::PacketBatch batch;
    packet::build_udp(batch, {app_, 5353}, {server, 53}, question_);
    send(batch);
  }

  const packet::Address app_ = packet::Address::v4(198, 19, 0, 1);
  const packet::Address stub_ = packet::Address::v4(198, 19, 0, 53);
  const packet::Address service_ = packet::Address::v4(10, 96, 0, 10);

  noise::SodiumRandom random_;
  FakeHost host_;
  std::string state_;
  std::unique_ptr<Runtime> runtime_;
  std::unique_ptr<Timer> guard_;
  std::unique_ptr<TestGateway> gateway_;
  noise::KeyPair keys_;
  noise::PublicKey gateway_key_{};
  std::vector<std::string> gateways_;
  std::string more_;
  bool key_from_file_ = false;
  Failure failure_;
  std::unique_ptr<Tunnel> tunnel_;
  std::vector<Step> steps_;
  std::vector<std::uint8_t> arrived_, question_;
};

std::uint64_t counter(const TunnelStatus& status, std::string_view name) {
  for (const auto& [each, value] : status.counters) {
    if (each == name) return value;
  }
  ADD_FAILURE() << "no counter " << name;
  return 0;
}

TEST_F(TunnelTest, ComesUpStepByStepOnceThePathIsProven) {
  std::optional<Failure> failed = up();
  ASSERT_FALSE(failed) << failed->step << ": " << failed->message;
  EXPECT_EQ(step_names(),
            (std::vector<std::string>{"profile", "device", "gateway", "link", "echo", "dns", "resolver"}));
  EXPECT_EQ(steps_[1].detail, "cw-demo, 1 address, 2 routes");
  EXPECT_EQ(steps_[2].detail, gateways_[0]);
  EXPECT_NE(steps_[5].detail.find("NOERROR"), std::string::npos);
  EXPECT_EQ(steps_[6].detail, "stood in");
  EXPECT_EQ(gateway_->came, std::vector<std::string>{"laptop"});

  TunnelStatus status = tunnel_->status();
  EXPECT_EQ(status.state, TunnelState::kUp);
  EXPECT_EQ(status.device, "cw-demo");
  EXPECT_EQ(status.gateway, gateways_[0]);
  EXPECT_EQ(status.icmp, "available");
  EXPECT_EQ(status.cipher, noise::cipher_name());
  EXPECT_EQ(status.dns_servers, std::vector<std::string>{"198.19.0.53"});
  EXPECT_EQ(status.own_key, noise::encode_key(keys_.public_key));
  EXPECT_TRUE(status.round_trip);
  EXPECT_EQ(counter(status, "links"), 1u);
}

TEST_F(TunnelTest, AsksTheHostForItsAddressesRoutesAndWhatMustStayOutside) {
  ASSERT_FALSE(up());
  ASSERT_EQ(host_.attached.size(), 1u);
  const NetworkRequest& request = host_.attached[0];
  EXPECT_EQ(request.profile, "demo");
  EXPECT_EQ(request.addresses, std::vector<packet::Address>{app_});
  EXPECT_EQ(request.keep, std::vector<packet::Address>{packet::Address::v4(127, 0, 0, 1)});
  std::vector<packet::Cidr> routes{*packet::Cidr::parse("10.96.0.0/16"), *packet::Cidr::parse("10.97.0.0/16"),
                                   *packet::Cidr::parse("198.19.0.53/32")};
  EXPECT_EQ(request.routes, routes);
  EXPECT_EQ(host_.resolver_requests.back().servers, std::vector<packet::Address>{stub_});
  EXPECT_TRUE(host_.resolver_requests.back().take_over);
}

TEST_F(TunnelTest, AnswersAQuestionThroughItsDevice) {
  ASSERT_FALSE(up());
  ask(stub_, "orders.shop");
  packet::Parsed answer = await_packet();
  EXPECT_EQ(answer.tuple.source, (packet::Endpoint{stub_, 53}));
  ASSERT_GT(answer.payload.size(), 16u);
  EXPECT_EQ(load16(answer.payload.data()), 77);
  EXPECT_EQ(answer.payload[7], 1) << "one record";
  EXPECT_EQ(packet::Address::from_bytes(answer.payload.last(4)), service_);
}

TEST_F(TunnelTest, CarriesATcpConversation) {
  ASSERT_FALSE(up());
  send_tcp(7, packet::kSyn, 1000, 0);
  packet::Parsed syn_ack = await_packet();
  EXPECT_EQ(syn_ack.flags & (packet::kSyn | packet::kAck), packet::kSyn | packet::kAck);
  std::uint32_t theirs = load32(&syn_ack.transport[4]) + 1;
  send_tcp(7, packet::kAck, 1001, theirs);
  send_tcp(7, packet::kAck | packet::kPsh, 1001, theirs, "hello");
  std::string heard;
  until([&] {
    while (auto got = receive()) heard += as_text(got->payload);
    return heard.size() >= 5;
  });
  EXPECT_EQ(heard, "hello");
}

TEST_F(TunnelTest, ARefusedConnectionIsRefusedAtOnce) {
  ASSERT_FALSE(up());
  send_tcp(81, packet::kSyn, 1000, 0);
  EXPECT_TRUE(await_packet().flags & packet::kRst);
}

TEST_F(TunnelTest, GoingDownResetsFlowsTellsTheGatewayAndUndoesAll) {
  ASSERT_FALSE(up());
  send_tcp(7, packet::kSyn, 1000, 0);
  packet::Parsed syn_ack = await_packet();
  send_tcp(7, packet::kAck, 1001, load32(&syn_ack.transport[4]) + 1);
  until([&] { return counter(tunnel_->status(), "tcp_opened") == 1; });
  EXPECT_EQ(down(*tunnel_), std::vector<std::string>{"removed cw-demo"});
  bool reset = false;
  while (auto got = receive()) reset |= (got->flags & packet::kRst) != 0;
  EXPECT_TRUE(reset);
  until([&] { return !gateway_->went.empty(); });
  EXPECT_NE(gateway_->went[0].find("the client went down"), std::string::npos) << gateway_->went[0];
  EXPECT_EQ(host_.detached, std::vector<std::string>{"demo"});
  EXPECT_EQ(tunnel_->status().state, TunnelState::kDown);
}

TEST_F(TunnelTest, MayGoUpAndDownAgainAndSaysSoTwice) {
  ASSERT_FALSE(up());
  EXPECT_FALSE(up(*tunnel_));
  EXPECT_TRUE(steps_.empty()) << "it is up already";
  EXPECT_EQ(down(*tunnel_).size(), 1u);
  EXPECT_TRUE(down(*tunnel_).empty());
  EXPECT_FALSE(up(*tunnel_));
  EXPECT_EQ(steps_.size(), 7u);
  EXPECT_EQ(host_.attached.back().addresses, std::vector<packet::Address>{app_}) << "the slot is free again";
}

TEST_F(TunnelTest, NobodyListening) {
  gateway_->stop_listening();
  std::optional<Failure> failed = up();
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->step, "gateway");
  EXPECT_EQ(failed->kind, FailureKind::kUnavailable);
  EXPECT_EQ(failed->message, gateways_[0] + ": Connection refused");
  EXPECT_FALSE(failed->advice.empty());
  EXPECT_EQ(host_.detached.size(), 1u);
  EXPECT_FALSE(host_.took_over());
  EXPECT_EQ(tunnel_->status().state, TunnelState::kDown);
}

TEST_F(TunnelTest, TheNextGatewayIsTriedWhereOneIsNotThere) {
  TestGateway gone(runtime_->loop());
  gone.stop_listening();
  gateways_.insert(gateways_.begin(), "127.0.0.1:" + std::to_string(gone.port()));
  std::optional<Failure> failed = up();
  ASSERT_FALSE(failed) << failed->message;
  EXPECT_EQ(steps_[2].detail, gateways_[1]);
}

TEST_F(TunnelTest, TheNextGatewayIsTriedWhereOneHasAnotherKey) {
  TestGateway other(runtime_->loop());
  gateways_.insert(gateways_.begin(), "127.0.0.1:" + std::to_string(other.port()));
  std::optional<Failure> failed = up();
  ASSERT_FALSE(failed) << failed->message;
  EXPECT_EQ(tunnel_->status().gateway, gateways_[1]);
}

TEST_F(TunnelTest, AWrongGatewayKeyIsToldAsNoAnswer) {
  gateway_key_ = noise::generate(random_).public_key;
  std::optional<Failure> failed = up();
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->step, "link");
  EXPECT_NE(failed->message.find("wrong gateway key, or no gateway there"), std::string::npos) << failed->message;
  EXPECT_EQ(host_.detached.size(), 1u);
  EXPECT_FALSE(host_.took_over());
}

TEST_F(TunnelTest, AStrangersKeyIsToldWithTheLineThatWouldLetItIn) {
  keys_ = noise::generate(random_);
  std::optional<Failure> failed = up();
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->step, "link");
  EXPECT_EQ(failed->kind, FailureKind::kRefused);
  EXPECT_NE(failed->message.find("does not know our key"), std::string::npos) << failed->message;
  EXPECT_NE(failed->advice.find(noise::encode_key(keys_.public_key)), std::string::npos);
}

TEST_F(TunnelTest, NoAnswerOfTheClustersDnsEndsTheAttempt) {
  gateway_->dns = TestGateway::Dns::kUnreachable;
  std::optional<Failure> failed = up();
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->step, "dns");
  EXPECT_FALSE(failed->advice.empty());
  EXPECT_FALSE(host_.took_over()) << "a machine must never be left without names";
  EXPECT_EQ(host_.detached.size(), 1u);
}

TEST_F(TunnelTest, ASilentDnsServerEndsTheAttempt) {
  gateway_->dns = TestGateway::Dns::kSilent;
  std::optional<Failure> failed = up();
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->step, "dns");
  EXPECT_EQ(failed->kind, FailureKind::kTimedOut);
}

TEST_F(TunnelTest, ADnsServerOfAnotherDomainIsProofButToldSo) {
  gateway_->dns = TestGateway::Dns::kNotForDomain;
  ASSERT_FALSE(up());
  EXPECT_NE(steps_[5].detail.find("REFUSED"), std::string::npos) << steps_[5].detail;
  EXPECT_NE(steps_[5].detail.find("not for cluster.local"), std::string::npos) << steps_[5].detail;
}

TEST_F(TunnelTest, AResolverThatCannotBeSetUndoesAll) {
  host_.take_over_error = Error{ErrorCode::kPermission, "/etc/resolv.conf: Permission denied", {}};
  std::optional<Failure> failed = up();
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->step, "resolver");
  EXPECT_EQ(failed->kind, FailureKind::kPermission);
  EXPECT_EQ(host_.detached.size(), 1u);
}

TEST_F(TunnelTest, AnAddressInTheWayMakesItTakeTheNextSlot) {
  host_.attach_errors = {{ErrorCode::kConflict, "198.19.0.0/24 is in use", {}}};
  ASSERT_FALSE(up());
  ASSERT_EQ(host_.attached.size(), 2u);
  EXPECT_EQ(host_.attached[1].addresses, std::vector<packet::Address>{packet::Address::v4(198, 19, 1, 1)});
}

TEST_F(TunnelTest, AHostThatSaysNoIsToldAsTheDeviceStep) {
  host_.attach_errors = {{ErrorCode::kPermission, "needs CAP_NET_ADMIN", "run it as root"}};
  std::optional<Failure> failed = up();
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->step, "device");
  EXPECT_EQ(failed->message, "needs CAP_NET_ADMIN");
  EXPECT_EQ(failed->advice, "run it as root");
  EXPECT_EQ(host_.attached.size(), 1u);
  EXPECT_TRUE(host_.detached.empty());
}

TEST_F(TunnelTest, ALostLinkIsDialledAgain) {
  ASSERT_FALSE(up());
  std::vector<TunnelState> seen;
  std::string error;
  tunnel_->on_change([&](const TunnelStatus& status) {
    seen.push_back(status.state);
    if (seen.size() == 1) error = status.last_error;
    if (seen.size() == 2) runtime_->stop();
  });
  gateway_->cut();
  run();
  EXPECT_EQ(seen, (std::vector<TunnelState>{TunnelState::kReconnecting, TunnelState::kUp}));
  EXPECT_EQ(error, "the gateway closed the connection");
  EXPECT_EQ(counter(tunnel_->status(), "links"), 2u);
  ask(stub_, "orders.shop");
  EXPECT_EQ(await_packet().tuple.source.port, 53);
}

TEST_F(TunnelTest, WhileTheLinkIsDownUpSaysSo) {
  ASSERT_FALSE(up());
  gateway_->stop_listening();
  gateway_->cut();
  until([&] { return tunnel_->status().state == TunnelState::kReconnecting; });
  std::optional<Failure> failed = up(*tunnel_);
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->kind, FailureKind::kUnavailable);
  EXPECT_EQ(down(*tunnel_).size(), 1u);
}

TEST_F(TunnelTest, ADeviceThatIsRemovedTakesTheTunnelDown) {
  ASSERT_FALSE(up());
  bool changed = false;
  tunnel_->on_change([&](const TunnelStatus& status) {
    changed = true;
    EXPECT_EQ(status.state, TunnelState::kDown);
    EXPECT_NE(status.last_error.find("interface is gone"), std::string::npos);
    runtime_->stop();
  });
  host_.apps.clear();
  run();
  EXPECT_TRUE(changed);
  EXPECT_EQ(host_.detached.size(), 1u);
}

TEST_F(TunnelTest, TwoTunnelsShareARuntimeButNoAddress) {
  ASSERT_FALSE(up());
  auto other = make("other");
  ASSERT_TRUE(other) << failure_.message;
  ASSERT_FALSE(up(*other));
  EXPECT_EQ(other->status().dns_servers, std::vector<std::string>{"198.19.1.53"});
  EXPECT_EQ(gateway_->came.size(), 2u);
}

TEST_F(TunnelTest, OneNameIsOneTunnel) {
  ASSERT_FALSE(up());
  auto twin = make();
  std::optional<Failure> failed = up(*twin);
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->kind, FailureKind::kConflict);
  EXPECT_TRUE(host_.detached.empty()) << "the first must not suffer";
}

TEST_F(TunnelTest, WhoAsksForTheSameHearsTheSame) {
  tunnel_ = make();
  int done = 0;
  std::vector<std::string> late;
  tunnel_->up(
      [&](const Step& step) {
        if (step.name != "link") return;
        tunnel_->up([&](const Step& again) { late.push_back(again.name); },
                    [&](const std::optional<Failure>& failure) {
                      EXPECT_FALSE(failure);
                      if (++done == 2) runtime_->stop();
                    });
      },
      [&](const std::optional<Failure>& failure) {
        EXPECT_FALSE(failure);
        if (++done == 2) runtime_->stop();
      });
  run();
  EXPECT_EQ(done, 2);
  EXPECT_EQ(late, (std::vector<std::string>{"profile", "device", "gateway", "link", "echo", "dns", "resolver"}));
}

TEST_F(TunnelTest, DownWhileItComesUpEndsTheAttempt) {
  tunnel_ = make();
  std::optional<Failure> failed;
  bool is_down = false;
  tunnel_->up(nullptr, [&](const std::optional<Failure>& failure) { failed = failure; });
  tunnel_->down([&](const std::vector<std::string>&) {
    is_down = true;
    runtime_->stop();
  });
  run();
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->kind, FailureKind::kConflict);
  EXPECT_TRUE(is_down);
  EXPECT_EQ(tunnel_->status().state, TunnelState::kDown);
}

TEST_F(TunnelTest, MayBeDestroyedInItsOwnCallbacks) {
  tunnel_ = make();
  tunnel_->up(nullptr, [&](const std::optional<Failure>& failure) {
    EXPECT_FALSE(failure);
    tunnel_.reset();
    runtime_->stop();
  });
  run();
  EXPECT_EQ(host_.detached.size(), 1u);
}

TEST_F(TunnelTest, KeepsTheHelloNumberAndBeginsBehindIt) {
  std::string file = state_ + "/hello-" + noise::fingerprint(keys_.public_key);
  std::uint64_t future = 4'000'000'000'000'000'000;
  std::ofstream(file) << future << "\n";
  ASSERT_FALSE(up());
  std::uint64_t kept = 0;
  std::ifstream(file) >> kept;
  EXPECT_EQ(kept, future + 1);
}

TEST_F(TunnelTest, AFolderThatCannotBeWrittenKeepsNobodyOut) {
  std::filesystem::remove_all(state_);
  EXPECT_FALSE(up());
}

TEST_F(TunnelTest, ReadsItsKeyFromTheProfilesFolder) {
  key_from_file_ = true;
  host_.files["laptop.key"] = noise::encode_key(keys_.private_key.bytes()) + "\n";
  ASSERT_FALSE(up());
  EXPECT_EQ(host_.opened, std::vector<std::string>{"laptop.key"});
}

TEST_F(TunnelTest, AMissingOrForeignKeyFileIsAProfileError) {
  key_from_file_ = true;
  EXPECT_FALSE(make());
  EXPECT_EQ(failure_.step, "profile");
  EXPECT_EQ(failure_.kind, FailureKind::kNotFound);
  host_.files["laptop.key"] = "not a key\n";
  EXPECT_FALSE(make());
  EXPECT_EQ(failure_.kind, FailureKind::kInvalid);
  more_ = "psk_file = \"/etc/shadow\"\n";
  host_.files["laptop.key"] = noise::encode_key(keys_.private_key.bytes());
  EXPECT_FALSE(make());
  EXPECT_EQ(failure_.kind, FailureKind::kPermission);
  EXPECT_EQ(host_.opened.back(), "laptop.key") << "never asked for";
}

TEST_F(TunnelTest, APresharedKeyMustBeTheSame) {
  host_.files["laptop.psk"] = noise::encode_key(noise::generate(random_).private_key.bytes());
  more_ = "psk_file = \"laptop.psk\"\n";
  std::optional<Failure> failed = up();
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->step, "link");
  EXPECT_EQ(failed->kind, FailureKind::kRefused);
  EXPECT_NE(failed->advice.find("pre-shared key"), std::string::npos) << failed->advice;
}

TEST_F(TunnelTest, AnErrorInTheProfileIsToldWithItsPlace) {
  more_ = "gatewayz = 1\n";
  EXPECT_FALSE(make());
  EXPECT_EQ(failure_.step, "profile");
  EXPECT_NE(failure_.message.find("demo.toml:4:1"), std::string::npos) << failure_.message;
}

TEST_F(TunnelTest, ManyBytesPassInBothDirections) {
  ASSERT_FALSE(up());
  send_tcp(7, packet::kSyn, 1000, 0);
  packet::Parsed syn_ack = await_packet();
  std::uint32_t theirs = load32(&syn_ack.transport[4]) + 1, ours = 1001;
  send_tcp(7, packet::kAck, ours, theirs);
  std::string sent, heard;
  std::string chunk(1400, 'x');
  for (int i = 0; i < 200; ++i) {
    std::generate(chunk.begin(), chunk.end(), [&, n = i]() mutable { return char('a' + (n++ * 7) % 26); });
    sent += chunk;
    send_tcp(7, packet::kAck, ours, theirs, chunk);
    ours += std::uint32_t(chunk.size());
    auto drain = [&] {
      while (auto got = receive()) {
        if (load32(&got->transport[4]) != theirs) continue;
        heard += as_text(got->payload);
        theirs += std::uint32_t(got->payload.size());
        if (!got->payload.empty()) send_tcp(7, packet::kAck, ours, theirs);
      }
      return heard.size() == sent.size();
    };
    until(drain);
    ASSERT_EQ(heard.size(), sent.size());
  }
  EXPECT_EQ(heard, sent);
}

}  // namespace
}  // namespace causeway::platform
