// The payloads of the two handshake messages.
#include "core/link/hello.h"

#include "tests/fuzz/target.h"

namespace causeway::fuzz {
namespace {

using namespace link;

bool run(Bytes payload) {
  if (Result<Hello> hello = parse_hello(payload)) {
    Blob again = encode(*hello);
    Result<Hello> second = parse_hello(again);
    CAUSEWAY_ASSERT(second && encode(*second) == again && second->join == hello->join &&
                    second->limits == hello->limits);
  }
  Result<std::variant<Welcome, Refusal>> answer = parse_answer(payload);
  if (!answer) return false;
  if (const auto* refusal = std::get_if<Refusal>(&*answer)) {
    CAUSEWAY_ASSERT(refusal->text.size() <= 255);
    for (char c : refusal->text) CAUSEWAY_ASSERT(std::uint8_t(c) >= ' ' && c != 0x7f);
    CAUSEWAY_ASSERT(std::holds_alternative<Refusal>(*parse_answer(encode(*refusal))));
  } else {
    const auto& welcome = std::get<Welcome>(*answer);
    CAUSEWAY_ASSERT(std::get<Welcome>(*parse_answer(encode(welcome))).limits == welcome.limits);
  }
  return true;
}

std::vector<Seed> seeds() {
  Hello hello;
  hello.number = 1234567890123456789;
  hello.join.emplace().fill(7);
  hello.limits = {1 << 26, 1 << 18, 1000};
  return {{encode(hello)},
          {encode(Welcome{1, 99, {1 << 26, 1 << 18, 1000}, true})},
          {encode(Refusal{RefusalCode::kReplay, "seen before\x1b[31m"})},
          {blob({0x80, 0, 1, 0, 2, 0, 0})},     // an unknown parameter is skipped
          {blob({4, 31}) + Blob(31, 1), true},  // a token that is none, which only a hello minds
          {blob({1, 0x7f, 0xff, 1}), false}};
}

const Registration kRegistration({"hello", run, seeds});

}  // namespace
}  // namespace causeway::fuzz
