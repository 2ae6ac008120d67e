// What a gateway says about its services.
#include "core/control/catalogue.h"
#include "tests/fuzz/target.h"

namespace causeway::fuzz {
namespace {

using namespace control;

bool run(Bytes input) {
  Result<Catalogue> catalogue = parse_catalogue(as_text(input));
  if (!catalogue) {
    CAUSEWAY_ASSERT(catalogue.error().message.find('\n') == std::string::npos);
    return false;
  }
  std::string document = encode(*catalogue);
  Result<Catalogue> again = parse_catalogue(document);
  CAUSEWAY_ASSERT(again && encode(*again) == document);
  return true;
}

std::vector<Seed> seeds() {
  CatalogueService service;
  service.name = "orders";
  service.http = true;
  service.listen = {"10.96.0.10:80"};
  service.original = "orders-v1:80";
  service.intercepts = {{"anna",
                         true,
                         {{"x-user", "anna"}},
                         "/api",
                         "away",
                         {},
                         1,
                         2,
                         "gone",
                         std::chrono::seconds(1),
                         std::chrono::seconds(2)}};
  service.environment = environment::Variables{{"DB", "a\nb"}};
  return {
      {blob(encode(Catalogue{{service}}))}, {blob(encode(Catalogue{}))}, {blob("{\"v\":1,\"services\":[{}]}"), false}};
}

const Registration kRegistration({"catalogue", run, seeds});

}  // namespace
}  // namespace causeway::fuzz
