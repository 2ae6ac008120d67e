// What is read and what is refused, by its line. That what is written is understood elsewhere is shown by consumers_test.cpp.
#include "core/environment/syntax.h"

#include <gtest/gtest.h>

namespace causeway::environment {
namespace {

Variables values(std::string_view text, Syntax syntax) {
  auto variables = read(text, syntax, "f");
  EXPECT_TRUE(variables) << variables.error().message;
  return variables ? *variables : Variables{};
}

std::string complaint(std::string_view text, Syntax syntax) {
  auto variables = read(text, syntax, "f");
  EXPECT_FALSE(variables) << text;
  return variables ? "" : variables.error().message;
}

TEST(EnvironmentSyntax, IsChosenByNameOrExtension) {
  for (Syntax syntax : {Syntax::kDocker, Syntax::kSh, Syntax::kJson})
    EXPECT_EQ(syntax_named(syntax_name(syntax)), syntax);
  EXPECT_FALSE(syntax_named("yaml"));
  EXPECT_EQ(syntax_of_file("/x/orders.json"), Syntax::kJson);
  EXPECT_EQ(syntax_of_file("orders.sh"), Syntax::kSh);
  EXPECT_EQ(syntax_of_file("orders.env"), Syntax::kDocker);
  EXPECT_EQ(syntax_of_file(".env"), Syntax::kDocker);
  EXPECT_EQ(syntax_of_file("json"), Syntax::kDocker);
}

TEST(EnvironmentSyntax, EveryOneReadsWhatItHasWritten) {
  const Variables all{{"A", ""}, {"B", " a \"b\" 'c' \\ $D `e` #f; ~ \t\xc3\xa4"}, {"C", "~/x:~y"}, {"D", "a=b"}};
  for (Syntax syntax : {Syntax::kDocker, Syntax::kSh, Syntax::kJson}) {
    auto text = write(all, syntax);
    ASSERT_TRUE(text) << text.error().message;
    EXPECT_EQ(values(*text, syntax), all) << *text;
    EXPECT_EQ(values(*write({}, syntax), syntax), Variables{});
  }
  const Variables lines{{"CERT", "-----BEGIN\nx\r\n\n"}, {"CR", "x\r"}};
  for (Syntax syntax : {Syntax::kSh, Syntax::kJson}) EXPECT_EQ(values(*write(lines, syntax), syntax), lines);
}

TEST(EnvironmentSyntax, WhatOneCannotHoldIsRefusedWithTheOnesThatCan) {
  auto refused = [](const Variable& variable, Syntax syntax) {
    auto text = write({{"FINE", "1"}, variable}, syntax);
    EXPECT_FALSE(text);
    return text ? "" : text.error().message + " | " + text.error().advice;
  };
  EXPECT_EQ(refused({"CERT", "a\nb"}, Syntax::kDocker),
            "the variable CERT cannot be written in docker syntax: it has a line feed, which ends a value there | "
            "write it in sh or json syntax");
  EXPECT_EQ(refused({"a.cert", "a\nb"}, Syntax::kDocker),
            "the variable a.cert cannot be written in docker syntax: it has a line feed, which ends a value there | "
            "write it in json syntax");
  EXPECT_EQ(refused({"X", "a\r"}, Syntax::kDocker),
            "the variable X cannot be written in docker syntax: it ends in a carriage return, which is dropped there | "
            "write it in sh or json syntax");
  EXPECT_NE(refused({"X", std::string(65534, 'x')}, Syntax::kDocker).find("longer than the 65,535 bytes"),
            std::string::npos);
  EXPECT_TRUE(write({{"X", std::string(65533, 'x')}}, Syntax::kDocker));
  EXPECT_EQ(
      refused({"spring.url", "x"}, Syntax::kSh),
      "the variable spring.url cannot be written in sh syntax: a shell's names have letters, digits and '_' only | "
      "write it in docker or json syntax");
  EXPECT_NE(refused({"UID", "1"}, Syntax::kSh).find("shells keep this name for themselves"), std::string::npos);
  for (Syntax syntax : {Syntax::kDocker, Syntax::kSh, Syntax::kJson}) {
    EXPECT_FALSE(write({{"A", std::string("\0", 1)}}, syntax));
    EXPECT_FALSE(write({{"A", "\xff"}}, syntax));
    EXPECT_FALSE(write({{"A=B", "x"}}, syntax));
    EXPECT_FALSE(write({{"A", "x"}, {"A", "y"}}, syntax));
  }
}

TEST(EnvironmentSyntax, DockersFilesAreReadAsDockerReadsThem) {
  EXPECT_EQ(values("\xef\xbb\xbf# comment\n\n  A=1\r\nB= two \t\nC=\"quoted\"\nD=a=b#c\nE=", Syntax::kDocker),
            (Variables{{"A", "1"}, {"B", " two \t"}, {"C", "\"quoted\""}, {"D", "a=b#c"}, {"E", ""}}));
  EXPECT_EQ(complaint("A=1\nHOME\n", Syntax::kDocker), "f:2: there is no '=' behind the name");
  EXPECT_EQ(complaint("A B=1", Syntax::kDocker), "f:1: what is before '=' is no name of a variable");
  EXPECT_EQ(complaint("=1", Syntax::kDocker), "f:1: what is before '=' is no name of a variable");
  EXPECT_EQ(complaint("\n\nA=\xff", Syntax::kDocker), "f:3: the value is not UTF-8");
  EXPECT_EQ(complaint("A=" + std::string(65534, 'x'), Syntax::kDocker), "f:1: the line is longer than 65,535 bytes");
  EXPECT_EQ(complaint("A=1\nA=2\n", Syntax::kDocker), "f: the variable A comes twice");
  auto exported = read("export A=1", Syntax::kDocker, "f");
  ASSERT_FALSE(exported);
  EXPECT_EQ(exported.error().advice, "docker's syntax has no `export`; name the file *.sh to have it read as sh");
}

TEST(EnvironmentSyntax, ShellsFilesAreReadForTheirAssignments) {
  EXPECT_EQ(values("# comment\nexport A='it'\\''s'\nB=\"a \\\"b\\\" \\$c \\x\" C=d\\ e # "
                   "more\n\texport\tD=x#y;E=\nF='1\n2'\\\n3\n",
                   Syntax::kSh),
            (Variables{{"A", "it's"}, {"B", "a \"b\" $c \\x"}, {"C", "d e"}, {"D", "x#y"}, {"E", ""}, {"F", "1\n23"}}));
  EXPECT_EQ(values("A=\"1\\\n2\"", Syntax::kSh), (Variables{{"A", "12"}}));
  EXPECT_EQ(values("A=a~b B='~' C=\"x:~\"", Syntax::kSh), (Variables{{"A", "a~b"}, {"B", "~"}, {"C", "x:~"}}));
}

TEST(EnvironmentSyntax, WhatAShellWouldExpandOrRunIsRefusedByItsLine) {
  EXPECT_EQ(complaint("A=1\nB=$HOME\n", Syntax::kSh), "f:2: '$' is expanded by a shell, and not here");
  EXPECT_EQ(complaint("B=\"\n`id`\"", Syntax::kSh), "f:2: '`' is expanded by a shell, and not here");
  EXPECT_EQ(complaint("A=~/x", Syntax::kSh), "f:1: a '~' at the start is expanded by a shell, and not here");
  EXPECT_EQ(complaint("A=/x:~/y", Syntax::kSh), "f:1: a '~' at the start is expanded by a shell, and not here");
  EXPECT_EQ(complaint("A=1 rm -rf x\n", Syntax::kSh), "f:1: this is not NAME=VALUE");
  EXPECT_EQ(complaint("rm x; A=1\n", Syntax::kSh), "f:1: this is not NAME=VALUE");
  EXPECT_EQ(complaint("A=1&", Syntax::kSh), "f:1: unquoted '&' is no part of a value");
  EXPECT_EQ(complaint("A=(1 2)", Syntax::kSh), "f:1: unquoted '(' is no part of a value");
  EXPECT_EQ(complaint("\nA='x\ny\n", Syntax::kSh), "f:2: the single quote of this line is not closed");
  EXPECT_EQ(complaint("A=\"x\n", Syntax::kSh), "f:1: the double quote of this line is not closed");
  EXPECT_EQ(complaint("A=x\\", Syntax::kSh), "f:1: there is nothing behind the last '\\'");
  EXPECT_EQ(complaint("a-b=x", Syntax::kSh), "f:1: this is not NAME=VALUE");
  EXPECT_EQ(complaint("export A", Syntax::kSh), "f:1: this is not NAME=VALUE");
}

TEST(EnvironmentSyntax, JsonIsAnObjectOfStrings) {
  EXPECT_EQ(values("{\"B\": \"\\n\\u00e4\", \"A\": \"\"}", Syntax::kJson), (Variables{{"B", "\n\xc3\xa4"}, {"A", ""}}));
  EXPECT_EQ(complaint("{\"A\": 1}", Syntax::kJson), "f: the value of 'A' is no string");
  EXPECT_EQ(complaint("{\"A\": {\"B\": \"\"}}", Syntax::kJson), "f: not acceptable: nested too deeply");
  EXPECT_EQ(complaint("{\"A\": \"1\", \"A\": \"2\"}", Syntax::kJson), "f: not acceptable: a field comes twice");
  EXPECT_EQ(complaint("{\n \"A\": \"1\",\n}", Syntax::kJson), "f: not JSON, from line 3, column 1 on");
  EXPECT_EQ(complaint("[]", Syntax::kJson), "f: no JSON object");
  EXPECT_EQ(complaint("{\"A\": \"\\u0000\"}", Syntax::kJson), "f: the variable A is not text (UTF-8 without NUL)");
}

}  // namespace
}  // namespace causeway::environment
