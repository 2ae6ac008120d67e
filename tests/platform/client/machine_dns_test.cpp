#include "platform/client/machine_dns.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>

#include "dns/message.h"
#include "platform/loop/clock.h"
#include "platform/net/socket.h"

namespace causeway::platform {
namespace {

using namespace std::chrono_literals;

std::vector<std::uint8_t> question(std::uint16_t id, std::string_view name, bool edns = false) {
  dns::Query query;
  query.id = id;
  query.question.name = *dns::Name::parse(name);
  if (edns) query.edns = dns::Edns{1232, false};
  return dns::encode_query(query, 1232);
}

// A DNS server on 127.0.0.1, over UDP and TCP on the same port. Its answers have `padding` bytes behind the question, and are
// truncated over UDP where they are longer than the asker's limit.
class Server {
 public:
  explicit Server(Loop& loop) : loop_(loop) {
    tcp_ = Descriptor(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    SocketAddress any({packet::Address::v4(127, 0, 0, 1), 0});
    EXPECT_EQ(bind(tcp_.get(), any.get(), any.size), 0);
    EXPECT_EQ(listen(tcp_.get(), 8), 0);
    port = local_endpoint(tcp_.get()).port;
    udp_ = Descriptor(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    SocketAddress same({packet::Address::v4(127, 0, 0, 1), port});
    EXPECT_EQ(bind(udp_.get(), same.get(), same.size), 0);
    udp_poll_ = std::make_unique<Poll>(loop, udp_.get(), [this](int) { datagram(); });
    udp_poll_->watch(Poll::kReadable);
    tcp_poll_ = std::make_unique<Poll>(loop, tcp_.get(), [this](int) { connection(); });
    tcp_poll_->watch(Poll::kReadable);
  }

  std::uint16_t port = 0;
  std::size_t padding = 16;
  dns::Rcode rcode = dns::Rcode::kNoError;
  bool silent = false;
  int asked = 0, asked_over_tcp = 0;

 private:
  struct Connection {
    Descriptor socket;
    std::unique_ptr<Poll> poll;
  };

  std::vector<std::uint8_t> answer(Bytes asked_message) const {
    dns::Query query = dns::parse_query(asked_message).query;
    std::vector<std::uint8_t> out = dns::empty_answer(query, rcode, 1232);
    if (padding > 0 && rcode == dns::Rcode::kNoError) {
      query.edns.reset();
      out = dns::empty_answer(query, rcode, 1232);
      out[7] = 1;
      for (std::uint8_t byte : {0xc0, 0x0c, 0, 16, 0, 1, 0, 0, 0, 30}) out.push_back(byte);
      dns::append16(out, std::uint16_t(padding));
      out.insert(out.end(), padding, 1);
    }
    return out;
  }

  void datagram() {
    std::uint8_t buffer[4096];
    SocketAddress from;
    ssize_t n = recvfrom(udp_.get(), buffer, sizeof buffer, 0, from.get(), &from.size);
    if (n <= 0) return;
    ++asked;
    if (silent) return;
    Bytes message(buffer, std::size_t(n));
    std::vector<std::uint8_t> out = answer(message);
    dns::Query query = dns::parse_query(message).query;
    if (out.size() > (query.edns ? query.edns->udp_size : 512u)) {
      out = dns::empty_answer(query, dns::Rcode::kNoError, 1232);
      out[2] |= 0x02;
    }
    sendto(udp_.get(), out.data(), out.size(), 0, from.get(), from.size);
  }

  void connection() {
    int fd = accept4(tcp_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    Connection& c = connections_[fd];
    c.poll = std::make_unique<Poll>(loop_, fd, [this, fd](int) {
      std::uint8_t buffer[4096];
      ssize_t n = read(fd, buffer, sizeof buffer);
      if (n <= 2) {
        connections_.erase(fd);
        return;
      }
      ++asked_over_tcp;
      std::vector<std::uint8_t> body = answer({buffer + 2, std::size_t(n) - 2}), out;
      dns::append16(out, std::uint16_t(body.size()));
      out.insert(out.end(), body.begin(), body.end());
      EXPECT_EQ(write(fd, out.data(), out.size()), ssize_t(out.size()));
    });
    c.poll->watch(Poll::kReadable);
    c.socket = Descriptor(fd);
  }

  Loop& loop_;
  Descriptor tcp_, udp_;
  std::unique_ptr<Poll> udp_poll_, tcp_poll_;
  std::map<int, Connection> connections_;
};

class MachineDnsTest : public ::testing::Test {
 protected:
  MachineDnsTest()
      : server_(loop_),
        guard_(loop_, [this] { loop_.stop(); }),
        dns_(loop_, {[this](engine::DnsRequestId request, Bytes message) {
                       answers_[request].assign(message.begin(), message.end());
                       loop_.stop();
                     },
                     [this](engine::DnsRequestId request, engine::DnsFailure why) {
                       failures_[request] = why;
                       loop_.stop();
                     }}) {
    dns_.set_servers({local_}, server_.port);
  }

  void ask(engine::DnsRequestId request, const std::vector<std::uint8_t>& message) { dns_.ask(request, message); }
  // Until something was called back.
  void run(Duration longest = 8s) {
    guard_.set(boot_now() + longest);
    loop_.run();
  }

  const packet::Address local_ = packet::Address::v4(127, 0, 0, 1);
  Loop loop_;
  Server server_;
  Timer guard_;
  std::map<engine::DnsRequestId, std::vector<std::uint8_t>> answers_;
  std::map<engine::DnsRequestId, engine::DnsFailure> failures_;
  MachineDns dns_;
};

TEST_F(MachineDnsTest, HandsBackTheServersAnswerAsItIs) {
  ask(1, question(0x1234, "www.example.org"));
  run();
  ASSERT_EQ(answers_.count(1), 1u);
  EXPECT_EQ(load16(answers_[1].data()), 0x1234);
  EXPECT_EQ(answers_[1][7], 1);
}

TEST_F(MachineDnsTest, ANameThatDoesNotExistIsAnAnswerToo) {
  server_.rcode = dns::Rcode::kNxDomain;
  ask(1, question(1, "nowhere.example.org"));
  run();
  ASSERT_EQ(answers_.count(1), 1u);
  EXPECT_EQ(answers_[1][3] & 0x0f, 3);
}

TEST_F(MachineDnsTest, ALongAnswerIsFetchedOverTcp) {
  server_.padding = 3000;
  ask(1, question(1, "big.example.org"));
  run();
  ASSERT_EQ(answers_.count(1), 1u);
  EXPECT_GT(answers_[1].size(), 3000u);
  EXPECT_EQ(server_.asked_over_tcp, 1);
}

TEST_F(MachineDnsTest, WhatFitsTheAskersLimitNeedsNoTcp) {
  server_.padding = 1000;
  ask(1, question(1, "medium.example.org", true));
  run();
  ASSERT_EQ(answers_.count(1), 1u);
  EXPECT_GT(answers_[1].size(), 1000u);
  EXPECT_EQ(server_.asked_over_tcp, 0);
}

TEST_F(MachineDnsTest, WhatIsForgottenIsNotHeardOf) {
  ask(1, question(1, "a.example.org"));
  ask(2, question(2, "b.example.org"));
  dns_.forget(1);
  dns_.forget(99);
  run();
  run(50ms);
  EXPECT_EQ(answers_.count(1), 0u);
  EXPECT_EQ(answers_.count(2), 1u);
  EXPECT_EQ(server_.asked, 2);
}

TEST_F(MachineDnsTest, WithoutServersNobodyCanBeReached) {
  dns_.set_servers({});
  ask(1, question(1, "a.example.org"));
  ASSERT_EQ(failures_.count(1), 1u);
  EXPECT_EQ(failures_[1], engine::DnsFailure::kUnreachable);
}

TEST_F(MachineDnsTest, OtherServersEndTheQuestionsAtTheFirst) {
  server_.silent = true;
  ask(1, question(1, "a.example.org"));
  Server second(loop_);
  dns_.set_servers({local_, local_}, second.port);
  EXPECT_EQ(failures_.count(1), 1u);
  ask(2, question(2, "a.example.org"));
  for (int turns = 0; answers_.empty() && turns < 10; ++turns) run();
  EXPECT_EQ(answers_.count(2), 1u);
  EXPECT_EQ(second.asked, 1);
}

TEST_F(MachineDnsTest, ASilentServerIsGivenUpAfterFiveSeconds) {
  server_.silent = true;
  Instant began = boot_now();
  ask(1, question(1, "a.example.org"));
  run();
  ASSERT_EQ(failures_.count(1), 1u);
  EXPECT_EQ(failures_[1], engine::DnsFailure::kTimedOut);
  EXPECT_EQ(server_.asked, 2) << "each question is sent twice";
  EXPECT_LT(boot_now() - began, 6s);
}

TEST_F(MachineDnsTest, AServerThatFailsIsToldAtOnce) {
  server_.rcode = dns::Rcode::kServFail;
  ask(1, question(1, "a.example.org"));
  run();
  ASSERT_EQ(failures_.count(1), 1u);
  EXPECT_EQ(failures_[1], engine::DnsFailure::kUnreachable);
}

TEST_F(MachineDnsTest, ManyQuestionsAtOnceAreAllAnswered) {
  for (engine::DnsRequestId i = 1; i <= 500; ++i)
    ask(i, question(std::uint16_t(i), "n" + std::to_string(i) + ".example.org"));
  for (int turns = 0; answers_.size() < 500 && turns < 2000; ++turns) run();
  EXPECT_EQ(answers_.size(), 500u);
  for (auto& [request, message] : answers_) EXPECT_EQ(load16(message.data()), request);
}

}  // namespace
}  // namespace causeway::platform
