#include "core/config/toml_reader.h"

#include <toml++/toml.h>

#include <algorithm>
#include <deque>
#include <numeric>

namespace causeway::config {
namespace {

std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t(0));
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

const char* kind_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table: return "a table";
    case toml::node_type::array: return "a list";
    case toml::node_type::string: return "a string";
    case toml::node_type::integer: return "a whole number";
    case toml::node_type::floating_point: return "a number with a fraction";
    case toml::node_type::boolean: return "true or false";
    default: return "a date or time";
  }
}

// What is told of a text quotes it: no byte of it may move a terminal's cursor or begin another line of a log.
tl::unexpected<Error> mistake(std::string_view source, const toml::source_position& at, std::string message) {
  message.insert(0, std::string(source) + ':' + std::to_string(at.line) + ':' + std::to_string(at.column) + ": ");
  for (char& c : message) {
    if (std::uint8_t(c) < ' ' || c == 0x7f) c = '?';
  }
  return fail(ErrorCode::kInvalid, std::move(message));
}

}  // namespace

std::optional<std::string> closest(std::string_view word, const std::vector<std::string>& known) {
  std::optional<std::string> best;
  std::size_t fewest = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : known) {
    std::size_t n = edits(word, candidate);
    if (n >= fewest || n >= candidate.size()) continue;
    fewest = n;
    best = candidate;
  }
  return best;
}

std::string path_beside(std::string_view source, std::string_view name) {
  std::size_t slash = source.rfind('/');
  if (name.starts_with('/') || slash == std::string_view::npos) return std::string(name);
  return std::string(source.substr(0, slash + 1)) + std::string(name);
}

struct TomlTable::Node {
  const toml::table* table = nullptr;  // none where the text has none
  std::string path;                    // "dns." for keys under [dns]
  std::vector<std::string> known;
};

struct TomlReader::Inside {
  struct Mistake {
    toml::source_position at;
    std::string message;
    bool missing = false;
  };

  toml::table root;
  std::string source;
  std::deque<TomlTable::Node> tables;
  std::vector<Mistake> mistakes;

  // One for each table, however often it is asked for; those of a list have the same path.
  TomlTable::Node& node_of(const toml::table* table, std::string path) {
    for (TomlTable::Node& node : tables) {
      if (node.path == path && node.table == table) return node;
    }
    return tables.emplace_back(TomlTable::Node{table, std::move(path), {}});
  }
  void note(const toml::source_position& at, std::string message) {
    mistakes.push_back({at, std::move(message), false});
  }
  const toml::node* find(TomlTable::Node& node, std::string_view key) {
    if (std::find(node.known.begin(), node.known.end(), key) == node.known.end()) node.known.emplace_back(key);
    return node.table ? node.table->get(key) : nullptr;
  }
  void wrong_type(const TomlTable::Node& node, std::string_view key, const toml::node& got, std::string_view wanted) {
    note(got.source().begin,
         "'" + node.path + std::string(key) + "' must be " + std::string(wanted) + ", not " + kind_of(got));
  }
};

bool TomlTable::has(std::string_view key) const { return node_->table && node_->table->contains(key); }

bool TomlTable::read(std::string_view key, std::string& out) {
  const toml::node* node = reader_->inside_->find(*node_, key);
  if (!node) return false;
  if (auto value = node->value_exact<std::string>()) {
    out = std::move(*value);
    return true;
  }
  reader_->inside_->wrong_type(*node_, key, *node, "a string");
  return false;
}

bool TomlTable::read(std::string_view key, bool& out) {
  const toml::node* node = reader_->inside_->find(*node_, key);
  if (!node) return false;
  if (auto value = node->value_exact<bool>()) {
    out = *value;
    return true;
  }
  reader_->inside_->wrong_type(*node_, key, *node, "true or false");
  return false;
}

bool TomlTable::read(std::string_view key, std::uint64_t& out, std::uint64_t least, std::uint64_t most) {
  const toml::node* node = reader_->inside_->find(*node_, key);
  if (!node) return false;
  auto value = node->value_exact<std::int64_t>();
  if (!value) {
    reader_->inside_->wrong_type(*node_, key, *node, "a whole number");
    return false;
  }
  if (*value < 0 || std::uint64_t(*value) < least || std::uint64_t(*value) > most) {
    reject(key, std::to_string(*value) + " is not between " + std::to_string(least) + " and " + std::to_string(most));
    return false;
  }
  out = std::uint64_t(*value);
  return true;
}

bool TomlTable::read(std::string_view key, double& out, double least, double most) {
  const toml::node* node = reader_->inside_->find(*node_, key);
  if (!node) return false;
  auto value = node->is_number() ? node->value<double>() : std::nullopt;
  if (!value) {
    reader_->inside_->wrong_type(*node_, key, *node, "a number");
    return false;
  }
  if (!(*value >= least && *value <= most)) {
    reject(key, "it is not between " + std::to_string(least) + " and " + std::to_string(most));
    return false;
  }
  out = *value;
  return true;
}

