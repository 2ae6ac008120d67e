#include "dns/record.h"

#include "dns/message.h"

namespace causeway::dns {

RecordReader::RecordReader(Bytes message, std::size_t at) : message_(message), at_(at) {
  for (std::size_t i = 0; i < 3; ++i) left_[i] = load16(message.data() + 6 + 2 * i);
}

bool RecordReader::next(Record& out) {
  while (section_ < 3 && left_[section_] == 0) ++section_;
  if (section_ == 3 || malformed_) return false;
  --left_[section_];
  malformed_ = true;
  out.section = Record::Section(section_);
  out.start = at_;
  std::size_t at = at_;
  if (!Name::skip(message_, at) || message_.size() - at < 10) return false;
  const std::uint8_t* fixed = message_.data() + at;
  out.fixed = at;
  out.type = load16(fixed);
  out.klass = load16(fixed + 2);
  out.ttl = load32(fixed + 4);
  out.rdata = at + 10;
  if (message_.size() - out.rdata < load16(fixed + 8)) return false;
  out.end = out.rdata + load16(fixed + 8);
  at_ = out.end;
  malformed_ = false;
  return true;
}

}  // namespace causeway::dns
