#include "daemon/domain/reveal.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "core/base/text.h"
#include "core/model/names.h"
#include "core/model/reference.h"
#include "daemon/domain/blob_streams.h"
#include "daemon/domain/gc_marks.h"
#include "policies/data/file_place.h"
#include "policies/data/records.h"
#include "storage/meta/versions.h"

namespace mlops::domain {
namespace {

// The keys as they were when the version was masked: the version of then is the current one. What says by itself which
// version it is under may be under any, also a later one: tokens are sealed anew when a version goes.
class KeysOfRun : public mask::KeySource {
 public:
  KeysOfRun(const KeyRing& ring, const std::string& evidence) : ring_(ring) {
    const auto json = parse_json(evidence, {.size_bytes = 64u << 20, .nodes = 10'000'000});
    if (!json || !json->contains("columns")) return;
    for (const auto& column : json->at("columns")) {
      const auto id = mask::parse_key_id(column.value("key", ""));
      if (id) versions_[id->name] = std::max(versions_[id->name], id->version);
    }
  }

  Result<mask::NamedKey> current(const std::string& name) const override {
    const auto known = versions_.find(name);
    return by_id(mask::to_string({name, known == versions_.end() ? 1 : known->second}));
  }

  Result<mask::NamedKey> by_id(const std::string& id) const override {
    auto key = ring_.by_id(id);
    if (!key && key.error().slug == "key_destroyed") destroyed_.insert(id);
    return key;
  }

  std::vector<std::string> readable(const std::string& name) const override {
    std::vector<std::string> ids;
    for (const auto& row : ring_.keys()) {
      if (row.name != name) continue;
      if (row.sealed.empty()) {
        destroyed_.insert(row.id);
      } else {
        ids.push_back(row.id);
      }
    }
    return ids;
  }

  std::vector<std::string> destroyed() const { return {destroyed_.begin(), destroyed_.end()}; }

 private:
  const KeyRing& ring_;
  std::map<std::string, std::uint32_t> versions_;  // by name
  mutable std::set<std::string> destroyed_;
};

// The server's vault, read only, counting tokens whose values were erased.
class CountingVault : public mask::TokenVault {
 public:
  explicit CountingVault(StoreVault& vault) : vault_(vault) {}

  Result<std::vector<std::optional<std::string>>> find(std::string_view context,
                                                       std::span<const mask::Fingerprint> fingerprints) override {
    return vault_.find(context, fingerprints);
  }
  Result<std::vector<std::string>> add(std::string_view, std::span<const mask::VaultEntry>) override {
    return fail(ErrorCode::kInternal, "vault_read_only", "revealing adds no tokens");
  }
  Result<std::optional<mask::VaultEntry>> entry_of(std::string_view context, std::string_view token) override {
    MLOPS_ASSIGN(auto entry, vault_.entry_of(context, token));
    if (entry) return entry;
    MLOPS_ASSIGN(const auto erasure, vault_.erased_by(context, token));
    if (!erasure.empty()) {
      ++erased_;
      erasures_.insert(erasure);
    }
    return entry;
  }

  std::uint64_t erased() const { return erased_; }
  std::vector<std::string> erasures() const { return {erasures_.begin(), erasures_.end()}; }

 private:
  StoreVault& vault_;
  std::uint64_t erased_ = 0;
  std::set<std::string> erasures_;
};

class BoundedSink : public data::Sink {
 public:
  BoundedSink(std::string& bytes, std::size_t limit_bytes) : bytes_(bytes), limit_bytes_(limit_bytes) {}
  Status write(std::string_view bytes) override {
    if (bytes_.size() + bytes.size() > limit_bytes_) {
      return fail(ErrorCode::kRefused, "reveal_too_large",
                  fmt::format("a file of more than {} MiB is not revealed at once", limit_bytes_ >> 20),
                  "pull it, and reveal the rows that matter offline");
    }
    bytes_.append(bytes);
    return {};
  }

