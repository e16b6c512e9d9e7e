// Subject keys, plans, approvals and decisions; what changes no bytes.
#include "daemon/domain/erasure.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "core/model/names.h"
#include "core/model/reference.h"
#include "core/wire/erasure_json.h"
#include "daemon/domain/subject_rows.h"
#include "storage/meta/versions.h"

namespace mlops::domain {
namespace {

constexpr std::size_t kIdsMax = 100;
constexpr std::size_t kIdBytesMax = 1024;
constexpr std::size_t kColumnBytesMax = 500;
constexpr std::int64_t kSecondUs = 1'000'000;
constexpr JsonLimits kBodyLimits{.size_bytes = 64u << 20, .nodes = 10'000'000};

Status check_reason(const std::string& reason, std::string_view what) {
  MLOPS_TRY(model::check_free_text(reason, "reason"));
  if (!trim(reason).empty()) return {};
  return fail(ErrorCode::kInvalid, "reason_needed", fmt::format("{} needs a reason", what), "give --reason");
}

// Neither an id nor a part of one is ever repeated in an error.
Status check_ids(const ErasureWish& wish) {
  if (wish.ids.empty() || wish.ids.size() > kIdsMax) {
    return fail(ErrorCode::kInvalid, "bad_subject", fmt::format("a person has 1 to {} ids", kIdsMax),
                "one id a line, all of the same person");
  }
  for (const auto& id : wish.ids) {
    const auto text = trim(id);
    if (text.empty() || text.size() > kIdBytesMax || !is_valid_utf8(text)) {
      return fail(ErrorCode::kInvalid, "bad_subject", fmt::format("an id is UTF-8 text of 1 to {} bytes", kIdBytesMax));
    }
    constexpr std::size_t kTellingBytes = 3;
    if (text.size() < kTellingBytes || wish.reason.find(text) == std::string::npos) continue;
    return fail(ErrorCode::kInvalid, "subject_in_reason",
                "the reason contains the person's id, and it would stay in the log for ever",
                "name a ticket or a letter instead");
  }
  return {};
}

Result<std::string> name_space_of(const std::string& wanted) {
  if (wanted.empty()) return std::string(Erasure::kDefaultNameSpace);
  MLOPS_TRY(model::check_key(wanted, "namespace"));
  return wanted;
}

Failure not_a_person(const model::Principal& who) {
  return fail(ErrorCode::kDenied, "not_a_person", fmt::format("{} is a service; a person decides", who.name));
}

Failure closed(const meta::ErasureRow& row) {
  return fail(ErrorCode::kConflict, row.state == "stale" ? "stale_plan" : "erasure_closed",
              fmt::format("the erasure {} is {}", row.id, row.state), "`mlopsctl erase status` shows it");
}

}  // namespace

Erasure::Erasure(meta::Store& store, cas::ContentStore& content, Compliance& compliance, Gc& gc,
                 crypto::SecretBytes key, ErasureOptions options)
    : store_(store),
      content_(content),
      compliance_(compliance),
      gc_(gc),
      index_(options.index_dir, key, posix_env()),
      options_(std::move(options)) {}

Result<meta::SubjectKeyRow> Erasure::set_key(const meta::Actor& actor, const SubjectKeyWish& wish,
                                             meta::Commit commit) {
  const auto column = fold_subject_column(wish.column);
  if (column.empty() || column.size() > kColumnBytesMax || !is_valid_utf8(column)) {
    return fail(ErrorCode::kInvalid, "bad_column", "a column has a name");
  }
  MLOPS_ASSIGN(const auto reference, model::parse_reference(wish.name));
  if (reference.selector != model::Reference::Selector::kBare) {
    return fail(ErrorCode::kInvalid, "bad_reference", "a subject key is of an artifact: give its bare name");
  }
  if (!wish.pseudonyms_of.empty() && !wish.name_space.empty()) {
    return fail(ErrorCode::kInvalid, "bad_namespace", "a column holds ids of a namespace, or pseudonyms of a dataset",
                "give one of the two");
  }
  MLOPS_ASSIGN(auto name_space, name_space_of(wish.name_space));
  return store_.write<meta::SubjectKeyRow>(actor, commit, [&](meta::WriteTx& tx) -> Result<meta::SubjectKeyRow> {
    MLOPS_ASSIGN(const auto artifact, meta::the_artifact(tx.sql(), reference.kind, reference.name));
    if (!wish.pseudonyms_of.empty()) {
      MLOPS_ASSIGN(const auto masked, meta::the_artifact(tx.sql(), model::ArtifactKind::kDataset, wish.pseudonyms_of));
      name_space = pseudonym_space(masked.name);
    }
    MLOPS_ASSIGN(const auto keys, meta::list_subject_keys(tx.sql()));
    const auto known = std::find_if(keys.begin(), keys.end(), [&](const auto& key) {
      return key.artifact_id == artifact.id && key.column == column;
    });
    if (known != keys.end() && known->name_space == name_space) return *known;
    const auto target = fmt::format("{}:{} {}", to_word(artifact.kind), artifact.name, printable(column));
    tx.begin_entry("subject_key.set", target, name_space);
    if (known != keys.end()) MLOPS_TRY(meta::close_subject_key(tx, known->id));
    const meta::SubjectKeyRow row{tx.new_id(), artifact.id, artifact.kind,        artifact.name,
                                  column,      name_space,  actor.principal.name, tx.now_us()};
    MLOPS_TRY(meta::insert_subject_key(tx, row));
    return row;
  });
}

Result<meta::SubjectKeyRow> Erasure::remove_key(const meta::Actor& actor, const std::string& name,
                                                const std::string& column, meta::Commit commit) {
  MLOPS_ASSIGN(const auto reference, model::parse_reference(name));
  const auto folded = fold_subject_column(column);
  return store_.write<meta::SubjectKeyRow>(actor, commit, [&](meta::WriteTx& tx) -> Result<meta::SubjectKeyRow> {
    MLOPS_ASSIGN(const auto artifact, meta::the_artifact(tx.sql(), reference.kind, reference.name));
    MLOPS_ASSIGN(const auto keys, meta::list_subject_keys(tx.sql()));
    for (const auto& key : keys) {
      if (key.artifact_id != artifact.id || key.column != folded) continue;
      tx.begin_entry("subject_key.remove",
                     fmt::format("{}:{} {}", to_word(artifact.kind), artifact.name, printable(folded)), key.name_space);
      MLOPS_TRY(meta::close_subject_key(tx, key.id));
      return key;
    }
    return fail(ErrorCode::kNotFound, "key_not_found",
                fmt::format("{} has no subject key \"{}\"", artifact.name, printable(folded)),
                "`mlopsctl subject-key list` shows all");
  });
}

Result<std::vector<meta::SubjectKeyRow>> Erasure::keys() {
  return store_.read<std::vector<meta::SubjectKeyRow>>(
      [](sql::Connection& connection) { return meta::list_subject_keys(connection); });
}

Result<Erasure::Indexed> Erasure::build_index(const std::string& ref) {
  MLOPS_ASSIGN(const auto reference, model::parse_version_reference(ref));
  struct Asked {
    model::Version version;
    std::vector<meta::SubjectKeyRow> keys;
  };
  MLOPS_ASSIGN(const auto asked, store_.read<Asked>([&](sql::Connection& connection) -> Result<Asked> {
    MLOPS_ASSIGN(auto version, meta::resolve(connection, reference));
    MLOPS_ASSIGN(auto keys, meta::list_subject_keys(connection));
    std::erase_if(keys, [&](const auto& key) { return key.artifact_id != version.artifact_id; });
    return Asked{std::move(version), std::move(keys)};
  }));
  if (asked.keys.empty()) {
    return fail(ErrorCode::kNotFound, "no_subject_key", fmt::format("{} has no subject key", asked.version.name),
                "mlopsctl subject-key set NAME COLUMN");
  }
  Indexed indexed;
  indexed.ref = asked.version.ref();
  std::vector<SubjectColumn> columns;
  for (const auto& key : asked.keys) {
    columns.push_back({key.column, key.name_space});
    indexed.columns.push_back(key.column);
  }
  meta::StoredVersion stored;
  stored.id = asked.version.id;
  stored.manifest = asked.version.digest;
  ErasureSearch search(store_, content_, index_);
  MLOPS_ASSIGN(indexed.subjects, search.build_index(stored, columns));
  return indexed;
}

Result<SearchResult> Erasure::search(Subject subject) {
  return ErasureSearch(store_, content_, index_).run(std::move(subject));
}

Result<ErasureView> Erasure::plan(const meta::Actor& actor, const ErasureWish& wish) {
  MLOPS_TRY(check_reason(wish.reason, "an erasure"));
  MLOPS_TRY(check_ids(wish));
  MLOPS_ASSIGN(const auto name_space, name_space_of(wish.name_space));
  MLOPS_ASSIGN(const auto all_keys, keys());
  const bool is_known =
      std::any_of(all_keys.begin(), all_keys.end(), [&](const auto& key) { return key.name_space == name_space; });
  if (!is_known) {
    return fail(ErrorCode::kNotFound, "no_subject_key",
                fmt::format("no dataset has a subject key in the namespace \"{}\"", name_space),
                "say which column holds the ids: mlopsctl subject-key set NAME COLUMN");
  }
  Subject subject(index_.key());
  for (const auto& id : wish.ids) subject.add_id(name_space, id);
  MLOPS_ASSIGN(const auto found, search(std::move(subject)));
  if (found.versions.empty()) {
    return fail(ErrorCode::kNotFound, "subject_not_found",
                fmt::format("none of the {} versions that were searched holds this person{}{}", found.versions_searched,
                            found.notes.empty() ? "" : "; ", join(found.notes, "; ")),
                "`mlopsctl subject-key list` shows where was looked", canonical_dump({{"notes", found.notes}}));
  }
  MLOPS_ASSIGN(auto plan, draft(found, wish.mode));
  MLOPS_ASSIGN(const auto tokens, tokens_of(found, plan));
  plan.vault_tokens = tokens.size();
  return store_.write<ErasureView>(actor, meta::Commit::kKeep, [&](meta::WriteTx& tx) -> Result<ErasureView> {
    meta::ErasureRow row;
    row.id = tx.new_id();
    row.state = "open";
    row.digest = model::erasure_digest(plan);
    Json body = wire::to_json(plan);
    body["mode"] = wish.mode == ErasureWish::Mode::kShred ? "shred" : "rewrite";
    row.body = canonical_dump(body);
    row.reason = wish.reason;
    row.requested_by_id = actor.principal.id;
    row.requested_by = actor.principal.name;
    row.created_at_us = tx.now_us();
    row.expires_at_us = tx.now_us() + options_.valid_s * kSecondUs;
    row.approvals_needed = options_.approvals_needed;
    tx.begin_entry("erasure.plan", row.id, wish.reason);
    MLOPS_TRY(meta::insert_erasure(tx, row));
    return view_of(tx.sql(), std::move(row));
  });
}

void Erasure::set_running(const std::string& id) {
  std::lock_guard lock(running_mutex_);
  running_ = id;
}

Result<ErasureView> Erasure::view_of(sql::Connection& connection, meta::ErasureRow row) {
  ErasureView view;
  MLOPS_ASSIGN(const auto body, parse_json(row.body, kBodyLimits));
  MLOPS_ASSIGN(view.plan, wire::erasure_plan_from_json(body));
  MLOPS_ASSIGN(view.approvals, meta::erasure_approvals_of(connection, row.id));
  view.approvals_counted = model::counted_approvals(view.approvals, row.digest, row.requested_by_id, "");
  MLOPS_ASSIGN(auto items, meta::erasure_items_of(connection, row.id));
  for (auto& item : items) {
    ErasureView::Item shown;
    MLOPS_ASSIGN(const auto version, meta::get_version(connection, item.version_id));
    shown.ref = version.typed_ref();
    if (!item.replacement_id.empty()) {
      MLOPS_ASSIGN(const auto replacement, meta::get_version(connection, item.replacement_id));
      shown.replacement_ref = replacement.typed_ref();
    }
    shown.row = std::move(item);
    view.items.push_back(std::move(shown));
  }
  view.state = row.state;
  if (row.state == "open" && row.expires_at_us <= store_.now_us()) view.state = "expired";
  if (row.state == "applying") {
    std::lock_guard lock(running_mutex_);
    if (running_ != row.id) view.state = "interrupted";
  }
  view.row = std::move(row);
  return view;
}

Result<ErasureView> Erasure::get(const std::string& id) {
  return store_.read<ErasureView>([&](sql::Connection& connection) -> Result<ErasureView> {
    MLOPS_ASSIGN(auto row, meta::find_erasure(connection, id));
    return view_of(connection, std::move(row));
  });
}

Result<std::vector<ErasureView>> Erasure::list(const meta::ErasureFilter& filter) {
  using Views = std::vector<ErasureView>;
  return store_.read<Views>([&](sql::Connection& connection) -> Result<Views> {
    MLOPS_ASSIGN(auto rows, meta::list_erasures(connection, filter));
    Views views;
    for (auto& row : rows) {
      MLOPS_ASSIGN(auto view, view_of(connection, std::move(row)));
      views.push_back(std::move(view));
    }
    return views;
  });
}

Result<ErasureView> Erasure::say(const meta::Actor& actor, const std::string& id, Word word, const std::string& reason,
                                 meta::Commit commit) {
  MLOPS_TRY(check_reason(reason, "a word on an erasure"));
  const auto& who = actor.principal;
  return store_.write<ErasureView>(actor, commit, [&](meta::WriteTx& tx) -> Result<ErasureView> {
    MLOPS_ASSIGN(auto row, meta::find_erasure(tx.sql(), id));
    if (row.state != "open") return closed(row);
    if (row.expires_at_us <= tx.now_us()) {
      return fail(ErrorCode::kRefused, "erasure_expired", fmt::format("the plan {} has expired", row.id),
                  "make a new one: mlopsctl erase plan");
    }
    if (row.requested_by_id == who.id) {
      return fail(ErrorCode::kDenied, "own_plan",
                  fmt::format("{} asked for this erasure and cannot decide it", who.name),
                  "other people approve or reject it");
    }
    if (!who.is_human) return not_a_person(who);
    const bool approves = word == Word::kApprove;
    tx.begin_entry(approves ? "erasure.approve" : "erasure.reject", row.id, reason);
    MLOPS_TRY(meta::upsert_erasure_approval(tx, row.id, row.digest, approves ? "approve" : "reject", reason));
    if (!approves) {
      row.state = "rejected";
      MLOPS_TRY(meta::update_erasure(tx, row));
    }
    return view_of(tx.sql(), std::move(row));
  });
}

}  // namespace mlops::domain
