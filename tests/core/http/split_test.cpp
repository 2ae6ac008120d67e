// However the bytes are split, the same comes out: made-up pipelines, and the same with a few bytes changed.
#include "tests/core/http/transcript.h"

namespace causeway::http {
namespace {

class Writer {
 public:
  explicit Writer(SeededRandom& random) : random_(random) {}

  std::string request() {
    const char* method = pick({"GET", "POST", "HEAD", "PUT", "BREW"});
    const std::string out = std::string(method) + " /" + word(30) + " HTTP/1.1\r\nHost: a\r\n";
    return out + fields() + message();
  }

  std::string response() {
    const std::uint64_t kind = random_.below(8);
    if (kind == 0) return "HTTP/1.1 100 Continue\r\n\r\n";
    if (kind == 1) return "HTTP/1.1 204 No Content\r\n" + fields() + "\r\n";
    if (kind == 2) return "HTTP/1.1 304\r\n" + fields() + "\r\n";
    return "HTTP/1.1 200 " + word(10) + "\r\n" + fields() + message();
  }

 private:
  const char* pick(std::initializer_list<const char*> words) { return words.begin()[random_.below(words.size())]; }
  std::string word(std::uint64_t longest) {
    std::string out(random_.below(longest + 1), 'x');
    for (char& c : out) c = char('a' + random_.below(26));
    return out;
  }
  std::string fields() {
    std::string out;
    for (std::uint64_t n = random_.below(5); n > 0; --n)
      out += "X-" + word(8) + ":" + (random_.below(2) ? " " : "") + word(40) + "\r\n";
    if (random_.below(8) == 0) out += "X-Long: " + std::string(random_.below(6000), 'l') + "\r\n";
    return out;
  }
  // The end of the head, and a body.
  std::string message() {
    if (random_.below(2)) {
      const std::string body = word(random_.below(4) == 0 ? 9000 : 50);
      return "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    }
    std::string out = "Transfer-Encoding: chunked\r\n\r\n";
    for (std::uint64_t n = random_.below(6); n > 0; --n) {
      const std::string chunk = 'y' + word(random_.below(4) == 0 ? 5000 : 20);
      char size[16];
      snprintf(size, sizeof size, random_.below(2) ? "%zx" : "%04zX", chunk.size());
      out += size;
      if (random_.below(4) == 0) out += ";" + ('n' + word(5)) + "=\"" + word(8) + "\"";
      out += "\r\n" + chunk + "\r\n";
    }
    out += "0\r\n";
    for (std::uint64_t n = random_.below(3); n > 0; --n) out += "T-" + word(5) + ": " + word(9) + "\r\n";
    return out + "\r\n";
  }

  SeededRandom& random_;
};

std::string in_pieces(Parser::Kind kind, std::string_view bytes, SeededRandom& random) {
  Transcript out(kind);
  const std::uint64_t longest = 1 + random.below(random.below(3) == 0 ? 4000 : 40);
  while (!bytes.empty()) {
    const std::size_t n = std::min<std::size_t>(bytes.size(), 1 + random.below(longest));
    out.feed(bytes.substr(0, n));
    bytes.remove_prefix(n);
  }
  out.finish();
  return out.text();
}

class Split : public testing::TestWithParam<Parser::Kind> {};

TEST_P(Split, APipelineIsTheSameInAnyPieces) {
  std::size_t messages = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    SeededRandom random(seed);
    Writer writer(random);
    std::string bytes, wire;
    for (std::uint64_t n = 1 + random.below(6); n > 0; --n, ++messages) {
      const std::string message = GetParam() == Parser::Kind::kRequests ? writer.request() : writer.response();
      bytes += (GetParam() == Parser::Kind::kRequests && random.below(8) == 0 ? "\r\n" : "") + message;
      wire += message;
    }
    Transcript whole(GetParam());
    whole.feed(bytes);
    whole.finish();
    ASSERT_EQ(whole.wire(), wire) << "heads and pieces are the bytes that came";
    ASSERT_FALSE(whole.bad()) << "seed " << seed << ": " << whole.complaint().text << '\n' << bytes;
    for (int i = 0; i < 3; ++i) ASSERT_EQ(in_pieces(GetParam(), bytes, random), whole.text()) << "seed " << seed;
  }
  EXPECT_GT(messages, 400u);
}

TEST_P(Split, SoIsOneThatIsBroken) {
  std::size_t bad = 0;
  for (std::uint64_t seed = 1; seed <= 1500; ++seed) {
    SeededRandom random(seed);
    Writer writer(random);
    std::string bytes;
    for (std::uint64_t n = 1 + random.below(3); n > 0; --n)
      bytes += GetParam() == Parser::Kind::kRequests ? writer.request() : writer.response();
    for (std::uint64_t n = 1 + random.below(3); n > 0; --n) {
      const std::size_t at = random.below(bytes.size());
      constexpr std::string_view kOdd("\r\n \t:;0f\"\0,\x7f", 12);
      switch (random.below(3)) {
        case 0: bytes[at] = kOdd[random.below(kOdd.size())]; break;
        case 1: bytes.insert(at, 1, kOdd[random.below(kOdd.size())]); break;
        case 2: bytes.erase(at, 1); break;
      }
    }
    Transcript whole(GetParam());
    whole.feed(bytes);
    whole.finish();
    bad += whole.bad();
    for (int i = 0; i < 3; ++i)
      ASSERT_EQ(in_pieces(GetParam(), bytes, random), whole.text()) << "seed " << seed << '\n' << bytes;
  }
  EXPECT_GT(bad, 200u);
}

INSTANTIATE_TEST_SUITE_P(Kinds, Split, testing::Values(Parser::Kind::kRequests, Parser::Kind::kResponses),
                         [](const auto& each) {
                           return each.param == Parser::Kind::kRequests ? "Requests" : "Responses";
                         });

}  // namespace
}  // namespace causeway::http
