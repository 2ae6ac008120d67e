#include "core/http/parser.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/http/framing.h"
#include "core/http/grammar.h"
#include "core/http/text.h"

namespace causeway::http {
namespace {

// Empty lines before a request, which some clients send after a body (RFC 9112, section 2.2).
constexpr std::size_t kMaxBlankLines = 4;

std::string_view text_of(const Slice& slice) { return as_text(slice.bytes()); }

}  // namespace

class Parser::Impl {
 public:
  Impl(Kind kind, BufferPool& pool) : kind_(kind), pool_(pool), grammar_(kind == Kind::kRequests) {}

  Event next(Slice& input) {
    // What the last event lent ends here.
    unit_ = {};
    piece_ = {};
    if (state_ == State::kEnd) return end();
    switch (state_) {
      case State::kHead: return next_head(input);
      case State::kLength: return next_of_length(input);
      case State::kChunked: return next_chunked(input);
      case State::kUntilClose:
        if (input.size == 0) return Event::kMore;
        piece_ = std::exchange(input, {});
        return Event::kBody;
      case State::kTunnel: return Event::kMore;
      default: return Event::kBad;
    }
  }

  Event finish() {
    switch (state_) {
      case State::kHead: return gathered_ > 0 ? complain("the connection ended within a head") : Event::kMore;
      case State::kEnd:
      case State::kUntilClose: return end();
      case State::kTunnel: return Event::kMore;
      case State::kBad: return Event::kBad;
      default: return complain("the connection ended within a body");
    }
  }

  bool idle() const { return state_ == State::kHead && gathered_ == 0; }

  ResponseTo expected_ = ResponseTo::kOther;
  Head head_;
  Slice piece_;
  Complaint complaint_;

 private:
  enum class State : std::uint8_t { kHead, kLength, kChunked, kUntilClose, kEnd, kTunnel, kBad };

  // What is made of whole lines and judged as one: a head, a chunk's line with the CRLF before it, the last one with trailers.
  enum class Unit : std::uint8_t { kMore, kComplete, kBad };
  enum class Line : std::uint8_t { kFirst, kFields, kChunkEnd, kChunkSize };

  Event complain(const Complaint& complaint) {
    state_ = State::kBad;
    complaint_ = complaint;
    if (kind_ == Kind::kResponses) complaint_.status = 502;
    return Event::kBad;
  }
  Event complain(const char* text) { return complain(Complaint{400, text}); }

  Event end() {
    state_ = State::kHead;
    line_ = Line::kFirst;
    return Event::kEnd;
  }

  // --- lines ---

  // Goes on over `all`, a unit's bytes so far, to the end of the unit or of what is there.
  Unit scan(std::string_view all, std::size_t& size) {
    while (scanned_ < all.size()) {
      if (line_ == Line::kChunkEnd && !std::string_view("\r\n").starts_with(all.substr(0, 2)))
        return bad("a chunk is longer than its size");
      const void* found = std::memchr(all.data() + scanned_, '\n', all.size() - scanned_);
      if (!found) {
        scanned_ = all.size();
        break;
      }
      const std::size_t end = std::size_t(static_cast<const char*>(found) - all.data());
      scanned_ = end + 1;
      if (line_ == Line::kChunkSize && end - line_begin_ > kMaxChunkLine + 1) return bad(kLongChunkLine);
      if (end == line_begin_ || all[end - 1] != '\r') return bad("a line that ends without CR");
      const std::string_view line = all.substr(line_begin_, end - 1 - line_begin_);
      line_begin_ = scanned_;
      if (line.find('\r') != std::string_view::npos) return bad("CR within a line");
      const Unit unit = judge_line(line);
      if (unit == Unit::kMore) continue;
      size = scanned_;
      line_begin_ = scanned_ = 0;
      return unit;
    }
    switch (line_) {
      case Line::kFirst:
        if (all.size() >= kMaxHead) return bad("the first line is too large", 414);
        break;
      case Line::kFields:
        if (all.size() >= kMaxHead) return bad("the headers or trailers are too large", 431);
        break;
      case Line::kChunkEnd: break;
      case Line::kChunkSize:
        if (all.size() - line_begin_ > kMaxChunkLine + 1) return bad(kLongChunkLine);
        break;
    }
    return Unit::kMore;
  }

