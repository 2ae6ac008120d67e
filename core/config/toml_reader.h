// Reads TOML against what a program expects: every key that is there must be asked for, and every complaint says where.
//
//   auto reader = TomlReader::parse(text, "/etc/causeway/demo.toml");
//   if (!reader) return tl::make_unexpected(reader.error());
//   TomlTable root = reader->root();
//   root.read("key_file", profile.key_file);
//   root.read_list("routes", profile.routes, packet::Cidr::parse, "a prefix such as \"10.96.0.0/16\"");
//   if (auto read = reader->finish(); !read) return tl::make_unexpected(read.error());
//
// Reading goes on after a mistake; finish() gives the first one in the text, and of what is missing only where nothing is wrong:
// "/etc/causeway/demo.toml:3:14: unknown key 'rotues'; did you mean 'routes'?".
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace causeway::config {

// The word of `known` that `word` was probably meant to be, or none.
std::optional<std::string> closest(std::string_view word, const std::vector<std::string>& known);

// `name` as seen from the folder of `source`, unless it is absolute.
std::string path_beside(std::string_view source, std::string_view name);

class TomlReader;

// One table, lent by its reader. Each read gives true where the key is there and its value is good; otherwise `out` stays as it
// was, and a bad value is noted for finish().
class TomlTable {
 public:
  bool has(std::string_view key) const;

  bool read(std::string_view key, std::string& out);
  bool read(std::string_view key, bool& out);
  bool read(std::string_view key, std::uint64_t& out, std::uint64_t least, std::uint64_t most);
  bool read(std::string_view key, double& out, double least, double most);
  bool read_list(std::string_view key, std::vector<std::string>& out);
  // A file's name; a relative one is meant from the folder of the text's source.
  bool read_path(std::string_view key, std::string& out);

  // A string, or a list of strings, which `convert` turns into a value (std::optional); `wanted` says what it should have been.
  template <class T, class Convert>
  bool read(std::string_view key, T& out, Convert convert, std::string_view wanted) {
    std::string text;
    if (!read(key, text)) return false;
    if (auto value = convert(text)) {
      out = std::move(*value);
      return true;
    }
    reject(key, not_wanted(text, wanted));
    return false;
  }
  template <class T, class Convert>
  bool read_list(std::string_view key, std::vector<T>& out, Convert convert, std::string_view wanted) {
    std::vector<std::string> texts;
    if (!read_list(key, texts)) return false;
    std::vector<T> values;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      auto value = convert(texts[i]);
      if (!value) {
        reject(key, not_wanted(texts[i], wanted), i);
        return false;
      }
      values.push_back(std::move(*value));
    }
    out = std::move(values);
    return true;
  }

  // The table under `key`; an empty one where it is not there.
  TomlTable table(std::string_view key);
  // Each [[key]], in the text's order.
  std::vector<TomlTable> tables(std::string_view key);
  // What is in the table, in the text's order: for one whose keys are the user's own words.
  std::vector<std::string> keys() const;

  // Complaints of the caller: at the key's value (its i-th element), or, where the key is missing, about that.
  void reject(std::string_view key, std::string message, std::optional<std::size_t> element = std::nullopt);
  void require(std::string_view key, std::string_view what);

 private:
  friend class TomlReader;
  struct Node;
  TomlTable(TomlReader& reader, Node& node) : reader_(&reader), node_(&node) {}
  static std::string not_wanted(std::string_view text, std::string_view wanted);

  TomlReader* reader_;
  Node* node_;
};

class TomlReader {
 public:
  // `source` names the text in complaints. Fails on what is not TOML.
  static Result<TomlReader> parse(std::string_view toml, std::string_view source);
  TomlReader(TomlReader&&) noexcept;
  TomlReader& operator=(TomlReader&&) noexcept;
  ~TomlReader();

  // Tables are lent by this reader where it lies: move it no more once one was taken.
  TomlTable root();
  // After everything was asked for: the first mistake, keys that nobody asked for included.
  Result<void> finish();

 private:
  friend class TomlTable;
  struct Inside;
  explicit TomlReader(std::unique_ptr<Inside> inside);

  std::unique_ptr<Inside> inside_;
};

}  // namespace causeway::config