bool TomlTable::read_list(std::string_view key, std::vector<std::string>& out) {
  const toml::node* node = reader_->inside_->find(*node_, key);
  if (!node) return false;
  const toml::array* list = node->as_array();
  if (!list) {
    reader_->inside_->wrong_type(*node_, key, *node, "a list of strings");
    return false;
  }
  std::vector<std::string> values;
  for (const toml::node& element : *list) {
    auto value = element.value_exact<std::string>();
    if (!value) {
      reader_->inside_->note(element.source().begin, "'" + node_->path + std::string(key) +
                                                         "' must hold strings, not " + std::string(kind_of(element)));
      return false;
    }
    values.push_back(std::move(*value));
  }
  out = std::move(values);
  return true;
}

bool TomlTable::read_path(std::string_view key, std::string& out) {
  std::string name;
  if (!read(key, name)) return false;
  if (name.empty() || name.find('\0') != std::string::npos) {
    reject(key, "it is not the name of a file");
    return false;
  }
  out = path_beside(reader_->inside_->source, name);
  return true;
}

TomlTable TomlTable::table(std::string_view key) {
  const toml::node* node = reader_->inside_->find(*node_, key);
  if (node && !node->is_table()) reader_->inside_->wrong_type(*node_, key, *node, "a table");
  return TomlTable(*reader_,
                   reader_->inside_->node_of(node ? node->as_table() : nullptr, node_->path + std::string(key) + '.'));
}

std::vector<TomlTable> TomlTable::tables(std::string_view key) {
  std::vector<TomlTable> out;
  const toml::node* node = reader_->inside_->find(*node_, key);
  if (!node) return out;
  const toml::array* list = node->as_array();
  if (!list || !std::all_of(list->begin(), list->end(), [](const toml::node& each) { return each.is_table(); })) {
    reader_->inside_->note(node->source().begin, "'" + node_->path + std::string(key) +
                                                     "' must be tables, each beginning with [[" + node_->path +
                                                     std::string(key) + "]]");
    return out;
  }
  std::string path = node_->path + std::string(key) + '.';
  for (const toml::node& each : *list) {
    out.push_back(TomlTable(*reader_, reader_->inside_->node_of(each.as_table(), path)));
  }
  return out;
}

std::vector<std::string> TomlTable::keys() const {
  std::vector<std::pair<toml::source_position, std::string>> found;
  if (node_->table) {
    for (const auto& [key, value] : *node_->table) found.emplace_back(key.source().begin, key.str());
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> out;
  for (auto& [at, key] : found) out.push_back(std::move(key));
  return out;
}

void TomlTable::reject(std::string_view key, std::string message, std::optional<std::size_t> element) {
  const toml::node* node = reader_->inside_->find(*node_, key);
  const toml::array* list = node ? node->as_array() : nullptr;
  if (element && list && *element < list->size()) node = list->get(*element);
  reader_->inside_->note(node ? node->source().begin : toml::source_position{1, 1},
                         "'" + node_->path + std::string(key) + "': " + std::move(message));
}

void TomlTable::require(std::string_view key, std::string_view what) {
  if (reader_->inside_->find(*node_, key)) return;
  auto at = node_->table ? node_->table->source().begin : toml::source_position{1, 1};
  if (at.line == 0) at = {1, 1};
  reader_->inside_->mistakes.push_back(
      {at, "'" + node_->path + std::string(key) + "' is missing: " + std::string(what), true});
}

std::string TomlTable::not_wanted(std::string_view text, std::string_view wanted) {
  return "\"" + std::string(text) + "\" is not " + std::string(wanted);
}

TomlReader::TomlReader(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}
TomlReader::TomlReader(TomlReader&&) noexcept = default;
TomlReader& TomlReader::operator=(TomlReader&&) noexcept = default;
TomlReader::~TomlReader() = default;

Result<TomlReader> TomlReader::parse(std::string_view toml, std::string_view source) {
  auto inside = std::make_unique<Inside>();
  inside->source = source;
  try {
    inside->root = toml::parse(toml, source);
  } catch (const toml::parse_error& error) {
    return mistake(source, error.source().begin, std::string(error.description()));
  }
  return TomlReader(std::move(inside));
}

TomlTable TomlReader::root() { return TomlTable(*this, inside_->node_of(&inside_->root, "")); }

Result<void> TomlReader::finish() {
  for (const TomlTable::Node& node : inside_->tables) {
    if (!node.table) continue;
    for (const auto& [key, value] : *node.table) {
      std::string name(key.str());
      if (std::find(node.known.begin(), node.known.end(), name) != node.known.end()) continue;
      auto meant = closest(name, node.known);
      inside_->note(key.source().begin, "unknown key '" + node.path + name + "'" +
                                            (meant ? "; did you mean '" + node.path + *meant + "'?" : ""));
    }
  }
  if (inside_->mistakes.empty()) return {};
  // What is missing comes last: a mistyped key is usually why.
  auto first = std::min_element(inside_->mistakes.begin(), inside_->mistakes.end(), [](const auto& a, const auto& b) {
    return a.missing != b.missing ? b.missing : a.at < b.at;
  });
  return mistake(inside_->source, first->at, first->message);
}

}  // namespace causeway::config
