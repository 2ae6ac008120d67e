#include "dns/answer_writer.h"

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
    {kTypeNs, 0, 1, 0},  {3, 0, 1, 0},  {4, 0, 1, 0},          {kTypeCname, 0, 1, 0}, {kTypeSoa, 0, 2, 20},
    {7, 0, 1, 0},        {8, 0, 1, 0},  {9, 0, 1, 0},          {kTypePtr, 0, 1, 0},   {14, 0, 2, 0},
    {kTypeMx, 2, 1, 0},  {17, 0, 2, 0}, {18, 2, 1, 0},         {21, 2, 1, 0},         {26, 2, 2, 0},
    {kTypeSrv, 6, 1, 0}, {36, 2, 1, 0}, {kTypeDname, 0, 1, 0},
};

const Layout* layout_of(std::uint16_t type) {
  for (const Layout& candidate : kLayouts) {
    if (candidate.type == type) return &candidate;
  }
  return nullptr;
}

}  // namespace

AnswerWriter::AnswerWriter(std::uint16_t flags, const Question& asked) {
  for (int word : {0, int(flags), 1, 0, 0, 0}) append16(out_, std::uint16_t(word));
  seen_.emplace(asked.name.key(), std::uint16_t(kHeaderSize));
  append_question(out_, asked);
}

void AnswerWriter::begin(Record::Section section, const Name& owner) {
  std::uint8_t* count = out_.data() + 6 + 2 * std::size_t(section);
  store16(count, std::uint16_t(load16(count) + 1));
  append_name(owner, true);
}

void AnswerWriter::add(const Name& owner, std::uint16_t type, std::uint32_t ttl, Bytes data) {
  begin(Record::Section::kAnswer, owner);
  for (std::size_t word :
       {std::size_t(type), std::size_t(kClassIn), std::size_t(ttl >> 16), std::size_t(ttl & 0xffff), data.size()}) {
    append16(out_, std::uint16_t(word));
  }
  append_bytes(out_, data);
}

void AnswerWriter::add_name(const Name& owner, std::uint16_t type, std::uint32_t ttl, const Name& data) {
  add(owner, type, ttl, data.wire());
}

bool AnswerWriter::copy(Bytes message, const Record& record, const Name& owner) {
  if (load16(out_.data() + 6 + 2 * std::size_t(record.section)) == 0xffff) return false;
  begin(record.section, owner);
  append_bytes(out_, message.subspan(record.fixed, 8));
  std::size_t length_at = out_.size();
  append16(out_, 0);
  if (!append_data(message, record)) return false;
  std::size_t length = out_.size() - length_at - 2;
  if (length > 0xffff || out_.size() > kMaxMessage) return false;
  store16(out_.data() + length_at, std::uint16_t(length));
  return true;
}

bool AnswerWriter::append_data(Bytes message, const Record& record) {
  const Layout* layout = layout_of(record.type);
  if (!layout || record.rdata == record.end) {
    append_bytes(out_, message.subspan(record.rdata, record.end - record.rdata));
    return true;
  }
  if (record.end - record.rdata < std::size_t(layout->before) + layout->after) return false;
  std::size_t at = record.rdata;
  append_bytes(out_, message.subspan(at, layout->before));
  at += layout->before;
  for (int i = 0; i < layout->names; ++i) {
    std::optional<Name> name = Name::read(message.first(record.end), at, Name::Compression::kAllowed);
    if (!name) return false;
    // SRV, and types younger than RFC 1035, may not point elsewhere, though owners may point into them.
    append_name(*name, layout->type <= kTypeMx);
  }
  if (record.end - at != layout->after) return false;
  append_bytes(out_, message.subspan(at, layout->after));
  return true;
}

void AnswerWriter::append_name(const Name& name, bool may_compress) {
  std::string key = name.key();
  auto found = seen_.find(key);
  if (found != seen_.end() && may_compress) return append16(out_, std::uint16_t(kPointer | found->second));
  if (found == seen_.end() && !name.is_root() && out_.size() < kPointerReach) {
    seen_.emplace(std::move(key), std::uint16_t(out_.size()));
  }
  append_bytes(out_, name.wire());
}

}  // namespace causeway::dns
