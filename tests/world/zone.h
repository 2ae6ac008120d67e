// A DNS server for tests: A records by name. Names that are missing do not exist, names below which others lie are empty.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/packet/address.h"
#include "dns/message.h"

namespace causeway::world {

class Zone {
 public:
  // "orders.shop.svc.cluster.local"
  void add(const std::string& name, const packet::Address& address);

  std::optional<std::vector<std::uint8_t>> answer(Bytes question) const;
  std::size_t questions(const std::string& name) const;

 private:
  std::map<std::string, packet::Address> records_;
  mutable std::map<std::string, std::size_t> asked_;
};

// What a program makes of an answer.
struct Answer {
  std::uint16_t id = 0;
  dns::Rcode rcode = dns::Rcode::kNoError;
  std::vector<packet::Address> addresses;
};
std::vector<std::uint8_t> question(const std::string& name, std::uint16_t id, std::uint16_t type = dns::kTypeA);
std::optional<Answer> read_answer(Bytes message);

}  // namespace causeway::world
