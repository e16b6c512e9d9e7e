// One map of a policy text, read key by key into typed fields; unknown keys are findings. Private to policies/engine.
// Thread-safety: borrows node and findings; belongs to one thread.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policies/engine/reader.h"

namespace mlops::policy {

class Section {
 public:
  Section(const YamlNode& node, std::string what, Findings& findings, std::initializer_list<std::string_view> known)
      : node_(node), what_(std::move(what)), reader_(findings), ok_(reader_.map(node, what_, known)) {}

  explicit operator bool() const { return ok_; }
  const YamlNode* find(std::string_view key) const { return ok_ ? node_.find(key) : nullptr; }
  Reader& reader() { return reader_; }
  YamlMark mark() const { return node_.mark; }

  // Each leaves `out` alone when the key is absent or its value is wrong.
  void text(std::string_view key, std::string& out) {
    if (const auto* value = find(key)) out = reader_.text(*value, path(key)).value_or(std::move(out));
  }
  void text(std::string_view key, Marked<std::string>& out) {
    const auto* value = find(key);
    if (!value) return;
    if (auto read = reader_.text(*value, path(key))) out = {std::move(*read), value->mark};
  }
  void texts(std::string_view key, std::vector<std::string>& out) {
    if (const auto* value = find(key)) out = reader_.texts(*value, path(key));
  }
  void texts(std::string_view key, std::vector<Marked<std::string>>& out) {
    if (const auto* value = find(key)) out = reader_.marked_texts(*value, path(key));
  }
  void integer(std::string_view key, std::int64_t min, std::int64_t max, std::optional<std::int64_t>& out) {
    const auto* value = find(key);
    if (value) out = reader_.integer(*value, path(key), min, max);
  }
  void number(std::string_view key, double min, double max, std::optional<double>& out) {
    const auto* value = find(key);
    if (value) out = reader_.number(*value, path(key), min, max);
  }
  void period(std::string_view key, std::optional<Period>& out) {
    const auto* value = find(key);
    if (value) out = reader_.period(*value, path(key));
  }
  // The date as written and as a time.
  void date(std::string_view key, std::string& text, TimestampUs& time_us) {
    const auto* value = find(key);
    if (!value) return;
    const auto time = reader_.date(*value, path(key));
    if (!time) return;
    text = value->scalar;
    time_us = *time;
  }
  // An enum in the order of its words.
  template <class Enum>
  void word(std::string_view key, const std::vector<std::string>& words, std::optional<Enum>& out) {
    const auto* value = find(key);
    if (!value) return;
    if (const auto index = reader_.word(*value, path(key), words)) out = static_cast<Enum>(*index);
  }
  // One of the words, kept as text.
  void word_text(std::string_view key, const std::vector<std::string>& words, std::string& out) {
    const auto* value = find(key);
    if (!value) return;
    if (const auto index = reader_.word(*value, path(key), words)) out = words[*index];
  }
  // A finding when the text is missing or empty.
  void need(std::string_view key, const std::string& value) {
    if (!ok_ || !value.empty()) return;
    const auto* node = find(key);
    reader_.findings().error(node ? node->mark : node_.mark, "missing_key",
                             what_ + " needs `" + std::string(key) + "`");
  }

 private:
  std::string path(std::string_view key) const { return what_ + "." + std::string(key); }

  const YamlNode& node_;
  std::string what_;
  Reader reader_;
  bool ok_;
};

}  // namespace mlops::policy
