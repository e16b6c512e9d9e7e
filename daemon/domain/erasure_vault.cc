// What the token vault holds of a person: found through the values of the person's records, because nothing in the
// vault itself tells whose an entry is. A value that other records hold too stays.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/base/text.h"
#include "daemon/domain/blob_streams.h"
#include "daemon/domain/erasure_application.h"
#include "policies/data/records.h"
#include "policies/engine/columns.h"

namespace mlops::domain {
namespace {

using Values = std::map<std::string, std::set<std::string>>;  // by folded column

// Which records of a file are looked at: the person's, or the others'.
enum class Whose { kPersons, kOthers };

Status each_value(cas::ContentStore& content, const FileHit& hit, Whose whose,
                  const std::function<void(const std::string& column, std::string_view value)>& take) {
  MLOPS_ASSIGN(const auto blob, content.open_blob(hit.file.digest));
  BlobSource source(*blob, hit.file);
  MLOPS_ASSIGN(const auto reader, data::open_records(source, {.path = hit.file.path, .format = {}, .csv = {}}));
  std::vector<std::string> folded;
  auto next = hit.positions.begin();
  for (std::uint64_t at = 0;; ++at) {
    MLOPS_ASSIGN(const bool more, reader->next());
    if (!more) return {};
    const bool is_person = next != hit.positions.end() && *next == at;
    if (is_person) ++next;
    if (is_person != (whose == Whose::kPersons)) continue;
    while (folded.size() < reader->columns().size()) {
      folded.push_back(policy::fold_column(reader->columns()[folded.size()]));
    }
    for (const auto& cell : reader->cells()) {
      const auto value = trim(cell.text);
      if (!value.empty()) take(folded[cell.column], value);
    }
  }
}

// The values of a group's tokens: of one column, or of all where columns share tokens.
std::vector<std::string_view> values_of(const Values& values, const std::string& dataset, std::string_view context,
                                        mask::KeyPlace& place) {
  const auto column = context.substr(context.find('\n') + 1);
  std::set<std::string_view> chosen;
  for (const auto& [name, held] : values) {
    if (!column.empty() && name != column) continue;
    for (const auto& value : held) chosen.insert(value);
  }
  place.scope = mask::KeyScope::kColumn;
  if (column.empty()) place.scope = context.size() > 1 ? mask::KeyScope::kDataset : mask::KeyScope::kShared;
  place.dataset = dataset;
  place.column = column;
  return {chosen.begin(), chosen.end()};
}

class VaultSearch {
 public:
  VaultSearch(meta::Store& store, cas::ContentStore& content, const KeyRing& keys, const SearchResult& found)
      : store_(store), content_(content), keys_(keys), found_(found) {}

  // `kept`: ids of versions that stay as they are, with what their records stand for.
  Result<std::vector<meta::VaultPlace>> run(const std::set<std::string>& kept) {
    std::set<std::string> datasets;
    for (const auto& hit : found_.versions) datasets.insert(hit.version.name);
    for (const auto& dataset : datasets) MLOPS_TRY(search(dataset, kept));
    return std::vector<meta::VaultPlace>(places_.begin(), places_.end());
  }

 private:
  Status search(const std::string& dataset, const std::set<std::string>& kept) {
    MLOPS_ASSIGN(const auto groups, store_.read<std::vector<meta::VaultGroup>>([&](sql::Connection& connection) {
      return meta::vault_groups(connection, dataset);
    }));
    if (groups.empty()) return {};
    Values values;
    const auto add = [&](const std::string& column, std::string_view value) { values[column].emplace(value); };
    const auto take_out = [&](const std::string& column, std::string_view value) {
      const auto known = values.find(column);
      if (known != values.end()) known->second.erase(std::string(value));
    };
    MLOPS_TRY(each_file(dataset, [&](const VersionHit& version, const FileHit& file) -> Status {
      return kept.contains(version.version.id) ? Status{} : each_value(content_, file, Whose::kPersons, add);
    }));
    const auto shared = each_file(dataset, [&](const VersionHit& version, const FileHit& file) -> Status {
      if (kept.contains(version.version.id)) MLOPS_TRY(each_value(content_, file, Whose::kPersons, take_out));
      return each_value(content_, file, Whose::kOthers, take_out);
    });
    MLOPS_TRY(shared);
    for (const auto& group : groups) MLOPS_TRY(look_up(dataset, group, values));
    return {};
  }

  Status each_file(const std::string& dataset, const std::function<Status(const VersionHit&, const FileHit&)>& visit) {
    for (const auto& version : found_.versions) {
      if (version.version.name != dataset) continue;
      for (const auto& file : version.files) {
        const auto hit = found_.files.find(file.digest);
        if (hit != found_.files.end()) MLOPS_TRY(visit(version, hit->second));
      }
    }
    return {};
  }

  Status look_up(const std::string& dataset, const meta::VaultGroup& group, const Values& values) {
    mask::KeyPlace place;
    const auto wanted = values_of(values, dataset, group.context, place);
    if (wanted.empty()) return {};
    const auto key = mask::column_key_of(keys_, group.key_id, place);
    if (!key && key.error().slug == "key_destroyed") return {};  // nobody opens these entries any more
    if (!key) return fail(key.error());
    std::vector<crypto::Mac> fingerprints(wanted.size());
    key->fingerprint->many(wanted, fingerprints);
    const auto read = store_.read<bool>(
        [&](sql::Connection& connection) -> Result<bool> {
          for (const auto& fingerprint : fingerprints) {
            MLOPS_ASSIGN(auto token, meta::find_vault_token(connection, group.context, fingerprint));
            if (token) places_.insert({group.context, std::move(*token)});
          }
          return true;
        },
        meta::Patience::kLong);
    return read ? Status{} : Status(fail(read.error()));
  }

  meta::Store& store_;
  cas::ContentStore& content_;
  const KeyRing& keys_;
  const SearchResult& found_;
  std::set<meta::VaultPlace> places_;
};

}  // namespace

Result<std::vector<meta::VaultPlace>> Erasure::tokens_of(const SearchResult& found, const model::ErasurePlan& plan) {
  MLOPS_TRY(compliance_.vault().flush());
  std::set<std::string> kept;
  for (const auto& step : plan.steps) {
    if (step.action == model::ErasureAction::kKeep) kept.insert(step.version_id);
  }
  return VaultSearch(store_, content_, compliance_.keys(), found).run(kept);
}

// Before the records go, because afterwards nothing says which tokens were theirs.
Status Erasure::erase_tokens(Application& work) {
  MLOPS_ASSIGN(const auto places, tokens_of(work.found, work.view.plan));
  if (places.empty()) return {};
  const auto done = store_.write<bool>(work.actor, meta::Commit::kKeep, [&](meta::WriteTx& tx) -> Result<bool> {
    tx.begin_entry("vault.erase", "token vault", fmt::format("{} tokens, erasure {}", places.size(), work.id()));
    MLOPS_TRY(tx.wipe_what_goes());
    for (const auto& place : places) MLOPS_TRY(meta::erase_vault_row(tx, place, work.id()));
    return true;
  });
  return done ? Status{} : Status(fail(done.error()));
}

}  // namespace mlops::domain
