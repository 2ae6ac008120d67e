#include "platform/host/host_protocol.h"

#include <gtest/gtest.h>

#include "core/base/random.h"
#include "core/base/wire.h"
#include "platform/host/request_check.h"

namespace causeway::platform {
namespace {

using packet::Address;
using packet::Cidr;

NetworkRequest network() {
  NetworkRequest request;
  request.profile = "demo";
  request.mtu = 8500;
  request.addresses = {*Address::parse("10.96.255.1"), *Address::parse("fd00:96::1")};
  request.routes = {*Cidr::parse("10.96.0.0/16"), *Cidr::parse("fd00:96::/112")};
  request.exclude = {*Cidr::parse("10.96.8.0/24")};
  request.keep = {*Address::parse("203.0.113.7")};
  return request;
}

std::vector<HostRequest> requests() {
  return {network(), ResolverRequest{"demo", {*Address::parse("10.96.255.1")}, true}, DetachRequest{"demo"},
          OpenFileRequest{"keys/demo.key", true},
          ConflictsRequest{"demo", network().routes, {*Cidr::parse("10.20.0.5/32")}, network().exclude},
          RoutesRequest{"demo", network().routes, network().exclude, network().keep, false}};
}

std::vector<HostAnswer> answers() {
  MachineResolver resolver{{*Address::parse("192.0.2.53")}, {"home.example"}, true, "/etc/resolv.conf, replaced"};
  return {Error{ErrorCode::kConflict, "it is there", "remove it"},
          AttachedAnswer{"cw-demo", {*Cidr::parse("10.0.0.0/8")}}, resolver, DetachedAnswer{{"one", "two"}},
          OpenedAnswer{},
          ConflictsAnswer{{{*Cidr::parse("10.96.0.0/16"), *Cidr::parse("10.0.0.0/8"), "wg0 (WireGuard)", 3}}},
          ChangedRoutes{{"the route 10.96.0.0/16"}}};
}

TEST(HostProtocol, RequestsComeBackAsTheyWere) {
  std::uint64_t number = 1000;
  for (const HostRequest& request : requests()) {
    auto bytes = encode(Numbered<HostRequest>{++number, request});
    auto read = decode_host_request(bytes);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->number, number);
    EXPECT_EQ(read->body.index(), request.index());
    EXPECT_EQ(encode(*read), bytes);
  }
}

TEST(HostProtocol, AnswersComeBackAsTheyWere) {
  for (const HostAnswer& answer : answers()) {
    auto bytes = encode(Numbered<HostAnswer>{7, answer});
    auto read = decode_host_answer(bytes);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->number, 7u);
    EXPECT_EQ(read->body.index(), answer.index());
    EXPECT_EQ(encode(*read), bytes);
  }
}

TEST(HostProtocol, TheLargestRequestFits) {
  NetworkRequest request = network();
  request.addresses.assign(kMaxAddresses, *Address::parse("fd00:96::1"));
  request.routes.assign(kMaxRoutes, *Cidr::parse("fd00:96::/112"));
  request.exclude.assign(kMaxExcluded, *Cidr::parse("fd00:96::/112"));
  request.keep.assign(kMaxKept, *Address::parse("2001:db8::1"));
  auto read = decode_host_request(encode(Numbered<HostRequest>{1, request}));
  ASSERT_TRUE(read);
  EXPECT_EQ(std::get<NetworkRequest>(read->body).routes.size(), kMaxRoutes);
  EXPECT_EQ(std::get<NetworkRequest>(read->body).exclude.size(), kMaxExcluded);
  std::vector<Cidr> most(kMaxConflicts, *Cidr::parse("fd00:96::/112"));
  std::vector<Cidr> included(kMaxRoutes, *Cidr::parse("fd00:96::/112"));
  EXPECT_TRUE(decode_host_request(encode(Numbered<HostRequest>{1, ConflictsRequest{"demo", most, included, most}})));
  ConflictsAnswer answer;
  answer.conflicts.assign(kMaxConflicts, {most[0], most[0], std::string(100, 'x'), 65535});
  auto conflicts = decode_host_answer(encode(Numbered<HostAnswer>{1, answer}));
  ASSERT_TRUE(conflicts);
  EXPECT_EQ(std::get<ConflictsAnswer>(conflicts->body).conflicts.size(), kMaxConflicts);
}

TEST(HostProtocol, TheLongestAnswerIsCutShortAndStaysReadable) {
  DetachedAnswer many{std::vector<std::string>(1000, std::string(5000, 'x'))};
  auto read = decode_host_answer(encode(Numbered<HostAnswer>{1, many}));
  ASSERT_TRUE(read);
  EXPECT_EQ(std::get<DetachedAnswer>(read->body).lines.size(), 100u);
}

