#include "core/control/catalogue.h"

#include <gtest/gtest.h>

namespace causeway::control {
namespace {

using namespace std::chrono_literals;

CatalogueIntercept intercept() {
  return {"anna", true, {{"x-user", "anna"}, {"x-team", "\"a\""}}, "/api", "away", 90s, 12, 1, "the laptop went away",
          3s,     300s};
}

CatalogueService service() {
  CatalogueService out;
  out.name = "orders";
  out.http = true;
  out.listen = {"10.96.0.10:80", "[fd00:96::10]:80"};
  out.original = "orders-v1:8080";
  out.refuse_when_local_down = true;
  out.connections = 3;
  out.intercepts = {intercept(), {"bob", false, {}, "", "active", 0s, 0, 0, "", {}, {}}};
  out.environment = environment::Variables{{"DB", "a\n\"b\""}, {"EMPTY", ""}};
  return out;
}

bool refused(const std::string& document) { return !parse_catalogue(document); }

TEST(Catalogue, ComesBackAsItWasSent) {
  CatalogueService plain;
  plain.name = "cache";
  std::string document = encode(Catalogue{{service(), plain}});
  auto back = parse_catalogue(document);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(encode(*back), document);
  ASSERT_EQ(back->services.size(), 2u);
  const CatalogueService& orders = back->services[0];
  EXPECT_EQ(orders.name, "orders");
  EXPECT_TRUE(orders.http);
  EXPECT_TRUE(orders.refuse_when_local_down);
  EXPECT_EQ(orders.listen, service().listen);
  EXPECT_EQ(orders.original, "orders-v1:8080");
  EXPECT_EQ(orders.environment, service().environment);
  ASSERT_EQ(orders.intercepts.size(), 2u);
  EXPECT_TRUE(orders.intercepts[0].own);
  EXPECT_EQ(orders.intercepts[0].headers, intercept().headers);
  EXPECT_EQ(orders.intercepts[0].lease_left, 300s);
  EXPECT_EQ(orders.intercepts[0].age, 90s);
  EXPECT_FALSE(orders.intercepts[1].last_answer);
  EXPECT_FALSE(back->services[1].http);
  EXPECT_FALSE(back->services[1].environment);
}

TEST(Catalogue, WhatANewerGatewaySaysBesidesIsSkipped) {
  std::string document = encode(Catalogue{{service()}});
  for (const char* field : {"\"connections\":", "\"state\":", "\"v\":"}) {
    std::string with = document;
    with.insert(with.find(field), "\"news\":[{\"x\":1}],");
    auto back = parse_catalogue(with);
    ASSERT_TRUE(back) << field;
    EXPECT_EQ(encode(*back), document);
  }
}

TEST(Catalogue, WhatIsKnownMustBeRight) {
  std::string document = encode(Catalogue{{service()}});
  const std::pair<const char*, const char*> changes[] = {{"\"v\":1", "\"v\":2"},
                                                         {"\"v\":1", "\"w\":1"},
                                                         {"\"name\":\"orders\"", "\"name\":\"../x\""},
                                                         {"\"name\":\"orders\"", "\"name\":1"},
                                                         {"\"http\"", "\"http2\""},
                                                         {"\"refuse\"", "\"drop\""},
                                                         {"\"state\":\"away\"", "\"state\":\"asleep\""},
                                                         {"\"connections\":3", "\"connections\":-3"},
                                                         {"\"owner\":\"anna\"", "\"owner\":null"},
                                                         {"[\"x-user\",\"anna\"]", "[\"x-user\"]"},
                                                         {"\"EMPTY\":\"\"", "\"A=B\":\"\""},
                                                         {"\"EMPTY\":\"\"", "\"EMPTY\":0"},
                                                         {"\"EMPTY\":\"\"", "\"EMPTY\":\"\\u0000\""},
                                                         {"\"own\":true", "\"own\":1"}};
  for (const auto& [from, to] : changes) {
    std::string changed = document;
    std::size_t at = changed.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    changed.replace(at, std::string(from).size(), to);
    EXPECT_TRUE(refused(changed)) << to;
  }
  for (const char* text : {"", "[]", "{}", "{\"v\":1}", "{\"v\":1,\"services\":{}}", "{\"v\":1,\"services\":[1]}"})
    EXPECT_TRUE(refused(text)) << text;
}

TEST(Catalogue, IsBoundedHoweverManyIntercept) {
  CatalogueService crowded = service();
  crowded.intercepts.assign(4096, intercept());
  for (auto& each : crowded.intercepts) each.headers[0].second.assign(4000, '"');
  crowded.environment = environment::Variables{};
  for (int i = 0; i < 2; ++i)
    crowded.environment->emplace_back("V" + std::to_string(i), std::string(environment::kMaxValue, '\x01'));
  std::string document = encode(Catalogue{{crowded, service()}});
  EXPECT_LE(document.size(), kMaxCatalogue);
  auto back = parse_catalogue(document);
  ASSERT_TRUE(back) << back.error().message;
  const CatalogueService& orders = back->services[0];
  EXPECT_GT(orders.intercepts.size(), 100u);
  EXPECT_EQ(orders.intercepts.size() + orders.more_intercepts, 4096u);
  EXPECT_EQ(orders.environment, crowded.environment);

  std::string services = "{\"v\":1,\"services\":[";
  std::string one = encode(Catalogue{{service()}});
  one = one.substr(one.find('[') + 1, one.rfind(']') - one.find('[') - 1);
  for (std::size_t i = 0; i < kMaxServices; ++i) services += one + ',';
  EXPECT_FALSE(refused(services.substr(0, services.size() - 1) + "]}"));
  EXPECT_TRUE(refused(services + one + "]}"));
  EXPECT_TRUE(refused(std::string(kMaxCatalogue + 1, ' ')));
}

}  // namespace
}  // namespace causeway::control
