#include "dns/translation.h"

#include "dns/record.h"
#include "dns/reverse_name.h"
#include "tests/dns/resolving.h"

namespace causeway::dns {
namespace {

using namespace test;
using packet::Address;
using packet::Cidr;

constexpr const char* kFull = "orders.shop.svc.cluster.local";

Address address(const char* text) { return *Address::parse(text); }
Message raw(const char* text) {
  const Address parsed = address(text);
  return {parsed.bytes().begin(), parsed.bytes().end()};
}
Rr rr(std::uint16_t type, Message data, std::uint32_t ttl = 60) { return {wire(kFull), type, ttl, std::move(data)}; }

class VirtualNames : public ResolverTest {
 protected:
  VirtualNames() : ResolverTest(config(&map)) {
    map.set_prefixes({*Cidr::parse("10.96.0.0/16"), *Cidr::parse("fd00:96::/112")});
  }
  static ResolverConfig config(engine::AddressMap* map) {
    ResolverConfig out;
    out.addresses = map;
    return out;
  }

  // The data of each record, and its TTL.
  struct Seen {
    Message data;
    std::uint32_t ttl;
  };
  static std::vector<Seen> records_of(const Message& message) {
    std::vector<Seen> out;
    RecordReader reader(message, parse_answer(message)->head.end);
    Record record;
    while (reader.next(record)) {
      out.push_back(
          {{message.begin() + std::ptrdiff_t(record.rdata), message.begin() + std::ptrdiff_t(record.end)}, record.ttl});
    }
    EXPECT_FALSE(reader.malformed());
    return out;
  }
  std::vector<Seen> translated(std::vector<Rr> answers, std::vector<Rr> additional = {}) {
    Parts parts;
    parts.flags = kAnswer;
    parts.questions = {question(kFull)};
    parts.answers = std::move(answers);
    parts.additional = std::move(additional);
    Message message = encode(parts);
    const std::size_t size = message.size();
    AnswerView view = *parse_answer(message);
    EXPECT_TRUE(translate_answer(message, view, map, now));
    EXPECT_EQ(message.size(), size);
    return records_of(message);
  }