TEST(HostProtocol, NothingShorterOrLongerIsTaken) {
  for (const HostRequest& request : requests()) {
    auto bytes = encode(Numbered<HostRequest>{5, request});
    for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(decode_host_request(Bytes(bytes).first(size)));
    bytes.push_back(0);
    EXPECT_FALSE(decode_host_request(bytes));
  }
}

TEST(HostProtocol, AnotherVersionOrKindIsRefused) {
  auto bytes = encode(Numbered<HostRequest>{5, DetachRequest{"demo"}});
  bytes[0] = 2;
  EXPECT_FALSE(decode_host_request(bytes));
  bytes[0] = 1;
  bytes[2] = 9;
  EXPECT_FALSE(decode_host_request(bytes));
}

// A request written by hand, which RemoteHost would not send.
std::vector<std::uint8_t> attach_message(std::string_view profile, std::uint64_t addresses, std::uint64_t routes) {
  std::vector<std::uint8_t> space(200 * 1024);
  WireWriter out(space);
  out.byte(kHostProtocolVersion);
  out.varint(1);
  out.byte(0);
  out.varint(profile.size());
  out.bytes(as_bytes(profile));
  out.number16(1500);
  const std::uint8_t address[]{4, 10, 96, 0, 0};
  out.varint(addresses);
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(addresses, 5000); ++i) out.bytes(address);
  out.varint(routes);
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(routes, 5000); ++i) {
    out.bytes(address);
    out.byte(16);
  }
  out.varint(0);
  out.varint(0);
  space.resize(out.size());
  return space;
}

TEST(HostProtocol, WhatIsOverItsBoundIsRefused) {
  EXPECT_TRUE(decode_host_request(attach_message("demo", kMaxAddresses, kMaxRoutes)));
  EXPECT_FALSE(decode_host_request(attach_message("demo", kMaxAddresses + 1, 0)));
  EXPECT_FALSE(decode_host_request(attach_message("demo", 0, kMaxRoutes + 1)));
  EXPECT_FALSE(decode_host_request(attach_message("demo", std::uint64_t(1) << 60, 0)));
  EXPECT_FALSE(decode_host_request(attach_message("thirteen-more", 1, 1)));
  EXPECT_FALSE(decode_host_request(attach_message("../x", 1, 1)));
  EXPECT_FALSE(decode_host_request(attach_message("", 1, 1)));
}

TEST(HostProtocol, ChangedBytesNeverHarm) {
  SeededRandom random(11);
  for (int round = 0; round < 20000; ++round) {
    auto all = requests();
    auto bytes = encode(Numbered<HostRequest>{random.below(1000), all[random.below(all.size())]});
    for (std::uint64_t n = 1 + random.below(3); n > 0; --n)
      bytes[random.below(bytes.size())] = std::uint8_t(random.next());
    auto read = decode_host_request(bytes);
    EXPECT_TRUE(!read || decode_host_request(encode(*read))) << "what was taken can be written";
    decode_host_answer(bytes);
  }
}

TEST(RequestCheck, ReservedSpaceCannotBeRouted) {
  for (const char* route : {"0.0.0.0/0", "::/0", "127.0.0.0/8", "169.254.169.0/24", "128.0.0.0/1", "224.0.0.0/24",
                            "fe80::/64", "ff02::1/128", "::1/128", "::ffff:10.0.0.0/104"}) {
    NetworkRequest request = network();
    request.routes = {*Cidr::parse(route)};
    EXPECT_FALSE(check_request(request)) << route;
    EXPECT_FALSE(check_request(RoutesRequest{"demo", request.routes, {}, {}})) << route;
  }
  EXPECT_TRUE(check_request(RoutesRequest{"demo", {*Cidr::parse("169.254.169.254/32")}, {}, {}}))
      << "the cluster's metadata, asked for by name";
  NetworkRequest request = network();
  request.addresses = {*Address::parse("127.0.0.5")};
  EXPECT_FALSE(check_request(request));
  request = network();
  request.mtu = 1000;
  EXPECT_FALSE(check_request(request));
  EXPECT_TRUE(check_request(network()));
}

TEST(RequestCheck, FileNamesStayBeneath) {
  for (const char* name : {"demo.toml", "keys/demo.key", "a..b", "...", ".hidden"})
    EXPECT_TRUE(check_file_name(name)) << name;
  for (const char* name : {"", "/", "/etc/shadow", "..", "../x", "a/../b", "a/..", "./a", "a//b", "a/", "a\nb"}) {
    EXPECT_FALSE(check_file_name(name)) << name;
  }
  EXPECT_FALSE(check_file_name(std::string(256, 'a')));
  EXPECT_FALSE(check_file_name(std::string_view("a\0b", 3)));
}

}  // namespace
}  // namespace causeway::platform
