// exceptions, attestations, evidence, expert, tests: what people wrote down about a policy.
#include <fmt/format.h>

#include "core/base/text.h"
#include "policies/engine/document.h"
#include "policies/engine/section.h"

namespace mlops::policy {
namespace {

void read_exception(const YamlNode& node, Document& document, Findings& findings) {
  Section section(node, "an exception", findings, {"id", "gate", "scope", "reason", "approver", "expires"});
  if (!section) return;
  Exception row;
  section.text("id", row.id);
  section.text("gate", row.gate);
  section.text("scope", row.scope);
  section.text("reason", row.reason);
  section.text("approver", row.approver);
  section.date("expires", row.expires, row.expires_us);
  section.need("id", row.id.value);
  section.need("gate", row.gate.value);
  section.need("scope", row.scope);
  section.need("reason", row.reason);
  section.need("approver", row.approver);
  if (!section.find("expires")) {
    findings.error(node.mark, "missing_key", "an exception needs `expires`: it does not hold for ever",
                   "expires: 2026-12-31");
  }
  document.exceptions.push_back(std::move(row));
}

// `name: "DUA-2026-17"`, or a map that says more.
void read_statement(const YamlNode& key, const YamlNode& value, std::string_view what, std::vector<Statement>& list,
                    Findings& findings) {
  Statement row;
  row.name = {key.scalar, key.mark};
  if (value.is_scalar()) {
    Reader reader(findings);
    row.ref = reader.text(value, what).value_or("");
    if (row.ref.empty()) findings.error(value.mark, "missing_key", fmt::format("{} is empty", what));
    list.push_back(std::move(row));
    return;
  }
  Section section(value, fmt::format("{}.{}", what, printable(key.scalar)), findings,
                  {"ref", "by", "at", "digest", "expires"});
  if (!section) return;
  TimestampUs at_us = 0;
  section.text("ref", row.ref);
  section.text("by", row.by);
  section.date("at", row.at, at_us);
  section.text("digest", row.digest);
  section.date("expires", row.expires, row.expires_us);
  section.need("ref", row.ref);
  list.push_back(std::move(row));
}

void read_statements(const YamlNode& node, std::string_view what, std::vector<Statement>& list, Findings& findings) {
  if (!node.is_map()) {
    findings.error(node.mark, "wrong_type", fmt::format("{} must be a map of name to {{ref, by, at, …}}", what));
    return;
  }
  for (const auto& [key, value] : node.entries) read_statement(key, value, what, list, findings);
}

void read_test(const YamlNode& node, Document& document, Findings& findings) {
  Section section(node, "a test", findings, {"note", "given", "expect", "because"});
  if (!section) return;
  InlineTest test;
  test.mark = node.mark;
  section.text("note", test.note);
  section.text("because", test.because);
  const auto* given = section.find("given");
  const auto* expect = section.find("expect");
  if (!given || !expect) {
    findings.error(node.mark, "missing_key", fmt::format("a test needs `{}`", given ? "expect" : "given"));
    return;
  }
  test.given = *given;
  test.expect = *expect;
  document.tests.push_back(std::move(test));
}

}  // namespace

void read_exceptions(const YamlNode& node, Document& document, Findings& findings) {
  Reader reader(findings);
  for (const auto& item : reader.sequence(node, "exceptions")) read_exception(item, document, findings);
}

void read_attestations(const YamlNode& node, Document& document, Findings& findings) {
  read_statements(node, "attestations", document.attestations, findings);
}

void read_evidence(const YamlNode& node, Document& document, Findings& findings) {
  read_statements(node, "evidence", document.evidence, findings);
}

void read_expert(const YamlNode& node, Document& document, Findings& findings) {
  Section section(node, "expert", findings,
                  {"name", "method", "risk_threshold", "scope", "expires", "document_digest"});
  if (!section) return;
  document.expert_mark = node.mark;
  Expert expert;
  section.text("name", expert.name);
  section.text("method", expert.method);
  section.number("risk_threshold", 0, 1, expert.risk_threshold);
  section.text("scope", expert.scope);
  section.text("document_digest", expert.document_digest);
  section.date("expires", expert.expires, expert.expires_us);
  section.need("name", expert.name);
  section.need("method", expert.method);
  document.expert = std::move(expert);
}

void read_tests(const YamlNode& node, Document& document, Findings& findings) {
  Reader reader(findings);
  for (const auto& item : reader.sequence(node, "tests")) read_test(item, document, findings);
}

}  // namespace mlops::policy
