// enforcement, risk, retention, residency, erasure: the terms a policy sets for data and models.
#include <fmt/format.h>

#include <array>

#include "core/base/text.h"
#include "policies/engine/document.h"
#include "policies/engine/section.h"

namespace mlops::policy {
namespace {

using Words = std::vector<std::string>;

constexpr std::int64_t kMostK = 1'000'000;
constexpr double kMostL = 1'000'000;

const Words kModes{"dryrun", "warn", "enforce"};
const Words kOnRisk{"suppress_records", "deny"};
const Words kRetentionFrom{"last_use", "created"};
const Words kRetentionActions{"flag", "delete", "shred"};
const Words kTransferBases{"derogation_art49", "scc", "bcr", "adequacy"};

template <class Enum>
std::string_view word_of(const Words& words, Enum value) {
  return words[static_cast<std::size_t>(value)];
}

void read_l(const YamlNode& node, Risk& risk, Findings& findings) {
  Section section(node, "risk.require.l", findings, {"attr", "distinct", "entropy"});
  if (!section) return;
  LDiversity row;
  section.text("attr", row.attribute);
  section.integer("distinct", 2, kMostK, row.distinct);
  section.number("entropy", 1, kMostL, row.entropy);
  section.need("attr", row.attribute.value);
  if (row.distinct.has_value() == row.entropy.has_value()) {
    findings.error(node.mark, "bad_risk", "l takes exactly one of `distinct` and `entropy`",
                   "l: {attr: diagnosis, distinct: 3}");
    return;
  }
  risk.l.push_back(std::move(row));
}

void read_t(const YamlNode& node, Risk& risk, Findings& findings) {
  Section section(node, "risk.require.t", findings, {"attr", "max"});
  if (!section) return;
  TCloseness row;
  section.text("attr", row.attribute);
  section.need("attr", row.attribute.value);
  std::optional<double> max;
  section.number("max", 0, 1, max);
  if (!max) {
    if (!section.find("max"))
      findings.error(node.mark, "missing_key", "t needs `max`", "t: {attr: diagnosis, max: 0.3}");
    return;
  }
  row.max = *max;
  risk.t.push_back(std::move(row));
}

// One map, or a list of them for several columns.
void one_or_more(const YamlNode* node, Risk& risk, Findings& findings,
                 void (*read)(const YamlNode&, Risk&, Findings&)) {
  if (!node) return;
  if (!node->is_sequence()) return read(*node, risk, findings);
  for (const auto& item : node->items) read(item, risk, findings);
}

void read_transfer(const YamlNode& key, const YamlNode& value, Residency& residency, Findings& findings) {
  Section section(value, fmt::format("transfer '{}'", printable(key.scalar)), findings, {"basis", "id"});
  if (!section) return;
  Transfer transfer;
  transfer.region = {key.scalar, key.mark};
  std::optional<TransferBasis> basis;
  section.word("basis", kTransferBases, basis);
  section.text("id", transfer.id);
  if (!section.find("basis")) findings.error(value.mark, "missing_key", "a transfer needs a `basis`", "basis: scc");
  section.need("id", transfer.id);
  if (!basis) return;
  transfer.basis = *basis;
  residency.transfers.push_back(std::move(transfer));
}

// "us-*" against "us-east"; '*' stands for any text.
bool glob_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p, ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

// `NAME@VERSION`, or {policy: NAME@VERSION, gates: [ID], until: DATE}.
void read_shadow(const YamlNode& node, Document& document, Findings& findings) {
  document.shadow_mark = node.mark;
  if (!node.is_map()) {
    Reader reader(findings);
    if (auto text = reader.text(node, "enforcement.shadow")) document.shadow.policy = {std::move(*text), node.mark};
    return;
  }
  Section section(node, "enforcement.shadow", findings, {"policy", "gates", "until"});
  section.text("policy", document.shadow.policy);
  section.texts("gates", document.shadow.gates);
  section.date("until", document.shadow.until, document.shadow.until_us);
}

// This engine takes away records, or refuses: how to make columns coarser is the policy's to say.
void read_on_fail(Section& section, Document& document) {
  const auto* value = section.find("on_fail");
  if (value && value->scalar == "generalize") {
    section.reader().findings().error(
        value->mark, "on_fail_generalize",
        "risk.on_fail cannot be generalize: no column is made coarser than its rule says",
        "use suppress_records or deny; `mlopsctl policy risk --suggest` proposes coarser rules");
    return;
  }
  section.word("on_fail", kOnRisk, document.risk.on_fail);
}

}  // namespace

bool Shadow::holds(std::string_view gate, TimestampUs at) const {
  const auto is_it = [&](const Marked<std::string>& one) { return one.value == gate; };
  return is_live(at) && std::any_of(gates.begin(), gates.end(), is_it);
}

PolicyName parse_policy_name(std::string_view text) {
  const auto at = text.find('@');
  if (at == std::string_view::npos) return {std::string(text), {}};
  return {std::string(text.substr(0, at)), std::string(text.substr(at + 1))};
}

std::string_view to_word(EnforcementMode word) {
  return word_of(kModes, word);
}
std::string_view to_word(OnRisk word) {
  return word_of(kOnRisk, word);
}
std::string_view to_word(RetentionFrom word) {
  return word_of(kRetentionFrom, word);
}
std::string_view to_word(RetentionAction word) {
  return word_of(kRetentionActions, word);
}
std::string_view to_word(TransferBasis word) {
  return word_of(kTransferBases, word);
}

void read_enforcement(const YamlNode& node, Document& document, Findings& findings) {
  Section section(node, "enforcement", findings, {"mode", "shadow"});
  std::optional<EnforcementMode> mode;
  section.word("mode", kModes, mode);
  if (mode) document.enforcement_mode = {*mode, section.find("mode")->mark};
  if (const auto* shadow = section.find("shadow")) read_shadow(*shadow, document, findings);
}

void read_risk(const YamlNode& node, Document& document, Findings& findings) {
  Section section(node, "risk", findings, {"quasi_identifiers", "require", "on_fail"});
  if (!section) return;
  document.risk_mark = node.mark;
  section.texts("quasi_identifiers", document.risk.quasi_identifiers);
  read_on_fail(section, document);
  const auto* require = section.find("require");
  if (!require) return;
  Section need(*require, "risk.require", findings, {"k", "l", "t"});
  need.integer("k", 2, kMostK, document.risk.k);
  one_or_more(need.find("l"), document.risk, findings, read_l);
  one_or_more(need.find("t"), document.risk, findings, read_t);
}

void read_retention(const YamlNode& node, Document& document, Findings& findings) {
  Section section(node, "retention", findings,
                  {"max", "from", "action", "legal_hold", "audit_log_min", "policy_document"});
  if (!section) return;
  document.retention_mark = node.mark;
  auto& retention = document.retention;
  section.period("max", retention.max);
  section.word("from", kRetentionFrom, retention.from);
  section.word("action", kRetentionActions, retention.action);
  section.word_text("legal_hold", {"overrides"}, retention.legal_hold);
  section.period("audit_log_min", retention.audit_log_min);
  section.text("policy_document", retention.policy_document);
}

void read_residency(const YamlNode& node, Document& document, Findings& findings) {
  Section section(node, "residency", findings, {"allowed", "transfer"});
  if (!section) return;
  document.residency_mark = node.mark;
  if (section.find("allowed")) {
    document.residency.allowed.emplace();
    section.texts("allowed", *document.residency.allowed);
  }
  const auto* transfer = section.find("transfer");
  if (!transfer) return;
  if (!transfer->is_map()) {
    findings.error(transfer->mark, "wrong_type", "residency.transfer must be a map of region to {basis, id}");
    return;
  }
  for (const auto& [key, value] : transfer->entries) read_transfer(key, value, document.residency, findings);
}

void read_erasure(const YamlNode& node, Document& document, Findings& findings) {
  Section section(node, "erasure", findings, {"subject_key", "sla", "datasets", "models", "backups"});
  auto& erasure = document.erasure;
  section.text("subject_key", erasure.subject_key);
  section.need("subject_key", erasure.subject_key.value);
  section.period("sla", erasure.sla);
  section.word_text("datasets", {"rewrite", "shred", "rewrite_or_shred"}, erasure.datasets);
  section.word_text("backups", {"expire", "crypto_shred"}, erasure.backups);
  const auto* models = section.find("models");
  if (!models) return;
  Section model(*models, "erasure.models", findings, {"action", "retrain_within"});
  model.word_text("action", {"flag", "flag_and_block_promotion"}, erasure.models_action);
  model.period("retrain_within", erasure.retrain_within);
}

RegionVerdict permits_region(const Residency& residency, std::string_view region, std::string_view transfer_id) {
  if (!residency.allowed && residency.transfers.empty()) return {true, "no residency terms"};
  if (region.empty()) return {false, "the target names no region"};
  for (const auto& allowed : residency.allowed.value_or(std::vector<std::string>{})) {
    if (glob_matches(allowed, region)) return {true, fmt::format("{} is an allowed region", region)};
  }
  for (const auto& transfer : residency.transfers) {
    if (!glob_matches(transfer.region.value, region)) continue;
    const bool named = transfer.id != "required" || !transfer_id.empty();
    if (!named) return {false, fmt::format("a transfer to {} by {} must name its id", region, to_word(transfer.basis))};
    return {true, fmt::format("{} by {} {}", region, to_word(transfer.basis),
                              transfer.id == "required" ? transfer_id : std::string_view(transfer.id))};
  }
  return {false, fmt::format("{} is not an allowed region and no transfer covers it", region)};
}

bool scope_covers(std::string_view scope, std::string_view typed_name, std::string_view digest) {
  const auto at = scope.find('@');
  if (!glob_matches(scope.substr(0, at), typed_name)) return false;
  return at == std::string_view::npos || scope.substr(at + 1) == digest;
}

}  // namespace mlops::policy
