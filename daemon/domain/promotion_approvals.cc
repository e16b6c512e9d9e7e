// A person's word on a plan: taken, signed or not, and counted as long as nothing voids it.
#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "core/crypto/sign.h"
#include "core/model/names.h"
#include "daemon/domain/promotion.h"

namespace mlops::domain {
namespace {

using Decision = ApprovalRequest::Decision;

struct DecisionRow {
  Decision decision;
  std::string_view word;    // as it is kept
  std::string_view action;  // of the audit entry
};
constexpr DecisionRow kDecisions[] = {{Decision::kApprove, "approve", "plan.approve"},
                                      {Decision::kReject, "reject", "plan.reject"},
                                      {Decision::kWithdraw, "withdrawn", "plan.withdraw"}};

const DecisionRow& row_of(Decision decision) {
  return *std::find_if(std::begin(kDecisions), std::end(kDecisions),
                       [&](const DecisionRow& row) { return row.decision == decision; });
}

Status check_may_decide(const model::Principal& who, const meta::PlanRow& row, const Draft& draft, Decision decision) {
  if (!who.is_human) {
    return fail(ErrorCode::kDenied, "not_a_person", fmt::format("{} is a service; a person decides", who.name));
  }
  if (row.requested_by_id == who.id) {
    return fail(ErrorCode::kDenied, "own_plan", fmt::format("{} requested this plan and cannot decide it", who.name),
                "a second person approves or rejects it");
  }
  if (decision == Decision::kApprove && draft.rollout_by == who.name) {
    return fail(ErrorCode::kDenied, "own_plan",
                fmt::format("{} started the rollout this plan belongs to and cannot approve it", who.name),
                "a second person approves it");
  }
  // An author may say no.
  if (decision == Decision::kApprove && draft.authors.contains(who.name)) {
    return fail(ErrorCode::kDenied, "author",
                fmt::format("{} registered what this plan moves and cannot approve it", who.name),
                "another person approves it");
  }
  return {};
}

std::string word_list(const std::vector<model::Role>& roles) {
  std::string words;
  for (const auto role : roles) words += (words.empty() ? "" : " ") + std::string(to_word(role));
  return words;
}

}  // namespace

// A person with a key of theirs must use it: else whoever steals the token could do without.
Result<meta::ApprovalRow> Promotion::signed_approval(sql::Connection& connection, const model::Principal& who,
                                                     const ApprovalRequest& request, const model::Plan& plan) {
  meta::ApprovalRow row;
  row.meaning = request.meaning;
  if (request.decision == Decision::kWithdraw) return row;
  if (request.key_id.empty()) {
    MLOPS_ASSIGN(const auto keys, meta::list_signing_keys(connection, who.id));
    // Also when it was revoked or has expired: else a stolen token would revoke it and go without.
    if (keys.empty()) return row;
    return fail(ErrorCode::kInvalid, "signature_needed", fmt::format("{} has a signing key and must sign", who.name),
                "run `mlopsctl approve` where the key is, or give --signing-key FILE; after a loss an administrator "
                "registers a new one");
  }
  MLOPS_ASSIGN(const auto key, meta::get_signing_key(connection, request.key_id));
  if (key.principal_id != who.id) {
    return fail(ErrorCode::kInvalid, "bad_signature", fmt::format("the key {} is not one of {}", key.id, who.name));
  }
  if (!key.is_live(store_.now_us())) {
    return fail(ErrorCode::kInvalid, "bad_signature", fmt::format("the key {} was revoked or has expired", key.id),
                "`mlopsctl key add` makes a new one");
  }
  model::ApprovalStatement statement{plan.id, plan.digest, plan.kind, plan.environment, {}, {}, {}, {}, {}, who.name};
  for (const auto& member : plan.members) statement.members.push_back(member.ref + " " + member.digest);
  if (plan.expires_at_us != 0) statement.expires_at = format_rfc3339(plan.expires_at_us);
  statement.decision = row_of(request.decision).word;
  statement.meaning = request.meaning;
  statement.reason = request.reason;
  row.statement = model::statement_text(statement);
  if (!crypto::verify_signature(key.public_key, row.statement, request.signature)) {
    return fail(ErrorCode::kInvalid, "bad_signature",
                "the signature does not fit what would be recorded: another key, plan, meaning or reason",
                "run `mlopsctl approve` again");
  }
  row.key_id = key.id;
  row.signature = request.signature;
  return row;
}

Result<model::Plan> Promotion::decide(const meta::Actor& actor, const ApprovalRequest& request, meta::Commit commit) {
  MLOPS_TRY(model::check_free_text(request.reason, "reason"));
  MLOPS_TRY(model::check_free_text(request.meaning, "meaning"));
  const auto& who = actor.principal;
  return store_.write<model::Plan>(actor, commit, [&](meta::WriteTx& tx) -> Result<model::Plan> {
    MLOPS_ASSIGN(const auto row, meta::find_plan(tx.sql(), request.plan_id));
    MLOPS_ASSIGN(const auto wish, wish_of_plan(tx.sql(), row.id));  // open, or an error that says what it is
    MLOPS_ASSIGN(const auto now, draft(tx.sql(), wish));
    MLOPS_TRY(check_may_decide(who, row, now, request.decision));
    if (now.plan.digest != row.digest) return stale_plan(row.id);
    MLOPS_ASSIGN(auto shown, plan_of_row(tx.sql(), row));
    MLOPS_ASSIGN(auto approval, signed_approval(tx.sql(), who, request, shown));
    if (request.decision == Decision::kWithdraw) {
      const bool has_said = std::any_of(shown.approvals.begin(), shown.approvals.end(), [&](const auto& one) {
        return one.by == who.name && one.decision == row_of(Decision::kApprove).word;
      });
      if (!has_said) {
        return fail(ErrorCode::kConflict, "nothing_to_withdraw",
                    fmt::format("{} has not approved this plan", who.name));
      }
    }
    const auto& decision = row_of(request.decision);
    tx.begin_entry(std::string(decision.action), move_text(shown), request.reason);
    approval.id = tx.new_id();
    approval.plan_id = row.id;
    approval.plan_digest = row.digest;
    approval.principal_id = who.id;
    approval.decision = decision.word;
    approval.reason = request.reason;
    approval.created_at_us = tx.now_us();
    approval.roles = word_list(who.roles);
    MLOPS_TRY(meta::upsert_approval(tx, approval));
    if (request.decision == Decision::kReject) MLOPS_TRY(meta::set_plan_state(tx, row.id, "rejected"));
    MLOPS_ASSIGN(const auto fresh, meta::find_plan(tx.sql(), row.id));
    MLOPS_ASSIGN(shown, plan_of_row(tx.sql(), fresh));
    if (request.decision == Decision::kReject) return shown;
    MLOPS_ASSIGN(auto after, draft(tx.sql(), wish));
    shown.gates = std::move(after.plan.gates);
    shown.verdict = after.plan.verdict;
    shown.approvals = std::move(after.plan.approvals);
    shown.shadows = std::move(after.plan.shadows);
    return shown;
  });
}

// Why an approval does not count; empty: it does. One that a rollback brings along counted when its release was
// promoted.
Result<std::string> Promotion::why_void(sql::Connection& connection, const Wish& wish, const Draft& draft,
                                        const meta::ApprovalRow& row) {
  if (row.principal_id == wish.requested_by_id) return std::string("asked for the change");
  if (row.principal_id == wish.executed_by_id) return std::string("carries the change out");
  if (!draft.rollout_by.empty() && row.principal_name == draft.rollout_by) return std::string("started the rollout");
  if (wish.plan_id.empty()) return std::string();
  if (row.plan_digest != wish.plan_digest) return std::string("was given to another plan");
  if (draft.authors.contains(row.principal_name)) return std::string("registered what is moved");
  const auto now_us = store_.now_us();
  MLOPS_ASSIGN(const bool may, meta::holds_scope(connection, row.principal_id, model::Scope::kReleaseApprove, now_us));
  if (!may) return std::string("may not approve any more");
  if (row.key_id.empty()) return std::string();
  MLOPS_ASSIGN(const auto key, meta::get_signing_key(connection, row.key_id));
  if (key.is_live(now_us)) return std::string();
  return std::string(key.revoked_at_us ? "the signing key was revoked" : "the signing key has expired");
}

namespace {

// What a person's approvals of several plans have in common: no more than the weakest of them says.
void weaken(meta::ApprovalRow& row, const meta::ApprovalRow& other) {
  const auto others = split(other.roles, ' ');
  std::string roles;
  for (const auto role : split(row.roles, ' ')) {
    if (std::find(others.begin(), others.end(), role) == others.end()) continue;
    roles += (roles.empty() ? "" : " ") + std::string(role);
  }
  row.roles = std::move(roles);
  row.created_at_us = std::min(row.created_at_us, other.created_at_us);
  if (other.key_id.empty()) row.key_id.clear();
  if (row.meaning != other.meaning) row.meaning.clear();
}

// Of several releases that come back at once, approvals count that each of them had.
Result<std::vector<meta::ApprovalRow>> common_approvals(sql::Connection& connection,
                                                        const std::vector<std::string>& plan_ids,
                                                        std::set<std::string>& lacking) {
  const auto approve = row_of(Decision::kApprove).word;
  MLOPS_ASSIGN(auto rows, meta::approvals_of(connection, plan_ids.front()));
  for (std::size_t i = 1; i < plan_ids.size(); ++i) {
    MLOPS_ASSIGN(const auto others, meta::approvals_of(connection, plan_ids[i]));
    for (auto& row : rows) {
      const auto other = std::find_if(others.begin(), others.end(), [&](const auto& one) {
        return one.principal_id == row.principal_id && one.decision == approve;
      });
      if (other == others.end())
        lacking.insert(row.principal_id);
      else
        weaken(row, *other);
    }
  }
  return rows;
}

}  // namespace

// Approvals are bound to the digest they were given for. A rollback brings along those its release had when it ran
// here before: going back in an incident must not wait, and today's gate still counts them.
Status Promotion::add_approvals(sql::Connection& connection, const Wish& wish, Draft& draft) {
  auto plan_ids = wish.earlier_plan_ids;
  if (wish.kind != "rollback" || !wish.plan_id.empty()) plan_ids = {wish.plan_id};
  if (plan_ids.empty() || plan_ids.front().empty()) return {};
  std::set<std::string> lacking;
  MLOPS_ASSIGN(const auto rows, common_approvals(connection, plan_ids, lacking));
  for (const auto& row : rows) {
    MLOPS_ASSIGN(auto why, why_void(connection, wish, draft, row));
    if (why.empty() && lacking.contains(row.principal_id)) why = "was not given to all that comes back";
    const bool counts = why.empty() && row.decision == row_of(Decision::kApprove).word;
    draft.plan.approvals.push_back({row.principal_name, row.decision, row.reason, row.created_at_us, row.meaning,
                                    row.key_id, row.statement, row.signature, std::move(why)});
    if (!counts) continue;
    model::ApprovalFact fact{row.principal_name, {}, row.is_human, row.meaning, row.key_id, row.created_at_us};
    for (const auto role : split(row.roles, ' ')) fact.roles.emplace_back(role);
    draft.facts.approvals.push_back(std::move(fact));
  }
  return {};
}

}  // namespace mlops::domain
