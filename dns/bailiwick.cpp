#include "dns/bailiwick.h"

#include <algorithm>

#include "dns/answer_writer.h"

namespace causeway::dns {

namespace {

using Section = Record::Section;
using Verdict = Bailiwick::Verdict;

struct Entry {
  Record record;
  Name owner;
  bool keep = true;
};

class Sieve {
 public:
  Sieve(Bytes answer, const AnswerView& view, const AddressGuard& guard)
      : answer_(answer), view_(view), guard_(guard) {}

  Bailiwick run(const Rules* rules) {
    if (!read()) return ended(Verdict::kMalformed);
    if (rules) {
      if (!follow_aliases(*rules)) return ended(Verdict::kEndless);
      if (leads_away_) return std::move(out_);
      for (Entry& each : entries_) drop_foreign(each, *rules);
    }
    for (Entry& each : entries_) drop_blocked(each);
    return conclude();
  }

 private:
  Bailiwick ended(Verdict why) {
    out_.verdict = why;
    return std::move(out_);
  }

  bool read() {
    RecordReader records(answer_, view_.head.end);
    Record record;
    while (records.next(record)) {
      std::size_t at = record.start;
      std::optional<Name> owner = Name::read(answer_, at, Name::Compression::kAllowed);
      if (!owner) return false;
      entries_.push_back({record, std::move(*owner)});
    }
    return true;
  }

  const Entry* cname_of(const Name& name) const {
    for (const Entry& each : entries_) {
      if (each.record.section == Section::kAnswer && each.record.type == kTypeCname && each.owner == name) return &each;
    }
    return nullptr;
  }

  // False where that does not end.
  bool follow_aliases(const Rules& rules) {
    const Question& asked = *view_.head.question;
    chain_.push_back(asked.name);
    if (asked.type == kTypeCname || asked.type == kTypeAny) return true;
    while (const Entry* cname = cname_of(chain_.back())) {
      if (out_.aliases.size() == kMaxAliases) return false;
      std::size_t at = cname->record.rdata;
      std::optional<Name> target = Name::read(answer_.first(cname->record.end), at, Name::Compression::kAllowed);
      if (!target) break;
      out_.aliases.push_back({chain_.back(), *target, cname->record.ttl});
      if (!rules.is_clusters(*target)) {
        leads_away_ = true;
        out_.verdict = Verdict::kLeadsAway;
        for (const Entry& each : entries_)
          out_.foreign += each.record.section == Section::kAnswer && !is_in_chain(each.owner);
        return true;
      }
      if (is_in_chain(*target)) return false;
      chain_.push_back(std::move(*target));
    }
    out_.aliases.clear();
    return true;
  }

  bool is_in_chain(const Name& name) const { return std::find(chain_.begin(), chain_.end(), name) != chain_.end(); }
  bool any_in_chain_is_under(const Name& ancestor) const {
    return std::any_of(chain_.begin(), chain_.end(), [&](const Name& each) { return each.under(ancestor); });
  }

  bool is_clusters(const Entry& entry, const Rules& rules) const {
    const Record& record = entry.record;
    if (record.type == kTypeOpt) return true;
    if (is_in_chain(entry.owner)) return true;
    switch (record.section) {
      case Section::kAnswer:
        return record.type == kTypeDname && any_in_chain_is_under(entry.owner) && rules.is_clusters(entry.owner);
      case Section::kAuthority:
        if (record.type == kTypeSoa && any_in_chain_is_under(entry.owner)) return true;
        [[fallthrough]];
      case Section::kAdditional: return rules.is_clusters(entry.owner);
    }
    return false;
  }

  void drop_foreign(Entry& entry, const Rules& rules) {
    if (is_clusters(entry, rules)) return;
    entry.keep = false;
    ++out_.foreign;
  }

  void drop_blocked(Entry& entry) {
    const Record& record = entry.record;
    if (!entry.keep || record.klass != kClassIn) return;
    if (!guard_.forbids(record.type, answer_.subspan(record.rdata, record.end - record.rdata))) return;
    entry.keep = false;
    ++out_.blocked;
    blocked_answer_ |= record.section == Section::kAnswer;
  }

  Bailiwick conclude() {
    if (out_.foreign + out_.blocked == 0) return std::move(out_);
    std::size_t kept = 0, answering = 0;
    for (const Entry& each : entries_) {
      if (!each.keep || each.record.section != Section::kAnswer) continue;
      ++kept;
      std::uint16_t type = each.record.type;
      answering +=
          type == view_.head.question->type || (type != kTypeCname && type != kTypeDname && type != kTypeRrsig);
    }
    if (blocked_answer_ && answering == 0) return ended(Verdict::kBlocked);
    if (view_.head.rcode == Rcode::kNoError && view_.answers > 0 && kept == 0) return ended(Verdict::kUnrelated);
    AnswerWriter writer(std::uint16_t(view_.head.flags & ~kFlagAuthentic), *view_.head.question);
    writer.reserve(view_.size);
    for (const Entry& each : entries_) {
      if (each.keep && !writer.copy(answer_, each.record, each.owner)) return ended(Verdict::kMalformed);
    }
    out_.message = std::move(writer).finish();
    std::optional<AnswerView> view = parse_answer(out_.message);
    if (!view) return ended(Verdict::kMalformed);
    out_.view = std::move(*view);
    return ended(Verdict::kPart);
  }

  Bytes answer_;
  const AnswerView& view_;
  const AddressGuard& guard_;
  std::vector<Entry> entries_;
  std::vector<Name> chain_;  // the name asked for, and those of the cluster that it leads to
  bool leads_away_ = false, blocked_answer_ = false;
  Bailiwick out_;
};

}  // namespace

Bailiwick clusters_part(Bytes answer, const AnswerView& view, const Rules& rules, const AddressGuard& guard) {
  return Sieve(answer, view, guard).run(&rules);
}

Bailiwick without_blocked(Bytes answer, const AnswerView& view, const AddressGuard& guard) {
  return Sieve(answer, view, guard).run(nullptr);
}

}  // namespace causeway::dns
