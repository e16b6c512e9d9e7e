// The end of an application: bytes go, a last search looks, the receipt says what was and what was not done.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/log.h"
#include "daemon/domain/erasure_application.h"

namespace mlops::domain {
namespace {

constexpr std::string_view kSealLabel = "erasure-receipt/v1";
constexpr JsonLimits kReceiptLimits{.size_bytes = 64u << 20, .nodes = 10'000'000};

Json item_json(const ErasureView::Item& item) {
  Json json = {{"version", item.ref},
               {"action", to_word(item.row.action)},
               {"state", item.row.state},
               {"replacement", item.replacement_ref.empty() ? Json(nullptr) : Json(item.replacement_ref)}};
  if (const auto detail = parse_json(item.row.detail); detail) json.update(*detail);
  return json;
}

Json approvals_json(const ErasureView& view) {
  Json list = Json::array();
  for (const auto& one : view.approvals) {
    if (one.decision != "approve" || one.digest != view.row.digest) continue;
    list.push_back({{"by", one.by}, {"at", format_rfc3339(one.at_us)}});
  }
  return list;
}

// What is still somewhere, and why.
Json remains_json(const ErasureView& view, const SearchResult& left,
                  const std::vector<model::KnownBackup>& later_backups) {
  Json list = Json::array();
  const auto add = [&](const std::string& what, const std::string& why) {
    list.push_back({{"what", what}, {"why", why}});
  };
  std::set<std::string> told;
  for (const auto& item : view.items) {
    if (item.row.state != "kept") continue;
    add(item.ref, "a hold keeps it");
    told.insert(item.row.version_id);
  }
  for (const auto& hit : left.versions) {
    const bool is_new = std::none_of(view.items.begin(), view.items.end(),
                                     [&](const auto& item) { return item.row.version_id == hit.version.id; });
    if (is_new) add(hit.version.typed_ref(), "it was registered meanwhile: plan again");
    const bool is_model = !is_new && hit.version.kind == model::ArtifactKind::kModel;
    if (is_model && told.insert(hit.version.id).second) {
      add(hit.version.typed_ref(), "a file of it holds the person's rows: delete it");
    }
  }
  for (const auto& step : view.plan.steps) {
    for (const auto& file : step.unsearched) add(step.ref + " " + file.path, "not searched: " + file.why);
  }
  for (const auto* backups : {&view.plan.backups, &later_backups}) {
    for (const auto& backup : *backups) add("backup " + backup.id, "made " + backup.at + ", out of reach");
  }
  return list;
}

}  // namespace

// What nothing needs goes at once, with all of the trash: a pack there may hold copies of anything.
Result<GcOutcome> Erasure::collect(Application& work) {
  if (options_.end_backups) options_.end_backups();
  MLOPS_TRY(gc_.sweep(work.actor, 0));  // what a hold needs comes back before the rest is looked at
  GcWish wish;
  wish.reason = "erasure " + work.id();
  wish.min_age_s = 0;
  wish.grace_s = 0;
  wish.thoroughness = cas::Thoroughness::kAll;
  MLOPS_ASSIGN(auto outcome, gc_.run(work.actor, wish));
  MLOPS_ASSIGN(const auto trash, cas::list_trash(content_));
  if (!trash.empty()) {
    return fail(ErrorCode::kUnavailable, "trash_remains", "what was collected could not be unlinked",
                "look at the disk of the data directory, then apply again");
  }
  MLOPS_ASSIGN(const auto files, store_.read<std::vector<crypto::Digest>>([&](sql::Connection& connection) {
    return meta::erased_files_of(connection, work.id());
  }));
  for (const auto& file : files) MLOPS_TRY(index_.drop(file));
  return outcome;
}

std::string Erasure::seal_of(const std::string& receipt) const {
  std::string message(kSealLabel);
  message.push_back('\0');
  message += receipt;
  return to_hex(crypto::hmac_sha256(index_.key(), message));
}

Result<Json> Erasure::make_receipt(Application& work, const SearchResult& left, const GcOutcome& collected) {
  const auto& view = work.view;
  Json subject = Json::array();
  for (const auto& one : view.plan.subject) {
    subject.push_back({{"namespace", one.name_space}, {"fingerprint", one.hex}});
  }
  Json items = Json::array();
  for (const auto& item : view.items) items.push_back(item_json(item));
  MLOPS_ASSIGN(const auto later, backups_since(view.row.created_at_us));
  MLOPS_ASSIGN(const auto tokens, store_.read<std::int64_t>([&](sql::Connection& connection) {
    return meta::erased_vault_rows(connection, work.id());
  }));
  MLOPS_ASSIGN(const auto gc, parse_json(collected.run.row.receipt, kReceiptLimits));
  return Json{
      {"erasure", work.id()},
      {"plan_digest", view.row.digest},
      {"reason", view.row.reason},
      {"requested_by", view.row.requested_by},
      {"requested_at", format_rfc3339(view.row.created_at_us)},
      {"approvals", approvals_json(view)},
      {"applied_by", view.row.applied_by},
      {"started_at", format_rfc3339(view.row.started_at_us.value_or(0))},
      {"subject", std::move(subject)},
      {"items", std::move(items)},
      {"vault_tokens", tokens},
      {"collection", {{"run", collected.run.row.id}, {"objects", gc.at("objects")}, {"digest", gc.at("digest")}}},
      {"searched_after", {{"versions", left.versions_searched}, {"files", left.searched_files.size()}}},
      {"not_erased", remains_json(view, left, later)}};
}

Status Erasure::finish(Application& work, const GcOutcome& collected) {
  MLOPS_ASSIGN(work.view, get(work.id()));
  Subject subject(index_.key());
  MLOPS_TRY(subject.add(work.view.plan.subject));
  MLOPS_ASSIGN(const auto left, search(std::move(subject)));
  MLOPS_ASSIGN(auto receipt, make_receipt(work, left, collected));
  auto finished = store_.write<bool>(work.actor, meta::Commit::kKeep, [&](meta::WriteTx& tx) -> Result<bool> {
    MLOPS_ASSIGN(auto row, meta::find_erasure(tx.sql(), work.id()));
    receipt["finished_at"] = format_rfc3339(tx.now_us());
    const auto text = canonical_dump(receipt);
    const auto digest = crypto::sha256(text).to_string();
    row.state = "done";
    row.finished_at_us = tx.now_us();
    row.receipt = canonical_dump({{"receipt", receipt}, {"digest", digest}, {"seal", seal_of(text)}});
    tx.begin_entry("erasure.done", row.id, "receipt " + digest);
    MLOPS_TRY(meta::update_erasure(tx, row));
    return true;
  });
  if (!finished) return fail(finished.error());
  log::info("erasure_done", {{"erasure", std::string_view(work.id())},
                             {"items", static_cast<std::int64_t>(work.view.items.size())},
                             {"left", static_cast<std::int64_t>(left.versions.size())}});
  return {};
}

Result<ErasureReceipt> Erasure::receipt(const std::string& id) {
  MLOPS_ASSIGN(const auto row, store_.read<meta::ErasureRow>(
                                   [&](sql::Connection& connection) { return meta::find_erasure(connection, id); }));
  if (row.receipt.empty()) {
    return fail(ErrorCode::kNotFound, "no_receipt", fmt::format("the erasure {} is {}, not done", row.id, row.state),
                "mlopsctl erase apply " + row.id);
  }
  MLOPS_ASSIGN(const auto stored, parse_json(row.receipt, kReceiptLimits));
  ErasureReceipt receipt;
  receipt.receipt = stored.value("receipt", Json::object());
  receipt.digest = stored.value("digest", "");
  receipt.seal = stored.value("seal", "");
  const auto text = canonical_dump(receipt.receipt);
  receipt.is_sound = crypto::sha256(text).to_string() == receipt.digest && seal_of(text) == receipt.seal;
  return receipt;
}

}  // namespace mlops::domain