  Unit judge_line(std::string_view line) {
    switch (line_) {
      case Line::kFirst:
        if (line.empty()) {
          // Cut off as a unit of its own.
          if (kind_ == Kind::kResponses || ++blank_lines_ > kMaxBlankLines) return bad("an empty line before the head");
          return Unit::kComplete;
        }
        // Anything else, as of HTTP/0.9, would wait for an end that does not come.
        if (line.find("HTTP/") == std::string_view::npos) return bad("not a line of HTTP/1.x");
        line_ = Line::kFields;
        return Unit::kMore;
      case Line::kFields:
        if (line.empty()) return Unit::kComplete;
        return is_white(line.front()) ? bad("a folded line") : Unit::kMore;
      case Line::kChunkEnd: line_ = Line::kChunkSize; return Unit::kMore;
      case Line::kChunkSize:
        if (!is_last_chunk(line)) return Unit::kComplete;
        line_ = Line::kFields;  // its trailers belong to it
        return Unit::kMore;
    }
    return Unit::kBad;
  }

  static bool is_last_chunk(std::string_view line) {
    const std::size_t end = line.find_first_not_of('0');
    return end == std::string_view::npos ? !line.empty() : end > 0 && line[end] == ';';
  }

  Unit bad(const char* text, unsigned status = 400) {
    complain({status, text});
    return Unit::kBad;
  }

  // Takes the bytes of the unit off `input`, into unit_ once it is complete. Where it lies in one input it stays there; otherwise it
  // is gathered in a block of its own.
  Unit take_unit(Slice& input) {
    std::size_t size = 0;
    if (gathered_ == 0) {
      const Unit unit = scan(text_of(input).substr(0, kMaxHead), size);
      if (unit == Unit::kComplete) {
        unit_ = {input.owner, input.data, size};
        input.remove_prefix(size);
      } else if (unit == Unit::kMore) {
        gather(input, input.size);
      }
      return unit;
    }
    while (input.size > 0) {
      const void* line_end = std::memchr(input.data, '\n', input.size);
      gather(input, line_end ? std::size_t(static_cast<const std::uint8_t*>(line_end) - input.data) + 1 : input.size);
      const Unit unit = scan({reinterpret_cast<const char*>(block_.data()), gathered_}, size);
      if (unit == Unit::kMore) continue;
      unit_ = {std::move(block_), nullptr, gathered_};
      unit_.data = unit_.owner.data();
      gathered_ = 0;
      return unit;
    }
    return Unit::kMore;
  }

  void gather(Slice& input, std::size_t n) {
    n = std::min(n, kMaxHead - gathered_);  // what is incomplete then is complained of
    if (!block_ || block_.capacity() < gathered_ + n) {
      Buffer larger = pool_.take(std::max<std::size_t>(gathered_ + n, kFirstBlock));
      if (gathered_ > 0) std::memcpy(larger.data(), block_.data(), gathered_);
      block_ = std::move(larger);
    }
    std::memcpy(block_.data() + gathered_, input.data, n);
    gathered_ += n;
    input.remove_prefix(n);
  }

  // --- heads ---

  Event next_head(Slice& input) {
    while (input.size > 0) {
      switch (take_unit(input)) {
        case Unit::kMore: return Event::kMore;
        case Unit::kBad: return Event::kBad;
        case Unit::kComplete: break;
      }
      if (line_ == Line::kFields) return parse_head();
      // It was an empty line.
    }
    return Event::kMore;
  }

  Event parse_head() {
    blank_lines_ = 0;
    Head fresh;
    fresh.fields = std::move(head_.fields);
    fresh.fields.clear();
    head_ = std::move(fresh);
    head_.bytes = text_of(unit_);
    if (!grammar_.head(head_.bytes, head_)) return complain(grammar_.complaint());
    for (Field& field : head_.fields) {
      const char* end = static_cast<const char*>(
          std::memchr(field.name.data(), '\n', std::size_t(head_.bytes.end() - field.name.data())));
      field.line = {field.name.data(), std::size_t(end + 1 - field.name.data())};
    }
    const bool good =
        kind_ == Kind::kRequests ? frame_request(head_, complaint_) : frame_response(head_, expected_, complaint_);
    if (!good) return complain(complaint_);
    switch (head_.framing) {
      case Framing::kNone: state_ = State::kEnd; break;
      case Framing::kLength: state_ = State::kLength; break;
      case Framing::kChunked: state_ = State::kChunked; break;
      case Framing::kUntilClose: state_ = State::kUntilClose; break;
      case Framing::kTunnel: state_ = State::kTunnel; break;
    }
    left_ = head_.framing == Framing::kLength ? head_.length : 0;
    line_ = Line::kChunkSize;
    after_chunk_ = false;
    return Event::kHead;
  }

