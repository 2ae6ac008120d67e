// Names that a profile answers itself.
#include "tests/dns/deciding.h"

#include "dns/answer.h"
#include "dns/record.h"

namespace causeway::dns {
namespace {

using namespace test;
using Kind = Mapping::Kind;

RulesConfig with(std::vector<MappingConfig> mappings) {
  RulesConfig config = usual();
  config.profile = "demo";
  config.mappings = std::move(mappings);
  return config;
}
MappingConfig alias(std::string name, std::string target) { return {std::move(name), std::move(target), {}}; }
MappingConfig address(std::string name, std::string_view text) {
  return {std::move(name), {}, *packet::Address::parse(text)};
}

std::string complaint(std::vector<MappingConfig> mappings) {
  auto rules = Rules::create(with(std::move(mappings)));
  return rules ? "" : rules.error().message;
}

TEST(RulesMapping, ANameIsMappedByEveryFormThatMeansTheSame) {
  RulesConfig config = with({address("db.shop", "127.0.0.1"), address("pay.example.com.eu", "192.0.2.1")});
  config.short_namespace = "shop";
  Rules rules = *Rules::create(config);
  for (const char* form : {"db", "DB.Shop", "db.shop.svc", "db.shop.svc.cluster.local", "db.shop.demo",
                           "db.shop.svc.cluster.local.demo", "pay.example.com.eu"}) {
    Decision got = rules.decide(question(form));
    EXPECT_EQ(got.owner, Owner::kMapped) << form;
    ASSERT_TRUE(got.mapping) << form;
    EXPECT_EQ(got.mapping->kind, Kind::kAddresses);
  }
  check(config, {
                    {"db.com-shop", Owner::kCluster, "db.com-shop.svc.cluster.local", true},
                    {"x.db.shop", Owner::kCluster, "x.db.shop.svc.cluster.local", true},
                    {"x.pay.example.com.eu", Owner::kMachine},
                });
}

TEST(RulesMapping, ANameMayHaveAddressesOfBothKinds) {
  Rules rules = *Rules::create(with({address("db.test", "192.0.2.1"), address("db.test", "2001:db8::1"),
                                     address("db.test", "192.0.2.2"), address("db.test", "192.0.2.1")}));
  Decision got = rules.decide(question("db.test"));
  ASSERT_TRUE(got.mapping);
  auto answers = [&](std::uint16_t type) {
    return parse_answer(mapped_answer(*got.mapping, question("db.test", type)))->answers;
  };
  EXPECT_EQ(answers(kTypeA), 2u);
  EXPECT_EQ(answers(kTypeAaaa), 1u);
  EXPECT_EQ(answers(kTypeAny), 3u);
  EXPECT_EQ(answers(kTypeTxt), 0u);
}

TEST(RulesMapping, WhatIsNobodysOrExcludedCanBeMapped) {
  RulesConfig config = with({address("wpad", "127.0.0.1"), address("redis", "127.0.0.1")});
  config.exclude = {"redis"};
  check(config, {{"wpad", Owner::kMapped}, {"redis", Owner::kMapped}, {"redis.shop", Owner::kMachine}});
}

TEST(RulesMapping, TheReverseNameOfAMappedAddressIsItsFirstName) {
  Rules rules = *Rules::create(
      with({address("pay.test", "192.0.2.1"), address("buy.test", "192.0.2.1"), address("local.test", "127.0.0.1"),
            address("in.test", "10.96.0.9"), address("six.test", "2001:db8::1")}));
  auto reverse = [&](std::string_view name) -> std::string {
    Decision got = rules.decide(question(name, kTypePtr));
    return got.mapping && got.mapping->kind == Kind::kReverse ? got.mapping->target.text() : "";
  };
  EXPECT_EQ(reverse("1.2.0.192.in-addr.arpa"), "pay.test");
  EXPECT_EQ(reverse("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"), "six.test");
  EXPECT_EQ(reverse("2.0.192.in-addr.arpa"), "");
  EXPECT_EQ(reverse("1.0.0.127.in-addr.arpa"), "") << "that is localhost";
  EXPECT_EQ(reverse("9.0.96.10.in-addr.arpa"), "") << "the cluster knows its own addresses";
  Decision got = rules.decide(question("1.2.0.192.in-addr.arpa", kTypePtr));
  Message answer = mapped_answer(*got.mapping, question("1.2.0.192.in-addr.arpa", kTypePtr));
  EXPECT_EQ(parse_answer(answer)->answers, 1u);
  EXPECT_EQ(parse_answer(mapped_answer(*got.mapping, question("1.2.0.192.in-addr.arpa", kTypeTxt)))->answers, 0u);
}

TEST(RulesMapping, AnAliasIsACnameRecord) {
  Rules rules = *Rules::create(with({alias("db.shop", "db.infra")}));
  Decision got = rules.decide(question("DB.shop", kTypeCname));
  ASSERT_TRUE(got.mapping);
  EXPECT_EQ(got.mapping->kind, Kind::kAlias);
  Message answer = mapped_answer(*got.mapping, question("DB.shop", kTypeCname));
  AnswerView view = *parse_answer(answer);
  RecordReader records(answer, view.head.end);
  Record record;
  ASSERT_TRUE(records.next(record));
  EXPECT_EQ(record.type, kTypeCname);
  EXPECT_EQ(record.ttl, Mappings::kTtl);
  std::size_t at = record.rdata;
  EXPECT_EQ(Name::read(answer, at, Name::Compression::kAllowed)->text(), "db.infra");
}

TEST(RulesMapping, MappingsThatCannotBeMeantAreRefusedWithAReason) {
  EXPECT_EQ(complaint({alias("a.test", "b.test"), alias("b.test", "c.test"), address("c.test", "192.0.2.1")}), "");
  EXPECT_NE(complaint({alias("a.test", "a.test")}).find("leads to itself"), std::string::npos);
  EXPECT_NE(complaint({alias("a.test", "b.test"), alias("b.test", "A.test")}).find("leads to itself"),
            std::string::npos);
  EXPECT_NE(complaint({alias("x.test", "a.test"), alias("a.test", "b.test"), alias("b.test", "a.test")}), "");
  EXPECT_NE(complaint({alias("db.shop", "db.shop.svc.cluster.local")}).find("leads to itself"), std::string::npos)
      << "the same service by another form";
  EXPECT_NE(complaint({alias("a.test", "b.test"), alias("a.test", "c.test")}).find("comes twice"), std::string::npos);
  EXPECT_NE(complaint({alias("a.test", "b.test"), address("a.test", "192.0.2.1")}), "");
  EXPECT_NE(complaint({address("a.test", "192.0.2.1"), alias("a.test", "b.test")}), "");
  EXPECT_EQ(complaint({alias("a.test", "b.test"), alias("a.test", "b.test")}), "");
  EXPECT_NE(complaint({{"a.test", "", {}}}), "");
  EXPECT_NE(complaint({{"a.test", "b.test", packet::Address::v4(1, 2, 3, 4)}}), "");
  EXPECT_NE(complaint({alias("a..b", "b.test")}), "");
  EXPECT_NE(complaint({alias("a.test", "b..c")}), "");
  EXPECT_NE(complaint({alias(".", "b.test")}), "");
}

}  // namespace
}  // namespace causeway::dns
