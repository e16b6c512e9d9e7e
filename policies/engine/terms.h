// What a policy says beside its rules and gates: how it is enforced, how far data is read, the risk a release may
// carry, how long data stays and where, what it is for, how it is erased, what was excepted and attested.
//
// Read from `spec`, merged with the packs toward restriction, available as Policy::terms(). Some of it the server
// enforces, the rest is declared evidence: a pack can ask for it (Requirement), lint and evaluation see whether it is
// there, and `policy explain` shows it. docs/policies.md describes the keys. Thread-safety: values, pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "policies/engine/marked.h"
#include "policies/engine/period.h"

namespace mlops::policy {

// The word lists; every enum below is in the order of its list, the strictest last.
enum class EnforcementMode { kDryRun, kWarn, kEnforce };          // dryrun, warn, enforce
enum class OnRisk { kSuppressRecords, kDeny };                    // suppress_records, deny
enum class RetentionFrom { kLastUse, kCreated };                  // last_use, created
enum class RetentionAction { kFlag, kDelete, kShred };            // flag, delete, shred
enum class TransferBasis { kDerogation, kScc, kBcr, kAdequacy };  // derogation_art49, scc, bcr, adequacy
enum class OnMissingConsent { kExcludeRecord, kDeny };            // exclude_record, deny
std::string_view to_word(EnforcementMode word);
std::string_view to_word(OnRisk word);
std::string_view to_word(RetentionFrom word);
std::string_view to_word(RetentionAction word);
std::string_view to_word(TransferBasis word);
std::string_view to_word(OnMissingConsent word);

// What is evaluated wherever the policy is and decides nothing: another policy, and gates of the policy itself. Their
// verdicts are recorded with the decision. From its end on the other policy is left alone, and the gates bind.
struct Shadow {
  Marked<std::string> policy;              // "clinical-prod@3.3.0-rc1"; empty: none
  std::vector<Marked<std::string>> gates;  // ids
  std::string until;                       // empty: no end
  TimestampUs until_us = 0;
  bool is_set() const { return !policy.value.empty() || !gates.empty(); }
  bool is_live(TimestampUs at) const { return is_set() && (until_us == 0 || at < until_us); }
  bool holds(std::string_view gate, TimestampUs at) const;  // the gate is in shadow then
};
// A policy as `shadow` names it: without a version the applied one is meant.
struct PolicyName {
  std::string name;
  std::string version;
};
PolicyName parse_policy_name(std::string_view text);  // "clinical-prod@3.3.0-rc1"

struct Enforcement {
  EnforcementMode mode = EnforcementMode::kEnforce;
  Shadow shadow;
};

// How far the values of a table are read. Every row is read always.
struct ScanSettings {
  std::int64_t nested_depth = 64;
  bool free_text = true;  // detectors of free text run over it
  std::vector<std::string> decode{"base64", "percent", "gzip"};
  double max_decode_ratio = 100;  // decoded bytes per byte; beyond it the cell counts as unreadable
};

// l-diversity and t-closeness of one sensitive column (Machanavajjhala 2006, Li 2007).
struct LDiversity {
  Marked<std::string> attribute;
  std::optional<std::int64_t> distinct;
  std::optional<double> entropy;  // l of entropy l-diversity: the entropy of every class is at least ln(l)
};
struct TCloseness {
  Marked<std::string> attribute;
  double max = 1;
};
struct Risk {
  std::vector<Marked<std::string>> quasi_identifiers;  // columns
  std::optional<std::int64_t> k;
  std::vector<LDiversity> l;
  std::vector<TCloseness> t;
  std::optional<OnRisk> on_fail;  // nullopt: deny
  bool is_set() const { return k.has_value() || !l.empty() || !t.empty(); }
};

struct Retention {
  std::optional<Period> max;
  std::optional<RetentionFrom> from;      // nullopt: created
  std::optional<RetentionAction> action;  // nullopt: flag
  std::optional<Period> audit_log_min;
  std::string policy_document;
  std::string legal_hold;  // "overrides" or empty; a hold is always stronger
};

struct Transfer {
  Marked<std::string> region;  // "us-*"
  TransferBasis basis = TransferBasis::kDerogation;
  std::string id;  // of the agreement or decision; "required": each transfer names its own
};
struct Residency {
  std::optional<std::vector<std::string>> allowed;  // nullopt: nothing said
  std::vector<Transfer> transfers;
};
struct RegionVerdict {
  bool allowed = false;
  std::string reason;
};
// Whether data under these terms may be in `region`. `transfer_id`: what this transfer names, or empty. Without any
// residency terms every region is allowed; with them an unnamed region ("") is not. Source: GDPR Chapter V.
RegionVerdict permits_region(const Residency& residency, std::string_view region, std::string_view transfer_id);

struct Consent {
  Marked<std::string> field;  // the column that holds the id of the consent
  std::vector<std::string> required_for;
  std::vector<std::string> separate;  // uses that need a consent of their own
  std::optional<std::int64_t> min_age;
  Marked<std::string> age_field;  // the column with the age; empty: everybody counts as below min_age
  OnMissingConsent on_missing = OnMissingConsent::kDeny;
};
struct Purpose {
  std::vector<std::string> declared;
  std::string lawful_basis;          // "art6_1_e"
  std::string lawful_basis_special;  // "art9_2_j"
  std::string special_category_condition;
  std::string dpia;
  std::string controller;
  std::string audience;  // general, mixed, child_directed
  std::optional<Consent> consent;
};
// Whether a use is among the declared purposes; no declaration allows none.
bool permits_use(const Purpose& purpose, std::string_view use);

struct Erasure {
  Marked<std::string> subject_key;  // the column whose value names the person
  std::optional<Period> sla;
  std::string datasets;       // rewrite, shred, rewrite_or_shred
  std::string models_action;  // flag, flag_and_block_promotion
  std::optional<Period> retrain_within;
  std::string backups;  // expire, crypto_shred
};

// A written exception: what it lets through, for what, why, who said so, until when.
struct Exception {
  Marked<std::string> id;
  Marked<std::string> gate;  // a gate's id, or what of a pack: "class:us_ssn", "column:note", "residual.max_findings"
  std::string scope;         // "dataset:pilot", "dataset:pilot@sha256:…", "*"
  std::string reason;
  std::string approver;
  TimestampUs expires_us = 0;
  std::string expires;
};
// Whether `scope` speaks about a version: its "kind:name" and, where the scope has one, its digest. '*' in the scope's
// name stands for any text.
bool scope_covers(std::string_view scope, std::string_view typed_name, std::string_view digest);

// A statement somebody signed (attestations) or a document somebody keeps (evidence).
struct Statement {
  Marked<std::string> name;  // "no_actual_knowledge"
  std::string ref;
  std::string by;
  std::string at;
  std::string digest;
  std::string expires;
  TimestampUs expires_us = 0;  // 0: never
};

// 45 CFR 164.514(b)(1): who determined that the risk is very small, how, and for how long that holds.
struct Expert {
  std::string name;
  std::string method;
  std::optional<double> risk_threshold;
  std::string scope;
  std::string document_digest;
  std::string expires;
  TimestampUs expires_us = 0;
};

// Evidence a pack asks for: a path into `spec` that must be there, and what it must be.
struct Requirement {
  std::string pack;          // origin of the row
  Marked<std::string> path;  // "retention.audit_log_min"; '*' stands for any key or item
  std::string cite;
  std::string why;
  std::string at_least;  // a period or a number
  std::string at_most;
  std::vector<std::string> one_of;
  std::vector<std::string> holds;       // the list there must hold each of these
  std::vector<std::string> when_class;  // asked for only when a column of one of these classes is declared
  std::string when_path;                // …or when this path is there
  bool before_promotion = false;        // masking may go on without it, a promotion may not
  bool is_met = false;                  // set when policy and packs are merged
};

struct InForce {
  std::string origin;
  TimestampUs from_us = 0;
  bool is_pack = false;  // a pack of a later law already binds who extends it; lint tells that it is early
};

struct Terms {
  std::vector<InForce> effective;  // of the policy and of its packs, where they say so
  Enforcement enforcement;
  ScanSettings scan;
  std::vector<std::string> levels{"public", "internal", "confidential", "restricted"};
  Risk risk;
  Retention retention;
  Residency residency;
  Purpose purpose;
  Erasure erasure;
  std::vector<Exception> exceptions;
  std::vector<Statement> attestations;
  std::vector<Statement> evidence;
  std::optional<Expert> expert;
  std::vector<Requirement> requirements;
};

}  // namespace mlops::policy
