#include "tools/tund/service.h"

#include "tests/tools/caller.h"

namespace causeway::tund {
namespace {

using control::Answer;
using control::UpOutcome;

using Words = std::vector<std::string>;

control::UpRequest up(const std::string& name = "") { return {name, {}}; }

TEST(Service, UpTellsItsStepsAndThenThatItIsUp) {
  Daemon daemon;
  daemon.profiles.write("demo.toml", "ok");
  Caller caller(daemon);
  auto done = caller.want<control::UpAnswer>(up("demo"));
  EXPECT_EQ(done.profile, "demo");
  EXPECT_EQ(done.outcome, UpOutcome::kUp);
  ASSERT_EQ(caller.before.size(), 2u);
  EXPECT_EQ(std::get<control::StepAnswer>(caller.before[1]).detail, "cw-demo");
  EXPECT_EQ(caller.states(), Words{"demo up"});
}

TEST(Service, ARepeatedUpOrDownSaysSo) {
  Daemon daemon;
  daemon.profiles.write("demo.toml", "ok");
  Caller caller(daemon);
  EXPECT_FALSE(caller.want<control::DownAnswer>(control::DownRequest{"demo"}).was_up);
  caller.want<control::UpAnswer>(up("demo"));
  auto again = caller.want<control::UpAnswer>(up("demo"));
  EXPECT_EQ(again.outcome, UpOutcome::kAlreadyUp);
  EXPECT_EQ(again.note, "");
  auto down = caller.want<control::DownAnswer>(control::DownRequest{"demo"});
  EXPECT_TRUE(down.was_up);
  EXPECT_EQ(down.lines, Words{"cw-demo removed"});
  EXPECT_FALSE(caller.want<control::DownAnswer>(control::DownRequest{"demo"}).was_up);
  EXPECT_EQ(caller.states(), Words{"demo down"});
  daemon.end();
  EXPECT_EQ(fake::living(), 0);
}

TEST(Service, AChangedProfileIsNotAppliedSilently) {
  Daemon daemon;
  daemon.profiles.write("demo.toml", "ok");
  Caller caller(daemon);
  caller.want<control::UpAnswer>(up("demo"));
  daemon.profiles.write("demo.toml", "ok with more routes");
  EXPECT_NE(caller.want<control::UpAnswer>(up("demo")).note.find("older version"), std::string::npos);
}

TEST(Service, TheDefaultProfileIsTheOnlyOneOrTheOneOfThatName) {
  Daemon daemon;
  Caller caller(daemon);
  EXPECT_EQ(caller.want<control::ErrorAnswer>(up()).kind, ErrorCode::kNotFound);
  daemon.profiles.write("demo.toml", "ok");
  daemon.profiles.write("demo.key", "no profile");
  daemon.profiles.write("Not A Name.toml", "ok");
  EXPECT_EQ(caller.want<control::UpAnswer>(up()).profile, "demo");
  daemon.profiles.write("other.toml", "ok");
  EXPECT_NE(caller.want<control::ErrorAnswer>(up()).message.find("demo, other"), std::string::npos);
  daemon.profiles.write("default.toml", "ok");
  EXPECT_EQ(caller.want<control::UpAnswer>(up()).profile, "default");
}

TEST(Service, AnUnknownProfileNamesThoseThatThereAre) {
  Daemon daemon;
  daemon.profiles.write("demo.toml", "ok");
  auto error = Caller(daemon).want<control::ErrorAnswer>(up("dmeo"));
  EXPECT_EQ(error.kind, ErrorCode::kNotFound);
  EXPECT_EQ(error.step, "profile");
  EXPECT_NE(error.advice.find("demo"), std::string::npos);
}

TEST(Service, AProfileThatIsSentIsUsedAsItIs) {
  Daemon daemon;
  Caller caller(daemon);
  control::UpRequest sent{"mine", control::ProfileContents{"ok", "/home/me/mine.toml", "the key", ""}};
  caller.want<control::UpAnswer>(sent);
  caller.answer(control::StatusRequest{"mine"});
  EXPECT_EQ(std::get<control::TunnelAnswer>(caller.before.at(0)).own_key, "the key");
  EXPECT_TRUE(caller.want<control::DownAnswer>(control::DownRequest{}).was_up);
}

TEST(Service, AFailureIsToldWithItsStepAndKeptForStatus) {
  Daemon daemon;
  daemon.profiles.write("demo.toml", "link refused the gateway does not know our key 3f2a");
  Caller caller(daemon);
  auto error = caller.want<control::ErrorAnswer>(up("demo"));
  EXPECT_EQ(error.kind, ErrorCode::kRefused);
  EXPECT_EQ(error.step, "link");
  EXPECT_EQ(error.message, "the gateway does not know our key 3f2a");
  EXPECT_EQ(error.advice, "do something about it");
  EXPECT_EQ(caller.states(), Words{"demo down"});
  EXPECT_EQ(std::get<control::TunnelAnswer>(caller.before.at(0)).last_error, error.message);
  daemon.profiles.write("demo.toml", "ok");
  caller.want<control::UpAnswer>(up("demo"));
}

TEST(Service, AWrongProfileChangesNothing) {
  Daemon daemon;
  daemon.profiles.write("demo.toml", "invalid unknown key 'rotues'");
  Caller caller(daemon);
  auto error = caller.want<control::ErrorAnswer>(up("demo"));
  EXPECT_EQ(error.step, "profile");
  EXPECT_EQ(error.message, daemon.profiles.path + "/demo.toml:1:1: unknown key 'rotues'");
}

TEST(Service, ASecondUpJoinsTheFirst) {
  Daemon daemon;
  daemon.profiles.write("demo.toml", "hang");
  Caller first(daemon), second(daemon), third(daemon);
  first.ask(up("demo"));
  first.wait_for_step();
  first.wait_for_step();
  second.ask(up("demo"));
  second.wait_for_step();
  second.wait_for_step();
  EXPECT_TRUE(third.want<control::DownAnswer>(control::DownRequest{"demo"}).was_up);
  EXPECT_EQ(Caller::as<control::ErrorAnswer>(first.answer()).kind, ErrorCode::kConflict);
  EXPECT_EQ(Caller::as<control::ErrorAnswer>(second.answer()).kind, ErrorCode::kConflict);
}

TEST(Service, AnUpThatNobodyWaitsForIsGivenUp) {
  Daemon daemon;
  daemon.profiles.write("demo.toml", "hang");
  Caller watcher(daemon);
  {
    Caller first(daemon);
    first.ask(up("demo"));
    first.wait_for_step();
    {
      Caller second(daemon);
      second.ask(up("demo"));
      second.wait_for_step();
    }
    std::this_thread::sleep_for(50ms);
    EXPECT_EQ(watcher.states(), Words{"demo coming-up"}) << "the first still waits";
  }
  for (int i = 0; i < 1000 && watcher.states() != Words{"demo down"}; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(watcher.states(), Words{"demo down"});
}

TEST(Service, AnUpWhileItGoesDownWaitsAndBeginsAgain) {
  Daemon daemon;
  daemon.profiles.write("demo.toml", "ok");
  Caller first(daemon), second(daemon);
  for (int i = 0; i < 50; ++i) {
    first.want<control::UpAnswer>(up("demo"));
    first.ask(control::DownRequest{"demo"});
    second.ask(up("demo"));
    EXPECT_TRUE(Caller::as<control::DownAnswer>(first.answer()).was_up);
    Caller::as<control::UpAnswer>(second.answer());
    second.answer(control::DownRequest{"demo"});
  }
}

TEST(Service, SeveralProfilesAreUpAtOnce) {
  Daemon daemon;
  daemon.profiles.write("a.toml", "ok");
  daemon.profiles.write("b.toml", "ok");
  Caller caller(daemon);
  caller.want<control::UpAnswer>(up("a"));
  caller.want<control::UpAnswer>(up("b"));
  EXPECT_EQ(caller.states(), (Words{"a up", "b up"}));
  EXPECT_NE(caller.want<control::ErrorAnswer>(control::DownRequest{}).message.find("a, b"), std::string::npos);
  caller.want<control::DownAnswer>(control::DownRequest{"a"});
  EXPECT_EQ(caller.want<control::DownAnswer>(control::DownRequest{}).profile, "b");
  EXPECT_EQ(caller.want<control::DownAnswer>(control::DownRequest{}).profile, "");
}

TEST(Service, HowManyAreUpAtOnceIsBounded) {
  Daemon daemon;
  Caller caller(daemon);
  for (int i = 0; i < 16; ++i) {
    std::string name = "p" + std::to_string(i);
    daemon.profiles.write(name + ".toml", "ok");
    caller.want<control::UpAnswer>(up(name));
  }
  daemon.profiles.write("p16.toml", "ok");
  EXPECT_EQ(caller.want<control::ErrorAnswer>(up("p16")).kind, ErrorCode::kLimit);
}

TEST(Service, AnUpWhileTheLinkIsDialledAgainWaitsForIt) {
  Daemon daemon;
  daemon.profiles.write("demo.toml", "ok");
  Caller caller(daemon);
  caller.want<control::UpAnswer>(up("demo"));
  daemon.on_loop([] { fake::lose_link("demo", "the gateway is silent"); });
  EXPECT_EQ(caller.states(), Words{"demo reconnecting"});
  caller.ask(up("demo"));
  std::this_thread::sleep_for(50ms);
  daemon.on_loop([] { fake::find_link("demo"); });
  auto done = Caller::as<control::UpAnswer>(caller.answer());
  EXPECT_EQ(done.outcome, UpOutcome::kAlreadyUp);
  EXPECT_NE(done.note, "");
}

TEST(Service, ATunnelThatEndsByItselfIsDownAndSaysWhy) {
  Daemon daemon;
  daemon.profiles.write("demo.toml", "ok");
  Caller caller(daemon);
  caller.want<control::UpAnswer>(up("demo"));
  daemon.on_loop([] { fake::die("demo", "somebody removed the device"); });
  for (int i = 0; i < 1000 && caller.states() != Words{"demo down"}; ++i) std::this_thread::sleep_for(10ms);
  caller.states();
  EXPECT_EQ(std::get<control::TunnelAnswer>(caller.before.at(0)).last_error, "somebody removed the device");
  EXPECT_EQ(caller.want<control::UpAnswer>(up("demo")).outcome, UpOutcome::kUp);
}

TEST(Service, TheDaemonsEndTakesEverythingDownAndTellsWhoWaits) {
  Daemon daemon;
  daemon.profiles.write("a.toml", "ok");
  daemon.profiles.write("b.toml", "hang");
  Caller caller(daemon), waiting(daemon);
  caller.want<control::UpAnswer>(up("a"));
  waiting.ask(up("b"));
  waiting.wait_for_step();
  daemon.end();
  EXPECT_EQ(Caller::as<control::ErrorAnswer>(waiting.answer()).kind, ErrorCode::kConflict);
  EXPECT_EQ(fake::living(), 0);
}

TEST(Service, TellsItsVersion) {
  Daemon daemon;
  EXPECT_EQ(Caller(daemon).want<control::VersionAnswer>(control::VersionRequest{}).version, "9.8.7");
}

}  // namespace
}  // namespace causeway::tund
