#include "core/control/message.h"

#include <gtest/gtest.h>

#include "core/base/random.h"

namespace causeway::control {
namespace {

using namespace std::chrono_literals;

std::string complaint(std::string_view line) {
  auto request = parse_request(line);
  EXPECT_FALSE(request) << line;
  return request ? "" : request.error().message;
}

TEST(Control, RequestsComeBackAsTheyWereSent) {
  const Request all[] = {VersionRequest{},
                         UpRequest{},
                         UpRequest{"demo", {}},
                         UpRequest{"demo", ProfileContents{"a = \"ü\"\n", "/x/demo.toml", "key", ""}},
                         UpRequest{"demo", ProfileContents{"", "demo.toml", "key", "psk"}},
                         DownRequest{},
                         DownRequest{"a-b_9"},
                         StatusRequest{},
                         StatusRequest{"demo"}};
  for (const Request& request : all) {
    std::string line = encode(request);
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    auto back = parse_request(line);
    ASSERT_TRUE(back) << line << back.error().message;
    EXPECT_EQ(back->index(), request.index());
    EXPECT_EQ(encode(*back), line);
  }
}

TEST(Control, AProfileTravelsWhole) {
  UpRequest sent{"demo", ProfileContents{"gateways = []\n\ttab \"quoted\" \\ ü\n", "./my demo.toml", "k=", "p="}};
  auto back = parse_request(encode(Request(sent)));
  ASSERT_TRUE(back);
  const auto& got = std::get<UpRequest>(*back);
  EXPECT_EQ(got.profile, "demo");
  ASSERT_TRUE(got.contents);
  EXPECT_EQ(got.contents->toml, sent.contents->toml);
  EXPECT_EQ(got.contents->source, "./my demo.toml");
  EXPECT_EQ(got.contents->key, "k=");
  EXPECT_EQ(got.contents->psk, "p=");
}

TEST(Control, LookingIsForEverybodyAndTheRestIsNot) {
  EXPECT_EQ(privilege(UpRequest{}), "bring tunnels up or down");
  EXPECT_EQ(privilege(DownRequest{}), "bring tunnels up or down");
  EXPECT_EQ(privilege(InterceptRequest{}), "begin or end intercepts");
  EXPECT_EQ(privilege(LeaveRequest{}), "begin or end intercepts");
  EXPECT_EQ(privilege(EnvironmentRequest{}), "see the environment of services");
  for (const Request& request : {Request(StatusRequest{}), Request(VersionRequest{}), Request(ListRequest{})})
    EXPECT_EQ(privilege(request), "");
}

TEST(Control, WhatIsUnknownIsAnErrorAndNotIgnored) {
  EXPECT_EQ(complaint(R"({"v":1,"request":"reboot"})"),
            "unknown request 'reboot': version, up, down, status, intercept, leave, list and environment are known");
  EXPECT_EQ(complaint(R"({"v":1,"request":"up","proflie":"demo"})"), "unknown field 'proflie'");
  EXPECT_EQ(complaint(R"({"v":1,"request":"status","key":"x"})"), "unknown field 'key'");
  EXPECT_EQ(complaint(R"({"v":1})"), "field 'request' is missing");
}

TEST(Control, OtherVersionsAreRefusedWithAnAdvice) {
  auto request = parse_request(R"({"v":2,"request":"status"})");
  ASSERT_FALSE(request);
  EXPECT_EQ(request.error().message, "version 2 of the control protocol is not spoken here, only 1");
  EXPECT_NE(request.error().advice, "");
  complaint(R"({"request":"status"})");
  complaint(R"({"v":"1","request":"status"})");
  complaint(R"({"v":1.0,"request":"status"})");
  complaint(R"({"v":18446744073709551617,"request":"status"})");
}

TEST(Control, WhatIsNoObjectIsRefused) {
  for (std::string_view line : {"", "\n", "{", "[]", "1", "null", "status", "{\"v\":1,\"request\":\"status\"} x",
                                "{'v':1}", "{\"v\":1,}", "{\"v\":1,\"request\":\"\xff\"}"}) {
    complaint(line);
  }
}

TEST(Control, AFieldThatComesTwiceIsRefused) {
  EXPECT_NE(complaint(R"({"v":1,"request":"status","request":"up"})").find("twice"), std::string::npos);
}

TEST(Control, DepthCountsAndLengthsAreBounded) {
  EXPECT_NE(complaint(R"({"v":1,"request":"up","profile":[[[[1]]]]})").find("too deeply"), std::string::npos);
  EXPECT_NE(complaint(std::string(60000, '[')).find("not acceptable"), std::string::npos);
  std::string many = R"({"v":1,"request":"up","x":[)";
  for (int i = 0; i < 5000; ++i) many += "1,";
  EXPECT_NE(complaint(many + "1]}").find("too many"), std::string::npos);
  EXPECT_NE(
      complaint(R"({"v":1,"request":"up","profile":")" + std::string(kMaxLine, 'a') + "\"}").find("longer than 64 KiB"),
      std::string::npos);
  EXPECT_NE(complaint(R"({"v":1,"request":"up","profile":"a","toml":")" + std::string(kMaxToml + 1, 'a') +
                      R"(","source":"a","key":"a"})")
                .find("'toml' is longer"),
            std::string::npos);
}

