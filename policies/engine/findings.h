// Where the readers and static checks of one policy text put what they find, so that lint shows everything at once.
// A message describes the policy text only; policies hold no personal data. Thread-safety: belongs to one thread.
#pragma once

#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/yaml.h"
#include "policies/engine/policy.h"

namespace mlops::policy {

class Findings {
 public:
  explicit Findings(std::string origin) : origin_(std::move(origin)) {}

  void error(YamlMark mark, std::string slug, std::string message, std::string hint = {});
  void warning(YamlMark mark, std::string slug, std::string message, std::string hint = {});
  // An error of core/base/yaml or of a transform's factory. Its "origin:line:column: " head becomes the position;
  // without one the position is `fallback`.
  void add(const Error& error, YamlMark fallback);

  const std::string& origin() const { return origin_; }
  bool has_errors() const;
  // In the order of the text.
  std::vector<LintFinding> sorted() const;

 private:
  std::string origin_;
  std::vector<LintFinding> list_;
};

// The findings as kInvalid "policy_invalid": the first error as the message, all of them in `detail`.
Error to_error(const std::vector<LintFinding>& findings, const std::string& origin);

}  // namespace mlops::policy
