#include "core/control/administration.h"

#include "core/control/json.h"
#include "core/flow/service_name.h"

namespace causeway::control {
namespace {

constexpr std::size_t kMaxOwner = 64;  // see core/config/authorised_keys.h

struct QuestionEncoder {
  Json operator()(const InterceptsQuestion&) const { return {{"v", kVersion}, {"request", "intercepts"}}; }
  Json operator()(const FreeQuestion& free) const {
    Json object{{"v", kVersion}, {"request", "free"}, {"service", free.service}};
    if (!free.owner.empty()) object["owner"] = free.owner;
    return object;
  }
};

struct AnswerEncoder {
  std::string operator()(const Catalogue& catalogue) const { return encode(catalogue); }
  std::string operator()(const FreeAnswer& free) const {
    return json::one_line({{"v", kVersion}, {"answer", "free"}, {"count", free.count}});
  }
  std::string operator()(const Error& error) const {
    return json::one_line({{"v", kVersion}, {"answer", "error"}, {"message", presentable(error.message, kMaxText)}});
  }
};

}  // namespace

Result<AdministratorQuestion> parse_question(std::string_view line) {
  auto object = parse_object(line);
  if (!object) return tl::make_unexpected(object.error());
  Reader reader(*object);
  std::string kind = reader.text("request", 64);
  AdministratorQuestion question = InterceptsQuestion{};
  if (kind == "free") {
    FreeQuestion free{reader.text("service", flow::kMaxServiceName), reader.text("owner", kMaxOwner, false)};
    if (!flow::is_service_name(free.service)) reader.wrong("a service's name has letters, digits, '-', '_' and '.'");
    question = std::move(free);
  } else if (kind != "intercepts") {
    reader.wrong("unknown request '" + kind + "': intercepts and free are known");
  }
  if (auto fine = reader.finish(); !fine) return tl::make_unexpected(fine.error());
  return question;
}

std::string encode(const AdministratorQuestion& question) {
  return json::one_line(std::visit(QuestionEncoder{}, question));
}

Result<AdministratorAnswer> parse_administrator_answer(std::string_view line) {
  // The catalogue, which alone is long, says no "answer".
  if (line.size() > kMaxLine || line.find("\"answer\":") == std::string_view::npos) {
    auto catalogue = parse_catalogue(line);
    if (!catalogue) return tl::make_unexpected(catalogue.error());
    return AdministratorAnswer(std::move(*catalogue));
  }
  auto object = parse_object(line);
  if (!object) return fail(ErrorCode::kProtocol, "the gateway's answer is not understood: " + object.error().message);
  Reader reader(*object);
  std::string kind = reader.text("answer", 64);
  AdministratorAnswer answer;
  if (kind == "free") {
    answer = FreeAnswer{reader.number("count")};
  } else if (kind == "error") {
    answer = Error{ErrorCode::kRefused, reader.text("message", kMaxText), ""};
  } else {
    reader.wrong("unknown answer");
  }
  auto fine = reader.finish();
  if (!fine) return fail(ErrorCode::kProtocol, "the gateway's answer is not understood: " + fine.error().message);
  return answer;
}

std::string encode(const AdministratorAnswer& answer) { return std::visit(AnswerEncoder{}, answer); }

std::string catalogue_json(const Catalogue& catalogue) {
  auto document = json::parse_ordered_object(encode(catalogue), {kMaxCatalogue, 10, 1 << 18});
  return json::indented(document.value_or(json::Ordered::object()));
}

}  // namespace causeway::control
