#include "core/control/administration.h"

#include <gtest/gtest.h>

namespace causeway::control {
namespace {

TEST(Administration, QuestionsComeBackAsTheyWereAsked) {
  for (const AdministratorQuestion& question :
       {AdministratorQuestion(InterceptsQuestion{}), AdministratorQuestion(FreeQuestion{"orders", ""}),
        AdministratorQuestion(FreeQuestion{"orders", "anna"})}) {
    std::string line = encode(question);
    EXPECT_EQ(line.find('\n'), std::string::npos);
    auto back = parse_question(line);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(back->index(), question.index());
    EXPECT_EQ(encode(*back), line);
  }
}

TEST(Administration, WhatIsNoQuestionIsRefused) {
  auto complaint = [](std::string_view line) {
    auto question = parse_question(line);
    EXPECT_FALSE(question) << line;
    return question ? "" : question.error().message;
  };
  EXPECT_EQ(complaint(R"({"v":1,"request":"up"})"), "unknown request 'up': intercepts and free are known");
  EXPECT_EQ(complaint(R"({"v":1,"request":"free"})"), "field 'service' is missing");
  EXPECT_EQ(complaint(R"({"v":1,"request":"free","service":"a b"})"),
            "a service's name has letters, digits, '-', '_' and '.'");
  EXPECT_EQ(complaint(R"({"v":1,"request":"intercepts","service":"orders"})"), "unknown field 'service'");
  for (std::string_view line : {"", "intercepts", "[]", R"({"request":"intercepts"})"}) complaint(line);
}

TEST(Administration, AnswersComeBackAsTheyWereGiven) {
  Catalogue catalogue;
  catalogue.services.emplace_back().name = "orders";
  catalogue.services[0].intercepts.push_back({"anna \"answer\":", false, {}, "", "active", {}, 1, 0, "", {}, {}});
  auto back = parse_administrator_answer(encode(AdministratorAnswer(catalogue)));
  ASSERT_TRUE(back) << back.error().message;
  ASSERT_TRUE(std::holds_alternative<Catalogue>(*back));
  EXPECT_EQ(std::get<Catalogue>(*back).services.at(0).name, "orders");
  back = parse_administrator_answer(encode(AdministratorAnswer(FreeAnswer{7})));
  ASSERT_TRUE(back);
  EXPECT_EQ(std::get<FreeAnswer>(*back).count, 7u);
  back = parse_administrator_answer(encode(AdministratorAnswer(Error{ErrorCode::kRefused, "no\nway", ""})));
  ASSERT_TRUE(back);
  EXPECT_EQ(std::get<Error>(*back).message, "no?way");
  for (std::string_view line :
       {"", "{}", R"({"v":1,"answer":"maybe"})", R"({"v":1,"answer":"free"})", R"({"v":1,"answer":"free","count":-1})"})
    EXPECT_FALSE(parse_administrator_answer(line)) << line;
}

TEST(Administration, ForProgramsTheCatalogueIsIndented) {
  Catalogue catalogue;
  catalogue.services.emplace_back().name = "orders";
  EXPECT_NE(catalogue_json(catalogue).find("\n      \"name\": \"orders\""), std::string::npos)
      << catalogue_json(catalogue);
}

}  // namespace
}  // namespace causeway::control