 private:
  std::string& bytes_;
  const std::size_t limit_bytes_;
};

Result<model::FileEntry> choose_file(std::vector<model::FileEntry> files, const std::string& path) {
  if (path.empty() && files.size() == 1) return std::move(files.front());
  if (path.empty()) {
    return fail(ErrorCode::kInvalid, "which_file", fmt::format("the version has {} files", files.size()),
                "name one of them");
  }
  for (auto& file : files) {
    if (file.path == path) return std::move(file);
  }
  return fail(ErrorCode::kNotFound, "file_not_found", fmt::format("the version has no file {}", printable(path)));
}

// Why none of the cells opened, where more is known than that.
Failure explained(Error error, const KeysOfRun& keys, const CountingVault& vault) {
  if (error.slug != "nothing_revealed") return fail(std::move(error));
  if (vault.erased() > 0) {
    return fail(ErrorCode::kRefused, "value_erased",
                fmt::format("what {} of the cells stood for was erased (erasure {})", vault.erased(),
                            join(vault.erasures(), ", ")));
  }
  if (!keys.destroyed().empty()) {
    return fail(ErrorCode::kRefused, "key_destroyed",
                fmt::format("none of the cells opened, and {} was destroyed", join(keys.destroyed(), ", ")));
  }
  return fail(std::move(error));
}

}  // namespace

struct Reveals::Masked {
  model::Version version;
  model::Version source;
  meta::MaskingRunRow run;
  PolicyRevision policy;
};

Result<Reveals::Masked> Reveals::find(const meta::Actor& actor, const RevealWish& wish) {
  MLOPS_ASSIGN(const auto reference, model::parse_version_reference(wish.ref));
  return store_.read<Masked>([&](sql::Connection& connection) -> Result<Masked> {
    MLOPS_ASSIGN(auto version, meta::resolve(connection, reference));
    MLOPS_ASSIGN(auto runs, meta::masking_runs_of_output(connection, version.id));
    if (runs.empty()) {
      return fail(ErrorCode::kRefused, "not_masked", fmt::format("{} was not masked by this server", version.ref()));
    }
    MLOPS_ASSIGN(auto source, meta::get_version(connection, runs.front().source_version_id));
    if (source.sensitivity > actor.principal.clearance) {
      return fail(ErrorCode::kRefused, "clearance_exceeded",
                  fmt::format("what it was masked from is {}, the token clears at most {}", to_word(source.sensitivity),
                              to_word(actor.principal.clearance)));
    }
    MLOPS_ASSIGN(auto policy, compliance_.policy_revision(connection, runs.front().policy_revision_id));
    return Masked{std::move(version), std::move(source), std::move(runs.front()), std::move(policy)};
  });
}

Result<Revealed> Reveals::open(const Masked& masked, const RevealWish& wish) {
  MLOPS_ASSIGN(auto blobs, blobs_of(manifest_reader(store_), content_, masked.version.digest));
  if (!blobs.is_readable) return fail(ErrorCode::kCorrupt, "tree_damaged", "the list of files is missing or damaged");
  MLOPS_ASSIGN(const auto file, choose_file(std::move(blobs.files), wish.path));
  MLOPS_ASSIGN(const auto blob, content_.open_blob(file.digest));
  BlobSource source(*blob, file);
  MLOPS_ASSIGN(const auto reader, data::open_records(source, {.path = file.path, .format = {}, .csv = {}}));
  const KeysOfRun keys(compliance_.keys(), masked.run.evidence);
  CountingVault vault(compliance_.vault());
  Revealed revealed;
  BoundedSink sink(revealed.bytes, kBytesMax);
  const policy::RevealRequest request{masked.source.name, wish.columns, {}};
  auto evidence = policy::reveal_file(masked.policy.policy, request, *reader, sink, {keys, &vault});
  if (!evidence) {
    crypto::wipe(revealed.bytes);
    return explained(std::move(evidence.error()), keys, vault);
  }
  MLOPS_TRY(source.check_digest());
  revealed.ref = masked.version.ref();
  revealed.path = file.path;
  revealed.columns = wish.columns;
  revealed.evidence = std::move(*evidence);
  if (revealed.evidence.left > vault.erased()) revealed.destroyed = keys.destroyed();
  revealed.erased = vault.erased();
  revealed.erasures = vault.erasures();
  return revealed;
}

Status Reveals::record(const meta::Actor& actor, const RevealWish& wish, const Revealed& revealed) {
  return store_
      .write<bool>(actor, meta::Commit::kKeep,
                   [&](meta::WriteTx& tx) -> Result<bool> {
                     for (const auto& id : revealed.evidence.key_ids) {
                       tx.begin_entry("key.use", id, "reveal of " + revealed.ref);
                     }
                     tx.begin_entry("data.reveal", revealed.ref,
                                    fmt::format("{} cells of {} in {}: {}", revealed.evidence.revealed,
                                                join(wish.columns, ", "), revealed.path, wish.reason));
                     return true;
                   })
      .map([](bool) {});
}

Status Reveals::record_refusal(const meta::Actor& actor, const RevealWish& wish, const std::string& slug) {
  return store_
      .write<bool>(actor, meta::Commit::kKeep,
                   [&](meta::WriteTx& tx) -> Result<bool> {
                     // What is no reference may be anything, also somebody's name.
                     const bool is_ref = model::parse_version_reference(wish.ref).has_value();
                     tx.begin_entry("data.reveal_refused", is_ref ? wish.ref : "(no reference)",
                                    trim(wish.reason).empty() ? slug : fmt::format("{}: {}", slug, wish.reason));
                     return true;
                   })
      .map([](bool) {});
}

Result<Revealed> Reveals::attempt(const meta::Actor& actor, const RevealWish& wish) {
  if (!actor.principal.has(model::Scope::kDataReveal)) {
    return fail(
        ErrorCode::kDenied, "missing_scope",
        fmt::format("this needs the scope '{}', which the token does not have", to_word(model::Scope::kDataReveal)),
        "ask an administrator for a token with that scope", Json{{"scope", to_word(model::Scope::kDataReveal)}}.dump());
  }
  if (trim(wish.reason).empty()) {
    return fail(ErrorCode::kInvalid, "reason_needed", "revealing needs a reason", "give --reason");
  }
  if (wish.columns.empty()) return fail(ErrorCode::kInvalid, "missing_field", "\"columns\" names at least one column");
  MLOPS_ASSIGN(const auto masked, find(actor, wish));
  return open(masked, wish);
}

Result<Revealed> Reveals::reveal(const meta::Actor& actor, const RevealWish& wish) {
  MLOPS_TRY(model::check_free_text(wish.reason, "reason"));
  auto revealed = attempt(actor, wish);
  if (revealed) {
    MLOPS_TRY(record(actor, wish, *revealed));
    return revealed;
  }
  // What failed by itself is no refusal.
  constexpr std::array kRefusals{ErrorCode::kRefused, ErrorCode::kDenied, ErrorCode::kNotFound, ErrorCode::kInvalid};
  if (std::find(kRefusals.begin(), kRefusals.end(), revealed.error().code) != kRefusals.end()) {
    MLOPS_TRY(record_refusal(actor, wish, revealed.error().slug));
  }
  return revealed;
}

}  // namespace mlops::domain