TEST(Control, ProfileNamesAreChecked) {
  for (std::string_view name : {"Demo", "a.b", "../x", "a/b", "thirteenchars", "a b", "a\\u0000b", ""}) {
    EXPECT_NE(complaint(R"({"v":1,"request":"up","profile":")" + std::string(name) + "\"}").find("name"),
              std::string::npos)
        << name;
  }
}

TEST(Control, TypesAreChecked) {
  for (std::string_view value : {"1", "null", "true", "[]", "{}"}) {
    complaint(R"({"v":1,"request":"up","profile":)" + std::string(value) + "}");
    complaint(R"({"v":1,"request":)" + std::string(value) + "}");
  }
}

TEST(Control, AProfileThatIsSentNeedsItsNameAndItsKey) {
  EXPECT_NE(complaint(R"({"v":1,"request":"up","toml":"","source":"x","key":"k"})").find("needs a name"),
            std::string::npos);
  EXPECT_NE(complaint(R"({"v":1,"request":"up","profile":"a","toml":"","source":"x"})").find("'key' is missing"),
            std::string::npos);
}

TunnelAnswer tunnel() {
  TunnelAnswer out;
  out.profile = "demo";
  out.state = "up";
  out.device = "cw-demo";
  out.gateway = "10.77.0.1:7700";
  out.gateway_key = out.own_key = std::string(44, 'k');
  out.icmp = "available";
  out.resolver = "/etc/resolv.conf";
  out.cipher = "ChaCha20-Poly1305 by libsodium 1.0.18";
  out.round_trip = 1234us;
  out.up_for = 61s;
  out.routes = {"10.96.0.0/16", "fd00:96::/112"};
  out.intercepts = {"orders > 127.0.0.1:8080, ready"};
  out.counters = {{"packets_in", 18446744073709551615u}, {"a_drop", 0}};
  return out;
}

TEST(Control, AnswersComeBackAsTheyWereSent) {
  const Answer all[] = {StepAnswer{"device", 4100us, "cw-demo, 4 routes"},
                        tunnel(),
                        TunnelAnswer{"a", "down", {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}},
                        VersionAnswer{"0.1.0"},
                        UpAnswer{"demo", UpOutcome::kUp, 84ms, ""},
                        UpAnswer{"demo", UpOutcome::kAlreadyUp, 0us, "older profile"},
                        UpAnswer{"demo", UpOutcome::kJoined, 1us, ""},
                        DownAnswer{"demo", true, {"cw-demo removed"}},
                        DownAnswer{},
                        StatusAnswer{},
                        ErrorAnswer{ErrorCode::kRefused, "link", "no", "ask"},
                        ErrorAnswer{ErrorCode::kSystem, "", "no", ""}};
  for (const Answer& answer : all) {
    std::string line = encode(answer);
    auto back = parse_answer(line);
    ASSERT_TRUE(back) << line << back.error().message;
    EXPECT_EQ(back->index(), answer.index());
    EXPECT_EQ(encode(*back), line);
  }
}

TEST(Control, CountersKeepTheirOrderAndSize) {
  auto back = parse_answer(encode(Answer(tunnel())));
  ASSERT_TRUE(back);
  EXPECT_EQ(std::get<TunnelAnswer>(*back).counters, tunnel().counters);
  EXPECT_EQ(std::get<TunnelAnswer>(*back).round_trip, 1234us);
  EXPECT_EQ(std::get<TunnelAnswer>(*back).cipher, tunnel().cipher);
}

