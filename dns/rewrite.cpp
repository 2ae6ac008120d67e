#include "dns/rewrite.h"

#include <string>
#include <unordered_map>

#include "dns/record.h"

namespace causeway::dns {

namespace {

constexpr std::uint16_t kPointer = 0xc000;
constexpr std::size_t kPointerReach = 0x4000;

// Where the names are in the data of a type whose names may be compressed: fixed bytes, then names, then fixed bytes.
struct Layout {
  std::uint16_t type;
  std::uint8_t before, names, after;
};
constexpr Layout kLayouts[] = {
    {kTypeNs, 0, 1, 0},  {3, 0, 1, 0},  {4, 0, 1, 0},   {kTypeCname, 0, 1, 0}, {kTypeSoa, 0, 2, 20}, {7, 0, 1, 0},
    {8, 0, 1, 0},        {9, 0, 1, 0},  {kTypePtr, 0, 1, 0}, {14, 0, 2, 0},    {kTypeMx, 2, 1, 0},   {17, 0, 2, 0},
    {18, 2, 1, 0},       {21, 2, 1, 0}, {26, 2, 2, 0},  {kTypeSrv, 6, 1, 0},   {36, 2, 1, 0},        {39, 0, 1, 0},
};

class Rewriter {
 public:
  Rewriter(Bytes in, const AnswerView& view, const Question& asked) : in_(in), view_(view), asked_(asked) {
    out_.reserve(view.size + Name::kMaxWire);
  }

  std::optional<std::vector<std::uint8_t>> run() {
    append_bytes(out_, in_.first(kHeaderSize));
    store16(out_.data() + 2, view_.head.flags & std::uint16_t(~kFlagAuthentic));
    seen_.emplace(asked_.name.key(), kHeaderSize);
    append_question(out_, asked_);
    RecordReader records(in_, view_.head.end);
    Record record;
    while (records.next(record)) {
      if (!append_record(record) || out_.size() > kMaxMessage) return std::nullopt;
    }
    return std::move(out_);
  }

 private:
  bool append_record(const Record& record) {
    std::size_t at = record.start;
    std::optional<Name> owner = Name::read(in_, at, Name::Compression::kAllowed);
    if (!owner) return false;
    // An OPT record belongs to no name, also where the root was asked for.
    bool renamed = record.type != kTypeOpt && *owner == view_.head.question->name;
    append_name(renamed ? asked_.name : *owner);
    append_bytes(out_, in_.subspan(record.fixed, 8));
    std::size_t length_at = out_.size();
    append16(out_, 0);
    if (!append_data(record)) return false;
    std::size_t length = out_.size() - length_at - 2;
    if (length > 0xffff) return false;
    store16(out_.data() + length_at, std::uint16_t(length));
    return true;
  }

  bool append_data(const Record& record) {
    const Layout* layout = nullptr;
    for (const Layout& candidate : kLayouts) {
      if (candidate.type == record.type) layout = &candidate;
    }
    if (!layout || record.rdata == record.end) {
      append_bytes(out_, in_.subspan(record.rdata, record.end - record.rdata));
      return true;
    }
    if (record.end - record.rdata < std::size_t(layout->before) + layout->after) return false;
    std::size_t at = record.rdata;
    append_bytes(out_, in_.subspan(at, layout->before));
    at += layout->before;
    for (int i = 0; i < layout->names; ++i) {
      std::optional<Name> name = Name::read(in_.first(record.end), at, Name::Compression::kAllowed);
      if (!name) return false;
      // SRV, and types younger than RFC 1035, may not point elsewhere, though owners may point into them.
      append_name(*name, layout->type <= kTypeMx);
    }
    if (record.end - at != layout->after) return false;
    append_bytes(out_, in_.subspan(at, layout->after));
    return true;
  }

  void append_name(const Name& name, bool may_compress = true) {
    std::string key = name.key();
    auto found = seen_.find(key);
    if (found != seen_.end() && may_compress) return append16(out_, std::uint16_t(kPointer | found->second));
    if (found == seen_.end() && !name.is_root() && out_.size() < kPointerReach) {
      seen_.emplace(std::move(key), std::uint16_t(out_.size()));
    }
    append_bytes(out_, name.wire());
  }

  Bytes in_;
  const AnswerView& view_;
  const Question& asked_;
  std::vector<std::uint8_t> out_;
  std::unordered_map<std::string, std::uint16_t> seen_;
};

}  // namespace

std::optional<std::vector<std::uint8_t>> rewrite_answer(Bytes answer, const AnswerView& view, const Question& asked) {
  return Rewriter(answer, view, asked).run();
}

}  // namespace causeway::dns
