// The policy's own tests: each is of a form that can be run and speaks about columns the policy knows.
#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "policies/engine/draft.h"
#include "policies/engine/reader.h"

namespace mlops::policy {
namespace {

void check_row_columns(const Draft& draft, const YamlNode& cells, Findings& findings) {
  std::vector<std::string> words;
  for (const auto& column : draft.own.columns) words.push_back(column.name.value);
  for (const auto& [key, value] : cells.entries) {
    if (draft.declared(key.scalar)) continue;
    findings.error(
        key.mark, "unknown_column",
        fmt::format("a test names '{}', which classification.columns does not declare", printable(key.scalar)),
        suggestion(key.scalar, words));
  }
}

bool is_expectation(const YamlNode& cell) {
  if (cell.is_scalar() || cell.is_null()) return true;
  if (!cell.is_map() || cell.entries.size() != 1) return false;
  const auto& [key, value] = cell.entries.front();
  const bool truth = value.scalar == "true" || value.scalar == "false";
  return value.is_scalar() && (key.scalar == "not" || (key.scalar == "changed" && truth));
}

void check_row_test(const Draft& draft, const InlineTest& test, const YamlNode& row, Findings& findings) {
  if (test.given.entries.size() != 1) {
    findings.error(test.given.mark, "bad_test", "a test of a row is given `row` and nothing else");
  }
  if (!row.is_map() || row.entries.empty()) {
    findings.error(row.mark, "bad_test", "row must be a map of column to cell");
    return;
  }
  check_row_columns(draft, row, findings);
  for (const auto& [key, value] : row.entries) {
    if (value.is_scalar() || value.is_null()) continue;
    findings.error(value.mark, "bad_test", fmt::format("the cell of '{}' must be text", printable(key.scalar)));
  }
  if (test.expect.is_scalar() && test.expect.scalar == "refuse") return;
  if (!test.expect.is_map()) {
    findings.error(test.expect.mark, "bad_test", "a test of a row expects a map of column to cell, or refuse",
                   "expect: {zip: \"021\"}");
    return;
  }
  check_row_columns(draft, test.expect, findings);
  for (const auto& [key, value] : test.expect.entries) {
    if (is_expectation(value)) continue;
    findings.error(value.mark, "bad_test", fmt::format("what '{}' must hold cannot be read", printable(key.scalar)),
                   "text, null (the column goes), {not: TEXT} or {changed: true}");
  }
}

void check_decision_test(const Draft& draft, const InlineTest& test, Findings& findings) {
  read_given(test.given, draft.kinds().front(), findings);
  Reader reader(findings);
  reader.word(test.expect, "expect", {"allow", "deny", "pending"});
  if (test.because.empty()) return;
  std::vector<std::string> ids{"integrity", "lifecycle", "order",     "clearance", "approvals",
                               "reason",    "in_force",  "residency", "purpose"};
  for (const auto* document : draft.all()) {
    for (const auto& gate : document->gates) ids.push_back(gate.id);
  }
  if (std::find(ids.begin(), ids.end(), test.because) != ids.end()) return;
  findings.error(test.mark, "unknown_gate", fmt::format("there is no gate '{}'", printable(test.because)),
                 suggestion(test.because, ids));
}

}  // namespace

void check_tests(const Draft& draft, Findings& findings) {
  for (const auto& test : draft.own.tests) {
    if (!test.given.is_map()) {
      findings.error(test.given.mark, "bad_test", "given must be a map", "given: {row: {zip: \"03601\"}}");
    } else if (const auto* row = test.given.find("row")) {
      check_row_test(draft, test, *row, findings);
    } else {
      check_decision_test(draft, test, findings);
    }
  }
}

}  // namespace mlops::policy
