#include "dns/rewrite.h"

#include "dns/answer_writer.h"

namespace causeway::dns {

std::optional<std::vector<std::uint8_t>> rewrite_answer(Bytes answer, const AnswerView& view, const Question& asked,
                                                        const std::vector<Alias>& aliases) {
  AnswerWriter writer(std::uint16_t(view.head.flags & ~kFlagAuthentic), asked);
  writer.reserve(view.size + Name::kMaxWire * (1 + 2 * aliases.size()));
  for (const Alias& alias : aliases) writer.add_name(alias.owner, kTypeCname, alias.ttl, alias.target);
  const Name& renamed = aliases.empty() ? asked.name : aliases.back().target;
  RecordReader records(answer, view.head.end);
  Record record;
  while (records.next(record)) {
    std::size_t at = record.start;
    std::optional<Name> owner = Name::read(answer, at, Name::Compression::kAllowed);
    if (!owner) return std::nullopt;
    // An OPT record belongs to no name, also where the root was asked for.
    bool is_asked = record.type != kTypeOpt && *owner == view.head.question->name;
    if (!writer.copy(answer, record, is_asked ? renamed : *owner)) return std::nullopt;
  }
  return std::move(writer).finish();
}

}  // namespace causeway::dns
