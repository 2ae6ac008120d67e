#include "dns/mappings.h"

#include <algorithm>

#include "dns/answer_writer.h"

namespace causeway::dns {

namespace {

using Kind = Mapping::Kind;

constexpr std::uint16_t kFlags = kFlagResponse | kFlagAuthoritative | kFlagRecursionAvailable;

tl::unexpected<Error> wrong(const MappingConfig& config, const std::string& what) {
  return fail(ErrorCode::kInvalid, "the mapping of '" + config.name + "' " + what);
}

}  // namespace

Result<void> Mappings::add(const MappingConfig& config, const Name& meant) {
  std::optional<Name> name = Name::parse(config.name);
  if (!name || name->is_root()) return wrong(config, "is not of a domain name");
  if (config.alias.empty() != config.address.has_value()) return wrong(config, "needs either an alias or an address");
  std::vector<std::string> keys{name->key()};
  if (!meant.is_root()) keys.push_back(meant.key());
  for (const std::string& key : keys) {
    auto [at, fresh] = by_name_.try_emplace(key);
    Mapping& mapping = at->second;
    if (!config.address) {
      std::optional<Name> target = Name::parse(config.alias);
      if (!target || target->is_root())
        return wrong(config, "leads to '" + config.alias + "', which is not a domain name");
      if (!fresh && !(mapping.kind == Kind::kAlias && mapping.target == *target)) return wrong(config, "comes twice");
      mapping = {Kind::kAlias, std::move(*target), {}};
      continue;
    }
    if (!fresh && mapping.kind != Kind::kAddresses) return wrong(config, "comes twice");
    mapping.kind = Kind::kAddresses;
    auto& addresses = mapping.addresses;
    if (std::find(addresses.begin(), addresses.end(), *config.address) == addresses.end())
      addresses.push_back(*config.address);
  }
  if (config.address) by_address_.try_emplace(*config.address, Mapping{Kind::kReverse, *name, {}});
  return {};
}

const Mapping* Mappings::find(const Name& name) const {
  auto found = by_name_.find(name.key());
  return found == by_name_.end() ? nullptr : &found->second;
}

const Mapping* Mappings::find(const Name& name, const Name& meant) const {
  if (by_name_.empty()) return nullptr;
  const Mapping* found = find(name);
  return found || meant.is_root() ? found : find(meant);
}

const Mapping* Mappings::reverse(const packet::Address& address) const {
  auto found = by_address_.find(address);
  return found == by_address_.end() || address.is_loopback() ? nullptr : &found->second;
}

std::vector<std::uint8_t> mapped_answer(const Mapping& mapping, const Question& asked) {
  AnswerWriter writer(kFlags, asked);
  bool any = asked.type == kTypeAny;
  switch (mapping.kind) {
    case Kind::kAlias: writer.add_name(asked.name, kTypeCname, Mappings::kTtl, mapping.target); break;
    case Kind::kReverse:
      if (any || asked.type == kTypePtr) writer.add_name(asked.name, kTypePtr, Mappings::kTtl, mapping.target);
      break;
    case Kind::kAddresses:
      for (const packet::Address& address : mapping.addresses) {
        std::uint16_t type = address.is_v4() ? kTypeA : kTypeAaaa;
        if (any || asked.type == type) writer.add(asked.name, type, Mappings::kTtl, address.bytes());
      }
      break;
  }
  return std::move(writer).finish();
}

}  // namespace causeway::dns
