// Typed reading of YAML nodes that records what is wrong and goes on, where core/base/yaml stops at the first error.
// Private to policies/engine. Thread-safety: borrows its Findings; belongs to one thread.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/yaml.h"
#include "core/model/kind.h"
#include "policies/engine/document.h"
#include "policies/engine/findings.h"

namespace mlops::policy {

class Reader {
 public:
  explicit Reader(Findings& findings) : findings_(findings) {}

  // False, with a finding, when `node` is not a map. Every key outside `known` is a finding with the nearest known one.
  bool map(const YamlNode& node, std::string_view what, const std::vector<std::string>& known);
  bool map(const YamlNode& node, std::string_view what, std::initializer_list<std::string_view> known) {
    return map(node, what, std::vector<std::string>(known.begin(), known.end()));
  }
  // The items; none, with a finding, when `node` is not a sequence. A null node is an empty sequence.
  const std::vector<YamlNode>& sequence(const YamlNode& node, std::string_view what);

  // The value, or nullopt with a finding. A bare true or false is no text: quote it.
  std::optional<std::string> text(const YamlNode& node, std::string_view what);
  std::optional<double> number(const YamlNode& node, std::string_view what, double min, double max);
  std::optional<std::int64_t> integer(const YamlNode& node, std::string_view what, std::int64_t min, std::int64_t max);
  std::optional<bool> flag(const YamlNode& node, std::string_view what);
  // A date or an RFC 3339 time.
  std::optional<TimestampUs> date(const YamlNode& node, std::string_view what);
  // ISO 8601, "P6Y".
  std::optional<Period> period(const YamlNode& node, std::string_view what);
  std::vector<std::string> texts(const YamlNode& node, std::string_view what);
  std::vector<Marked<std::string>> marked_texts(const YamlNode& node, std::string_view what);
  std::vector<model::ArtifactKind> kinds(const YamlNode& node);
  std::optional<model::Sensitivity> sensitivity(const YamlNode& node, std::string_view what);
  // One of `words` (its index), or nullopt with a finding naming the nearest.
  std::optional<std::size_t> word(const YamlNode& node, std::string_view what, const std::vector<std::string>& words);

  Findings& findings() { return findings_; }

 private:
  template <class T>
  std::optional<T> take(Result<T> result, YamlMark mark);

  Findings& findings_;
};

// "did you mean 'x'?" or, without a near word, the list of what is known.
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace mlops::policy