TEST(Control, StepsAndTunnelsLeaveTheirRequestOpen) {
  EXPECT_FALSE(is_final(StepAnswer{}));
  EXPECT_FALSE(is_final(TunnelAnswer{}));
  EXPECT_TRUE(is_final(StatusAnswer{}));
  EXPECT_TRUE(is_final(ErrorAnswer{}));
}

TEST(Control, EveryKindOfErrorHasAWord) {
  for (int kind = 0; kind <= int(ErrorCode::kSystem); ++kind) {
    auto back = parse_answer(encode(Answer(ErrorAnswer{ErrorCode(kind), "", "m", ""})));
    ASSERT_TRUE(back);
    EXPECT_EQ(std::get<ErrorAnswer>(*back).kind, ErrorCode(kind));
  }
}

TEST(Control, AnswersFitTheirLineHoweverMuchTheyShouldSay) {
  TunnelAnswer big = tunnel();
  // What JSON makes longest: quotes become two bytes.
  std::string text(3000, '"');
  for (auto* field : {&big.device, &big.gateway, &big.gateway_key, &big.own_key, &big.last_error, &big.icmp,
                      &big.resolver, &big.cipher})
    *field = text;
  for (auto* list : {&big.routes, &big.addresses, &big.dns_servers, &big.skipped_routes, &big.intercepts})
    list->assign(300, text);
  for (int i = 0; i < 300; ++i) big.counters.emplace_back(text, UINT64_MAX);
  std::string line = encode(Answer(big));
  EXPECT_LE(line.size(), kMaxLine);
  auto back = parse_answer(line);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(std::get<TunnelAnswer>(*back).routes.back(), "and 173 more");

  for (const Answer& answer :
       {Answer(DownAnswer{"demo", true, std::vector<std::string>(300, text)}),
        Answer(ErrorAnswer{ErrorCode::kSystem, text, text, text}), Answer(UpAnswer{"demo", UpOutcome::kUp, 1us, text}),
        Answer(StepAnswer{text, 1us, text})}) {
    EXPECT_LE(encode(answer).size(), kMaxLine);
    EXPECT_TRUE(parse_answer(encode(answer)));
  }
}

TEST(Control, WordsOfAPeerCannotStirATerminal) {
  auto back = parse_answer(encode(Answer(ErrorAnswer{ErrorCode::kRefused, "link",
                                                     "a\x1b[2J\nb\xff\xc3\xa4\xc2\x9b"
                                                     "c\xed\xa0\x80\xc3",
                                                     ""})));
  ASSERT_TRUE(back);
  EXPECT_EQ(std::get<ErrorAnswer>(*back).message, "a?[2J?b?\xc3\xa4??c????");
}

TEST(Control, TextsAreCutBetweenCharacters) {
  std::string text(kMaxText - 1, 'a');
  auto back = parse_answer(encode(Answer(ErrorAnswer{ErrorCode::kSystem, "", text + "\xc3\xa4", ""})));
  ASSERT_TRUE(back);
  EXPECT_EQ(std::get<ErrorAnswer>(*back).message, text);
}

TEST(Control, ChangedLinesNeverThrowAndWhatIsAcceptedIsWhole) {
  SeededRandom random(7);
  const std::string seeds[] = {encode(Request(UpRequest{"demo", ProfileContents{"a=1", "x", "k", "p"}})),
                               encode(Request(StatusRequest{})), encode(Answer(tunnel())),
                               encode(Answer(DownAnswer{"demo", true, {"x"}})),
                               encode(Answer(ErrorAnswer{ErrorCode::kLimit, "s", "m", "a"}))};
  for (int round = 0; round < 20000; ++round) {
    std::string line = seeds[random.below(std::size(seeds))];
    for (std::uint64_t n = 1 + random.below(3); n > 0; --n) {
      std::size_t at = random.below(line.size());
      switch (random.below(3)) {
        case 0: line[at] = char(random.below(256)); break;
        case 1: line.erase(at, 1 + random.below(8)); break;
        default: line.insert(at, line.substr(random.below(line.size()), random.below(16))); break;
      }
      if (line.empty()) line = " ";
    }
    if (auto request = parse_request(line)) {
      EXPECT_TRUE(parse_request(encode(*request))) << line;
    }
    if (auto answer = parse_answer(line)) {
      EXPECT_TRUE(parse_answer(encode(*answer))) << line;
    }
  }
}

}  // namespace
}  // namespace causeway::control
