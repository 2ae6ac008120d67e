#include "dns/name_lists.h"

#include <algorithm>
#include <optional>

namespace causeway::dns {

namespace {

struct Pattern {
  Name name;
  bool wild = false;
  std::size_t weight() const { return name.labels() + (wild ? 1 : 0); }
};

std::optional<Pattern> parse_pattern(std::string_view text) {
  Pattern out;
  out.wild = text.starts_with("*.");
  if (out.wild) text.remove_prefix(2);
  std::optional<Name> name = Name::parse(text);
  if (!name || name->is_root()) return std::nullopt;
  for (std::size_t i = 0; i < name->labels(); ++i) {
    if (name->label(i).find('*') != std::string_view::npos) return std::nullopt;
  }
  out.name = std::move(*name);
  return out;
}

tl::unexpected<Error> no_pattern(const std::string& text) {
  return fail(ErrorCode::kInvalid, "'" + text + "' is neither a name nor '*.' and a name");
}

}  // namespace

void NameLists::Suffixes::add(const Name& name, bool wild, std::size_t weight) {
  Weights& weights = weights_[name.key()];
  weights.below = std::max(weights.below, weight);
  if (!wild) weights.itself = std::max(weights.itself, weight);
}

std::size_t NameLists::Suffixes::weight(const Name& name) const {
  if (weights_.empty()) return 0;
  std::size_t most = 0;
  std::string key = name.key();
  for (std::size_t at = 0; key[at] != 0; at += 1u + std::uint8_t(key[at])) {
    auto found = weights_.find(std::string_view(key).substr(at));
    if (found != weights_.end()) most = std::max(most, at == 0 ? found->second.itself : found->second.below);
  }
  return most;
}

Result<NameLists> NameLists::create(const std::vector<std::string>& include, const std::vector<std::string>& exclude,
                                    const Name& service_domain) {
  NameLists out;
  for (const std::string& text : include) {
    std::optional<Pattern> pattern = parse_pattern(text);
    if (!pattern) return no_pattern(text);
    out.include_.add(pattern->name, pattern->wild, pattern->weight());
  }
  for (const std::string& text : exclude) {
    std::optional<Pattern> pattern = parse_pattern(text);
    if (!pattern) return no_pattern(text);
    const Name& name = pattern->name;
    if (name.labels() == 1 && !pattern->wild) {
      out.services_.insert(lower(name.label(0)));
      continue;
    }
    out.exclude_.add(name, pattern->wild, pattern->weight());
    if (name.under(service_domain)) continue;
    bool ends_in_svc = same_label(name.label(name.labels() - 1), "svc");
    std::optional<Name> full = name.followed_by(ends_in_svc ? service_domain.without_first(1) : service_domain);
    if (full) out.exclude_.add(*full, pattern->wild, pattern->weight());
  }
  return out;
}

NameLists::Verdict NameLists::judge(const Name& asked, const Name& meant, std::string_view service) const {
  std::size_t included = include_.weight(asked);
  std::size_t excluded = std::max(exclude_.weight(asked), exclude_.weight(meant));
  if (excluded == 0 && !services_.empty() && services_.contains(lower(service))) excluded = 1;
  if (included == 0 && excluded == 0) return Verdict::kNeither;
  return included >= excluded ? Verdict::kIncluded : Verdict::kExcluded;
}

}  // namespace causeway::dns
