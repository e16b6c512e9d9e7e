// What a person says about models, and what still stops a promotion.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/text.h"
#include "core/model/names.h"
#include "core/model/reference.h"
#include "daemon/domain/erasure.h"
#include "storage/meta/lineage.h"
#include "storage/meta/versions.h"

namespace mlops::domain {
namespace {

bool is_decided(const std::string& state) {
  return state == "assessed" || state == "accepted";
}
bool stops(const std::string& state) {
  return state == "undecided" || state == "retrained" || state == "kept" || state == "pending";
}

// The versions that a version was made from, itself first; masked and rewritten ones left their causes behind.
Result<std::vector<std::string>> ancestry(sql::Connection& connection, const std::string& version_id) {
  std::vector<std::string> ids{version_id};
  std::set<std::string> seen{version_id};
  for (std::size_t i = 0; i < ids.size(); ++i) {
    MLOPS_ASSIGN(const auto edges, meta::edges_of(connection, ids[i], meta::Direction::kUp));
    for (const auto& edge : edges) {
      if (edge.role == "masked" || edge.role == "erased") continue;
      if (seen.insert(edge.from_version_id).second) ids.push_back(edge.from_version_id);
    }
  }
  return ids;
}

Status check_words(const ErasureDecision& decision) {
  if (decision.kind == ErasureDecision::Kind::kAssessed && !crypto::Digest::parse(decision.detail)) {
    return fail(ErrorCode::kInvalid, "bad_decision", "an assessment is named by the digest of its document",
                "sha256: and 64 digits, as sha256sum prints them");
  }
  if (decision.kind != ErasureDecision::Kind::kAccepted) return {};
  MLOPS_TRY(model::check_free_text(decision.detail, "reason"));
  if (!trim(decision.detail).empty()) return {};
  return fail(ErrorCode::kInvalid, "reason_needed", "accepting needs a reason", "give it with --accept");
}

// A replacement stands on its own: nothing it was made from is touched by the erasure.
Status check_retrained(sql::Connection& connection, const model::Version& old, const model::Version& fresh,
                       const std::string& erasure_id) {
  if (fresh.deleted_at_us != 0 || fresh.id == old.id || fresh.kind != old.kind) {
    return fail(ErrorCode::kInvalid, "bad_decision",
                fmt::format("{} cannot replace {}", fresh.typed_ref(), old.typed_ref()), "name another live version");
  }
  MLOPS_ASSIGN(const auto ids, ancestry(connection, fresh.id));
  for (const auto& id : ids) {
    MLOPS_ASSIGN(const auto items, meta::erasure_items_of_version(connection, id));
    const bool touched =
        std::any_of(items.begin(), items.end(), [&](const auto& item) { return item.erasure_id == erasure_id; });
    if (!touched) continue;
    MLOPS_ASSIGN(const auto cause, meta::get_version(connection, id));
    return fail(ErrorCode::kRefused, "retrained_on_erased",
                fmt::format("{} was made from {}, which the erasure touches, too", fresh.ref(), cause.ref()),
                "train it on the rewritten dataset");
  }
  return {};
}

// The version's own items that wait for a word; for erasures that reach it only through what it was made from, new
// ones.
Result<std::vector<meta::ErasureItemRow>> waiting_items(meta::WriteTx& tx, const model::Version& version) {
  MLOPS_ASSIGN(auto items, meta::erasure_items_of_version(tx.sql(), version.id));
  MLOPS_ASSIGN(const auto facts, open_erasures(tx.sql(), version.id));
  std::set<std::string> own;
  for (const auto& item : items) own.insert(item.erasure_id);
  std::erase_if(items, [](const auto& item) { return item.state != "undecided"; });
  for (const auto& fact : facts) {
    if (!own.insert(fact.erasure_id).second) continue;
    MLOPS_ASSIGN(const auto all, meta::erasure_items_of(tx.sql(), fact.erasure_id));
    meta::ErasureItemRow item;
    item.erasure_id = fact.erasure_id;
    item.position = static_cast<std::int64_t>(all.size());
    item.version_id = version.id;
    item.action = model::ErasureAction::kDecide;
    item.state = "undecided";
    items.push_back(std::move(item));
  }
  return items;
}

Status put_word(meta::WriteTx& tx, meta::ErasureItemRow& item, const ErasureDecision& decision,
                const model::Version& fresh) {
  if (item.id.empty()) {
    item.id = tx.new_id();
    MLOPS_TRY(meta::insert_erasure_item(tx, item));
  }
  item.state = std::string(to_word(decision.kind));
  item.replacement_id = fresh.id;
  MLOPS_ASSIGN(auto detail, parse_json(item.detail));
  detail["said"] = fresh.id.empty() ? decision.detail : fresh.typed_ref();
  item.detail = canonical_dump(detail);
  item.settled_by = tx.actor().principal.name;
  item.settled_at_us = tx.now_us();
  return meta::settle_erasure_item(tx, item);
}

}  // namespace

std::string_view to_word(ErasureDecision::Kind kind) {
  constexpr std::string_view kWords[] = {"retrained", "assessed", "accepted"};
  return kWords[static_cast<std::size_t>(kind)];
}

Result<std::vector<ErasureView::Item>> Erasure::decide(const meta::Actor& actor, const ErasureDecision& decision,
                                                       meta::Commit commit) {
  if (!actor.principal.is_human) {
    return fail(ErrorCode::kDenied, "not_a_person",
                fmt::format("{} is a service; a person decides", actor.principal.name));
  }
  MLOPS_TRY(check_words(decision));
  MLOPS_ASSIGN(const auto reference, model::parse_version_reference(decision.ref));
  using Items = std::vector<ErasureView::Item>;
  return store_.write<Items>(actor, commit, [&](meta::WriteTx& tx) -> Result<Items> {
    MLOPS_ASSIGN(const auto version, meta::resolve(tx.sql(), reference));
    model::Version fresh;
    if (decision.kind == ErasureDecision::Kind::kRetrained) {
      MLOPS_ASSIGN(const auto named, model::parse_version_reference(decision.detail));
      MLOPS_ASSIGN(fresh, meta::resolve(tx.sql(), named));
    }
    MLOPS_ASSIGN(auto rows, waiting_items(tx, version));
    if (rows.empty()) {
      return fail(ErrorCode::kNotFound, "nothing_to_decide",
                  fmt::format("no erasure waits for a decision about {}", version.typed_ref()),
                  "`mlopsctl erase list` shows all");
    }
    const auto said = fresh.id.empty() ? decision.detail : fresh.typed_ref();
    tx.begin_entry("erasure.decide", version.typed_ref(), fmt::format("{}: {}", to_word(decision.kind), said));
    Items items;
    for (auto& row : rows) {
      if (!fresh.id.empty()) MLOPS_TRY(check_retrained(tx.sql(), version, fresh, row.erasure_id));
      MLOPS_TRY(put_word(tx, row, decision, fresh));
      items.push_back({row, version.typed_ref(), fresh.id.empty() ? std::string() : fresh.typed_ref()});
    }
    return items;
  });
}

Result<std::vector<model::ErasureFact>> open_erasures(sql::Connection& connection, const std::string& version_id) {
  MLOPS_ASSIGN(const auto ids, ancestry(connection, version_id));
  std::set<std::string> decided;  // about the version itself: that covers what it was made from
  std::vector<model::ErasureFact> facts;
  for (const auto& id : ids) {
    MLOPS_ASSIGN(const auto items, meta::erasure_items_of_version(connection, id));
    // Kept for a hold once, and erased since.
    const bool is_gone = std::any_of(items.begin(), items.end(), [](const auto& item) { return item.state == "done"; });
    for (const auto& item : items) {
      if (id == version_id && is_decided(item.state)) decided.insert(item.erasure_id);
      const bool is_over = is_gone && (item.state == "kept" || item.state == "pending");
      if (!stops(item.state) || is_over || decided.contains(item.erasure_id)) continue;
      MLOPS_ASSIGN(const auto version, meta::get_version(connection, id));
      model::ErasureFact fact{item.erasure_id, version.ref(), item.state, {}};
      if (!item.replacement_id.empty()) {
        MLOPS_ASSIGN(const auto replacement, meta::get_version(connection, item.replacement_id));
        fact.detail = replacement.ref();
      }
      facts.push_back(std::move(fact));
    }
  }
  return facts;
}

}  // namespace mlops::domain