  engine::AddressMap map{{*Cidr::parse("198.18.0.0/28"), *Cidr::parse("fd63:1::/116")}};
};

TEST_F(VirtualNames, EveryCoveredAddressOfAnAnswerIsAVirtualOne) {
  auto seen = translated({a(kFull, 1), rr(kTypeA, raw("10.97.0.1")), rr(kTypeAaaa, raw("fd00:96::2"))}, {a(kFull, 3)});
  ASSERT_EQ(seen.size(), 4u);
  EXPECT_EQ(seen[0].data, raw("198.18.0.1"));
  EXPECT_EQ(seen[1].data, raw("10.97.0.1"));
  EXPECT_EQ(seen[2].data, raw("fd63:1::2"));
  EXPECT_EQ(seen[3].data, raw("198.18.0.3"));
  EXPECT_EQ(map.to_real(address("198.18.0.3")), address("10.96.0.3"));
}

TEST_F(VirtualNames, NothingIsRememberedForLongerThanItsVirtualAddressStands) {
  auto seen =
      translated({a(kFull, 1, 86400), a(kFull, 2, 30), rr(kTypeA, raw("10.97.0.1"), 86400), a(kFull, 3, 0x80000000)});
  EXPECT_EQ(seen[0].ttl, 3600u);
  EXPECT_EQ(seen[1].ttl, 30u);
  EXPECT_EQ(seen[2].ttl, 86400u) << "a real one";
  EXPECT_EQ(seen[3].ttl, 0u) << "it means 0 (RFC 2181, section 8)";
}

TEST_F(VirtualNames, HintsOfServiceRecordsAreAddressesToo) {
  const Message hints = bytes({0, 1, 0}) + bytes({0, 1, 0, 3, 2, 'h', '2'}) + bytes({0, 4, 0, 8}) + raw("10.96.0.5") +
                        raw("192.0.2.1") + bytes({0, 6, 0, 16}) + raw("fd00:96::5");
  auto seen = translated({rr(65, hints), rr(64, hints)});
  for (const Seen& each : seen) {
    EXPECT_EQ(each.data, bytes({0, 1, 0}) + bytes({0, 1, 0, 3, 2, 'h', '2'}) + bytes({0, 4, 0, 8}) + raw("198.18.0.5") +
                             raw("192.0.2.1") + bytes({0, 6, 0, 16}) + raw("fd63:1::5"));
  }
}

TEST_F(VirtualNames, MalformedDataStaysAsItIs) {
  const std::vector<Message> odd = {bytes({10, 96, 0}),
                                    bytes({}),
                                    bytes({0}),
                                    bytes({0, 1, 0xc0}),
                                    bytes({0, 1, 0, 0, 4, 0, 9, 10, 96, 0, 1}),
                                    bytes({0, 1, 0, 0, 4, 0, 3, 10, 96, 0})};
  for (const Message& data : odd) {
    for (std::uint16_t type : {kTypeA, kTypeAaaa, Type(64), Type(65)})
      EXPECT_EQ(translated({rr(type, data)})[0].data, data);
  }
  EXPECT_EQ(translated({{wire(kFull), kTypeA, 60, raw("10.96.0.1"), 3}})[0].data, raw("10.96.0.1")) << "class CHAOS";
  EXPECT_EQ(map.size(), 0u);
}

TEST_F(VirtualNames, AnAnswerThatWasChangedIsNotCalledAuthentic) {
  Parts parts;
  parts.flags = kAnswer | kFlagAuthentic;
  parts.questions = {question(kFull)};
  for (const char* real : {"10.97.0.1", "10.96.0.1"}) {
    parts.answers = {rr(kTypeA, raw(real))};
    Message message = encode(parts);
    AnswerView view = *parse_answer(message);
    ASSERT_TRUE(translate_answer(message, view, map, now));
    const bool changed = map.covers(address(real));
    EXPECT_EQ((flags_of(message) & kFlagAuthentic) == 0, changed);
    EXPECT_EQ(view.head.flags, flags_of(message));
  }
}

TEST_F(VirtualNames, ProgramsAreAnsweredWithVirtualAddresses) {
  ask("orders.shop");
  cluster_says(take(cluster), 0, {a(kFull, 7)});
  Outcome got = outcome();
  ASSERT_EQ(got.rcode, Rcode::kNoError);
  EXPECT_EQ(records_of(got.message)[0].data, raw("198.18.0.7"));
}

TEST_F(VirtualNames, TheMachinesAnswersAreNotTouched) {
  ask("a.b.vpn.example.org");
  machine_says(take(machine), 0, {a("a.b.vpn.example.org", 7)});
  EXPECT_EQ(records_of(outcome().message)[0].data, raw("10.96.0.7"));
}

TEST_F(VirtualNames, AFullRangeIsAFailureWithAReason) {
  for (int i = 0; i < 14; ++i) ASSERT_TRUE(map.to_virtual(Address::v4(10, 96, 9, std::uint8_t(i)), 30s, now));
  ask("orders.shop");
  cluster_says(take(cluster), 0, {a(kFull, 7)});
  Outcome got = outcome();
  EXPECT_EQ(got.rcode, Rcode::kServFail);
  ASSERT_TRUE(got.why);
  EXPECT_EQ(got.why->text, "every virtual address of this profile is in use");
}

TEST_F(VirtualNames, TheReverseNameOfAVirtualAddressIsThatOfTheRealOne) {
  ASSERT_EQ(map.to_virtual(address("10.96.0.7"), 30s, now), address("198.18.0.7"));
  ask("7.0.18.198.in-addr.arpa", kTypePtr);
  Sent sent = take(cluster);
  EXPECT_EQ(sent.asked, "7.0.96.10.in-addr.arpa");
  cluster_says(sent, 0, {{wire(sent.asked), kTypePtr, 60, wire(kFull)}});
  Outcome got = outcome();
  EXPECT_EQ(got.view.head.question->name.text(), "7.0.18.198.in-addr.arpa");
  std::size_t at = got.view.head.end;
  EXPECT_EQ(Name::read(got.message, at, Name::Compression::kAllowed)->text(), "7.0.18.198.in-addr.arpa");
  EXPECT_EQ(records_of(got.message)[0].data, wire(kFull));

  ASSERT_EQ(map.to_virtual(address("fd00:96::a7"), 30s, now), address("fd63:1::a7"));
  ask(reverse_name(address("fd63:1::a7")).text(), kTypePtr);
  sent = take(cluster);
  EXPECT_EQ(sent.asked, "7.a.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.9.0.0.0.0.d.f.ip6.arpa");
  cluster_says(sent, 3);
  EXPECT_EQ(outcome().rcode, Rcode::kNxDomain) << "the last word: nobody else knows it";
  expect_quiet();
}

TEST_F(VirtualNames, AVirtualAddressThatWasNotHandedOutHasNoName) {
  ask("7.0.18.198.in-addr.arpa", kTypePtr);
  Outcome got = outcome();
  EXPECT_EQ(got.rcode, Rcode::kNxDomain);
  ASSERT_TRUE(got.why);
  expect_quiet();
}

TEST_F(VirtualNames, TheReverseNameOfARealAddressThatIsVirtualHereIsTheMachines) {
  ask("7.0.96.10.in-addr.arpa", kTypePtr);
  EXPECT_EQ(take(machine).asked, "7.0.96.10.in-addr.arpa");
  ask("7.0.97.10.in-addr.arpa", kTypePtr);
  EXPECT_EQ(take(cluster).asked, "7.0.97.10.in-addr.arpa") << "this one is not";
}

}  // namespace
}  // namespace causeway::dns
