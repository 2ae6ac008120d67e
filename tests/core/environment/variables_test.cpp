#include "core/environment/variables.h"

#include <gtest/gtest.h>

namespace causeway::environment {
namespace {

std::string complaint(const Variables& variables) {
  auto good = check(variables);
  return good ? "" : good.error().message;
}

TEST(Variables, NamesHaveLettersDigitsAndALittleMore) {
  for (const char* name : {"A", "_", "DB_HOST", "spring.datasource.url", "a-b", "Z9"})
    EXPECT_TRUE(is_name(name)) << name;
  for (const char* name : {"", "9A", "-a", ".a", "A B", "A=B", "A\n", "\xc3\xa4", "BASH_FUNC_x%%"})
    EXPECT_FALSE(is_name(name)) << name;
  EXPECT_TRUE(is_name(std::string(kMaxName, 'a')));
  EXPECT_FALSE(is_name(std::string(kMaxName + 1, 'a')));
}

TEST(Variables, ValuesAreAnyTextThatAProcessCanBeGiven) {
  for (const char* value : {"", " ", "a\nb\tc\r", "\"'\\$`", "\x1b[0m", "\xf0\x9f\x98\x80"})
    EXPECT_TRUE(is_value(value));
  EXPECT_FALSE(is_value(std::string_view("a\0b", 3)));
  EXPECT_FALSE(is_value("\xff"));
  EXPECT_FALSE(is_value("\xed\xa0\x80"));
  EXPECT_TRUE(is_value(std::string(kMaxValue, 'a')));
  EXPECT_FALSE(is_value(std::string(kMaxValue + 1, 'a')));
}

TEST(Variables, TheFirstThatIsWrongIsNamed) {
  EXPECT_EQ(complaint({}), "");
  EXPECT_EQ(complaint({{"A", "1"}, {"B", ""}}), "");
  EXPECT_EQ(complaint({{"A", "1"}, {"9", ""}}), "'9' is no name of a variable");
  EXPECT_EQ(complaint({{"A", "\xff"}}), "the variable A is not text (UTF-8 without NUL)");
  EXPECT_EQ(complaint({{"A", "1"}, {"A", "2"}}), "the variable A comes twice");
  EXPECT_EQ(complaint({{"A", std::string(kMaxValue + 1, 'x')}}), "the variable A is longer than 122880 bytes");
}

TEST(Variables, AllTogetherAreBounded) {
  Variables many;
  for (std::size_t i = 0; i <= kMaxVariables; ++i) many.emplace_back("A" + std::to_string(i), "");
  EXPECT_EQ(complaint(many), "more than 1024 variables");
  many.pop_back();
  EXPECT_EQ(complaint(many), "");
  std::string value(kMaxValue, 'x');
  EXPECT_EQ(complaint({{"A", value}, {"B", value}}), "");
  EXPECT_EQ(complaint({{"A", value}, {"B", value}, {"C", value}}),
            "the variables are longer than 262144 bytes together");
}

TEST(Variables, WhatIsLaidOverWinsInItsPlace) {
  EXPECT_EQ(merged({{"A", "1"}, {"B", "2"}}, {{"C", "3"}, {"A", "4"}}),
            (Variables{{"A", "4"}, {"B", "2"}, {"C", "3"}}));
}

}  // namespace
}  // namespace causeway::environment
