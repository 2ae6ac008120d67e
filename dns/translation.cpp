#include "dns/translation.h"

#include <algorithm>

#include "dns/record.h"

namespace causeway::dns {

namespace {

using packet::Address;

enum SvcKey : std::uint16_t { kIpv4Hint = 4, kIpv6Hint = 6 };

class Translator {
 public:
  Translator(MutableBytes message, engine::AddressMap& addresses, Instant now)
      : message_(message), addresses_(addresses), now_(now) {}

  // False: the range is used up.
  bool record(const Record& record) {
    keep_ = record.ttl > 0x7fffffff ? Duration::zero()
                                    : std::min<Duration>(std::chrono::seconds(record.ttl), kLongestVirtual);
    touched_ = false;
    const MutableBytes data = message_.subspan(record.rdata, record.end - record.rdata);
    bool fits = true;
    if (record.type == kTypeA && data.size() == 4) fits = address(data);
    if (record.type == kTypeAaaa && data.size() == 16) fits = address(data);
    if (record.type == kTypeSvcb || record.type == kTypeHttps) fits = hints(data);
    if (!touched_) return fits;
    any_ = true;
    store32(message_.data() + record.fixed + 4, std::uint32_t(keep_ / std::chrono::seconds(1)));
    return fits;
  }

  bool touched() const { return touched_; }  // the last record
  bool any() const { return any_; }
  std::uint32_t ttl() const { return std::uint32_t(keep_ / std::chrono::seconds(1)); }

 private:
  bool address(MutableBytes at) {
    const Address real = Address::from_bytes(at);
    const auto virtual_address = addresses_.to_virtual(real, keep_, now_);
    if (!virtual_address) return false;
    if (*virtual_address == real) return true;
    const Bytes bytes = virtual_address->bytes();
    std::copy(bytes.begin(), bytes.end(), at.begin());
    touched_ = true;
    return true;
  }

  // Priority, target, then parameters: key, length, value. What is malformed stays as it is.
  bool hints(MutableBytes data) {
    std::size_t at = 2;
    if (data.size() < 3 || !Name::skip(data, at)) return true;
    while (data.size() - at >= 4) {
      const std::uint16_t key = load16(&data[at]), length = load16(&data[at + 2]);
      at += 4;
      if (data.size() - at < length) return true;
      const std::size_t each = key == kIpv4Hint ? 4 : key == kIpv6Hint ? 16 : 0;
      for (std::size_t i = 0; each > 0 && i + each <= length; i += each) {
        if (!address(data.subspan(at + i, each))) return false;
      }
      at += length;
    }
    return true;
  }

  MutableBytes message_;
  engine::AddressMap& addresses_;
  Instant now_;
  Duration keep_{};
  bool touched_ = false, any_ = false;
};

}  // namespace

bool translate_answer(MutableBytes message, AnswerView& view, engine::AddressMap& addresses, Instant now) {
  if (addresses.prefixes().empty()) return true;
  Translator translator(message, addresses, now);
  RecordReader records(message, view.head.end);
  Record record;
  while (records.next(record)) {
    if (record.klass != kClassIn) continue;
    if (!translator.record(record)) return false;
    if (translator.touched() && record.section == Record::Section::kAnswer && view.ttl) {
      view.ttl = std::min(*view.ttl, translator.ttl());
    }
  }
  if (translator.any()) {
    view.head.flags &= std::uint16_t(~kFlagAuthentic);
    store16(message.data() + 2, view.head.flags);
  }
  return true;
}

}  // namespace causeway::dns