  // --- bodies ---

  Event next_of_length(Slice& input) {
    if (input.size == 0) return Event::kMore;
    const std::size_t n = std::size_t(std::min<std::uint64_t>(left_, input.size));
    piece_ = {input.owner, input.data, n};
    input.remove_prefix(n);
    left_ -= n;
    if (left_ == 0) state_ = State::kEnd;
    return Event::kBody;
  }

  // One piece for all that is good of this input, however many chunks it is.
  Event next_chunked(Slice& input) {
    const std::uint8_t* begin = input.data;
    Buffer owner = input.owner;
    while (input.size > 0 && state_ == State::kChunked) {
      if (left_ > 0) {
        const std::size_t n = std::size_t(std::min<std::uint64_t>(left_, input.size));
        grammar_.chunk_bytes(text_of(input).substr(0, n));
        input.remove_prefix(n);
        left_ -= n;
        if (left_ == 0) line_ = Line::kChunkEnd;
        continue;
      }
      const bool was_split = gathered_ > 0;
      const std::uint8_t* unit_begin = input.data;
      const Unit unit = take_unit(input);
      if (unit == Unit::kBad) return Event::kBad;
      if (unit == Unit::kMore) {
        // The CRLF after a chunk is passed on before the next chunk's line is there, as a reader may wait for it.
        const bool chunk_end = after_chunk_ && line_ != Line::kChunkEnd && emitted_ == 0;
        if (chunk_end) emitted_ = 2;
        if (!was_split) return emit(std::move(owner), begin, unit_begin + emitted_);
        return chunk_end ? emit(block_, block_.data(), block_.data() + 2) : Event::kMore;
      }
      after_chunk_ = true;
      if (!grammar_.chunk_line(text_of(unit_), left_)) return complain(grammar_.complaint());
      if (line_ == Line::kFields) state_ = State::kEnd;
      line_ = Line::kChunkSize;
      if (!was_split) continue;
      unit_.remove_prefix(std::exchange(emitted_, 0));
      piece_ = std::move(unit_);
      return Event::kBody;
    }
    return emit(std::move(owner), begin, input.data);
  }

  Event emit(Buffer owner, const std::uint8_t* begin, const std::uint8_t* end) {
    if (begin == end) return Event::kMore;
    piece_ = {std::move(owner), begin, std::size_t(end - begin)};
    return Event::kBody;
  }

  static constexpr std::size_t kFirstBlock = 2048;
  static constexpr const char* kLongChunkLine = "a chunk's line is too large";

  const Kind kind_;
  BufferPool& pool_;
  Grammar grammar_;
  State state_ = State::kHead;
  Line line_ = Line::kFirst;
  std::size_t line_begin_ = 0, scanned_ = 0;  // within the unit
  std::size_t blank_lines_ = 0;
  Buffer block_;              // of a unit that is split across inputs
  std::size_t gathered_ = 0;  // bytes in it
  std::size_t emitted_ = 0;   // of them that were given out
  bool after_chunk_ = false;  // the unit begins with the CRLF of a chunk
  Slice unit_;
  std::uint64_t left_ = 0;  // of the body, or of the chunk
};

Parser::Parser(Kind kind, BufferPool& pool) : impl_(std::make_unique<Impl>(kind, pool)) {}
Parser::~Parser() = default;
Parser::Parser(Parser&&) noexcept = default;
Parser& Parser::operator=(Parser&&) noexcept = default;

void Parser::expect(ResponseTo what) { impl_->expected_ = what; }
Parser::Event Parser::next(Slice& input) { return impl_->next(input); }
Parser::Event Parser::finish() { return impl_->finish(); }
const Head& Parser::head() const { return impl_->head_; }
Slice& Parser::piece() { return impl_->piece_; }
const Parser::Complaint& Parser::complaint() const { return impl_->complaint_; }
bool Parser::idle() const { return impl_->idle(); }

}  // namespace causeway::http
