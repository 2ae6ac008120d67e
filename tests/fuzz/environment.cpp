// Files of variables, as people write them.
#include "core/environment/syntax.h"
#include "tests/fuzz/target.h"

namespace causeway::fuzz {
namespace {

using namespace environment;

constexpr Syntax kAll[] = {Syntax::kDocker, Syntax::kSh, Syntax::kJson};

// The first byte chooses the syntax. What can be read can be written, at least in one syntax, and is the same when read again.
bool run(Bytes input) {
  if (input.empty()) return false;
  Result<Variables> variables = read(as_text(input.subspan(1)), kAll[input[0] % 3], "orders.env");
  if (!variables) {
    CAUSEWAY_ASSERT(variables.error().message.starts_with("orders.env:"));
    return false;
  }
  CAUSEWAY_ASSERT(check(*variables));
  CAUSEWAY_ASSERT(write(*variables, Syntax::kJson));
  for (Syntax syntax : kAll) {
    Result<std::string> text = write(*variables, syntax);
    if (!text) continue;
    Result<Variables> again = read(*text, syntax, "again");
    CAUSEWAY_ASSERT(again && *again == *variables);
  }
  return true;
}

std::vector<Seed> seeds() {
  return {{blob({0}) + blob("# comment\n A=1\r\nB= two \nC=\"x=y\"\n")},
          {blob({1}) + blob("export A='it'\\''s'\nB=\"a \\\"b\\\"\" C=d\\ e # more\nF='1\n2'\\\n3\n")},
          {blob({2}) + blob("{\"A\": \"\\u0001\\n\", \"b.c-d\": \"\"}")},
          {blob({0}) + blob("A"), false},
          {blob({1}) + blob("A=$(id)"), false},
          {blob({1}) + blob("A=\"\\"), false},
          {blob({2}) + blob("{\"A\": 1}"), false}};
}

const Registration kRegistration({"environment", run, seeds});

}  // namespace
}  // namespace causeway::fuzz
