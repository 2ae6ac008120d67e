// Files for noise-vectors that are not what they should be: a reason, never a crash.
#include "tools/noise_vectors/replay.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/base/random.h"

namespace causeway::tools {
namespace {

std::string published() {
  std::ifstream in(VECTORS "/ik.json");
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

nlohmann::json changed(const char* field, const nlohmann::json& value) {
  nlohmann::json file = nlohmann::json::parse(published());
  file["vectors"][0][field] = value;
  return file;
}

TEST(NoiseVectors, ThePublishedOnePasses) {
  auto report = replay_vectors(published());
  ASSERT_TRUE(report);
  EXPECT_EQ(report->passed, 1u);
  EXPECT_EQ(report->failed, 0u);
}

TEST(NoiseVectors, WhatMayBeAbsentMayBeAbsent) {
  nlohmann::json file = nlohmann::json::parse(published());
  for (const char* field : {"init_remote_static", "init_psks", "resp_psks", "handshake_hash"}) file["vectors"][0].erase(field);
  EXPECT_EQ(replay_vectors(file.dump())->passed, 1u);
}

TEST(NoiseVectors, AnyWrongByteFails) {
  nlohmann::json file = nlohmann::json::parse(published());
  for (std::size_t m = 0; m < file["vectors"][0]["messages"].size(); ++m) {
    for (const char* field : {"payload", "ciphertext"}) {
      nlohmann::json copy = file;
      auto text = copy["vectors"][0]["messages"][m][field].get<std::string>();
      text.back() = text.back() == '0' ? '1' : '0';
      copy["vectors"][0]["messages"][m][field] = text;
      EXPECT_EQ(replay_vectors(copy.dump())->failed, 1u) << m << field;
    }
  }
  for (const char* field : {"init_static", "init_ephemeral", "resp_static", "resp_ephemeral", "init_remote_static"}) {
    EXPECT_EQ(replay_vectors(changed(field, std::string(62, '0') + "07").dump())->failed, 1u) << field;
  }
  EXPECT_EQ(replay_vectors(changed("init_prologue", "00").dump())->failed, 1u);
  EXPECT_EQ(replay_vectors(changed("handshake_hash", std::string(128, 'a')).dump())->failed, 1u);
}

TEST(NoiseVectors, MalformedFieldsFailWithAReason) {
  using Json = nlohmann::json;
  const std::pair<const char*, Json> cases[]{
      {"init_static", "00"},        {"init_static", 5},           {"init_static", "zz"},    {"init_static", "000"},
      {"resp_ephemeral", nullptr},  {"init_prologue", 7},         {"messages", "none"},     {"messages", Json::array()},
      {"messages", Json::array({1, 2})}, {"protocol_name", 3},    {"handshake_hash", "x1"}, {"init_remote_static", "1234"}};
  for (const auto& [field, value] : cases) {
    auto report = replay_vectors(changed(field, value).dump());
    ASSERT_TRUE(report);
    ASSERT_EQ(report->failures.size(), 1u) << field << ' ' << value;
    EXPECT_NE(report->failures[0].find(": "), std::string::npos);
  }
}

TEST(NoiseVectors, OtherProtocolsAreSkipped) {
  EXPECT_EQ(replay_vectors(changed("protocol_name", "Noise_XX_25519_AESGCM_SHA256").dump())->skipped, 1u);
}

TEST(NoiseVectors, WhatIsNoVectorFileIsAnError) {
  for (const char* text : {"", "{", "[]", "null", "{\"vectors\": 5}", "{\"vectors\": {}}", "\xff\xfe", "{\"vector\": []}"}) {
    EXPECT_FALSE(replay_vectors(text)) << text;
  }
}

TEST(NoiseVectors, RandomlyDamagedFilesNeverCrash) {
  std::string good = published();
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    SeededRandom random(seed);
    std::string bad = good;
    for (std::uint64_t i = 1 + random.below(4); i > 0; --i) {
      std::size_t at = random.below(bad.size());
      switch (random.below(3)) {
        case 0: bad[at] = char(random.below(256)); break;
        case 1: bad.erase(at, 1 + random.below(40)); break;
        default: bad.insert(at, bad.substr(random.below(bad.size()), 30));
      }
    }
    replay_vectors(bad);
  }
}

}  // namespace
}  // namespace causeway::tools
