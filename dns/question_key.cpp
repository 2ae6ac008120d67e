#include "dns/question_key.h"

namespace causeway::dns {

QuestionKey::QuestionKey(const Query& query) {
  // Length bytes are at most 63, so lowering them too changes none.
  for (std::uint8_t byte : query.question.name.wire()) {
    bytes_[size_++] = char(byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte);
  }
  for (std::uint16_t word : {query.question.type, query.question.klass}) {
    bytes_[size_++] = char(word >> 8);
    bytes_[size_++] = char(word);
  }
  bool wants_dnssec = query.edns && query.edns->wants_dnssec;
  bytes_[size_++] =
      char(query.recursion_desired | query.checking_disabled << 1 | query.authentic_data << 2 | wants_dnssec << 3);
  bytes_[size_++] = char(query.edns.has_value());
}

}  // namespace causeway::dns
