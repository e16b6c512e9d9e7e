// A test a policy carries: `given` a row, `expect` its cells; or `given` what a promotion shows, `expect` the decision.
// docs/policies.md describes both. The values are the author's own. Thread-safety: values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/yaml.h"
#include "core/model/facts.h"

namespace mlops::policy {

class Findings;
class Policy;

struct InlineTest {
  std::string note;
  YamlNode given;
  YamlNode expect;
  std::string because;
  YamlMark mark;

  bool is_of_row() const { return given.find("row") != nullptr; }
};

// In the order of the text.
const std::vector<InlineTest>& inline_tests(const Policy& policy);

// What `given` says of a promotion: everything unsaid passes the gates of the server and shows nothing to the policy's.
struct GivenFacts {
  model::PromotionFacts facts;
  std::optional<TimestampUs> at;
};
// REQUIRES: not a test of a row. What is wrong goes to `findings`. `kind` is that of the version where none is listed.
GivenFacts read_given(const YamlNode& given, model::ArtifactKind kind, Findings& findings);

// What came of one test.
struct TestResult {
  std::string name;  // its note, else its number
  std::string file;
  int line = 0;
  std::vector<std::string> problems;  // expected and got; empty: passed
  bool passed() const { return problems.empty(); }
};
// The name and place of the test, nothing tried yet.
TestResult result_of(const InlineTest& test, std::size_t number, const std::string& origin);

}  // namespace mlops::policy
