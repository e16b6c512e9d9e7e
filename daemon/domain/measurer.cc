#include "daemon/domain/measurer.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/text.h"
#include "core/model/manifest.h"
#include "daemon/domain/blob_streams.h"
#include "daemon/domain/subject_rows.h"
#include "policies/engine/quality_profile.h"
#include "storage/meta/versions.h"

namespace mlops::domain {
namespace {

constexpr std::size_t kTreeLimitBytes = 256u << 20;

// Reading went wrong for a reason that lies in the data, not in this program or its disks.
bool is_about_data(const Error& error) {
  return error.code == ErrorCode::kInvalid || error.code == ErrorCode::kNotFound ||
         error.code == ErrorCode::kExhausted || error.code == ErrorCode::kCorrupt;
}

std::uint64_t count_shared(const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b) {
  std::uint64_t shared = 0;
  for (auto i = a.begin(), j = b.begin(); i != a.end() && j != b.end();) {
    if (*i == *j) {
      ++shared;
      ++i;
      ++j;
    } else {
      ++(*i < *j ? i : j);
    }
  }
  return shared;
}

void sort_unique(std::vector<std::uint64_t>& list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

}  // namespace

// The data of one role: its files, and its people by name space.
struct Measurer::Side {
  std::set<crypto::Digest> files;
  std::map<std::string, std::vector<std::uint64_t>> subjects;
  std::string unknown_because;
};

Measurer::Measurer(meta::Store& store, cas::ContentStore& content, crypto::SecretBytes key, MeasurerOptions options)
    : store_(store),
      content_(content),
      options_(std::move(options)),
      index_(options_.index_dir, std::move(key), posix_env()) {}

Result<std::vector<model::FileEntry>> Measurer::files_of(const std::string& version_id) const {
  MLOPS_ASSIGN(const auto body, store_.read<std::string>([&](sql::Connection& connection) -> Result<std::string> {
    MLOPS_ASSIGN(const auto version, meta::get_version(connection, version_id));
    return meta::manifest_body(connection, version.digest);
  }));
  MLOPS_ASSIGN(auto manifest, model::parse_manifest(body));
  if (!manifest.is_tree) return std::move(manifest.files);
  MLOPS_ASSIGN(const auto tree, content_.read(manifest.tree_digest, kTreeLimitBytes));
  return model::parse_tree(tree);
}

Result<Json> Measurer::measure_quality(const QualityAsk& ask) const {
  MLOPS_ASSIGN(const auto files, files_of(ask.dataset.version_id));
  MLOPS_ASSIGN(auto profiler, policy::QualityProfiler::create(ask.measures, ask.typed));
  for (const auto& file : files) {
    MLOPS_ASSIGN(const auto blob, content_.open_blob(file.digest));
    BlobSource source(*blob, file);
    MLOPS_ASSIGN(const bool is_read, profiler.add(source, file.path));
    if (is_read) MLOPS_TRY(source.check_digest());
  }
  const auto profile = profiler.finish();
  if (profile.files == 0) {
    return fail(ErrorCode::kInvalid, "not_measurable", "no file of it is a table or JSON");
  }
  return policy::to_json(profile);
}

Result<std::optional<std::vector<std::uint64_t>>> Measurer::fingerprints(const model::FileEntry& file,
                                                                         const SubjectColumn& column) const {
  using Found = std::optional<std::vector<std::uint64_t>>;
  MLOPS_ASSIGN(auto known, index_.load(file.digest, column));
  if (known) return known;
  MLOPS_ASSIGN(const auto blob, content_.open_blob(file.digest));
  BlobSource source(*blob, file);
  SubjectIndex::Builder builder(index_, file.digest, column);
  const auto counts = walk_records(source, file.path, {column.column}, [&](auto ids) {
    for (const auto& cell : ids) builder.add(cell.id);
    return Fate::kStay;
  });
  if (!counts && counts.error().slug == "format_unknown") return Found();
  if (!counts) return fail(counts.error());
  MLOPS_TRY(source.check_digest());
  if (!counts->has_column.front()) return Found();
  MLOPS_TRY(builder.finish());
  return index_.load(file.digest, column);
}

Status Measurer::add_subjects(const AskedDataset& dataset, const std::vector<model::FileEntry>& files,
                              Side& side) const {
  if (dataset.subjects.empty()) {
    side.unknown_because = fmt::format("{} has no declared column of people's ids", dataset.ref);
    return {};
  }
  for (const auto& column : dataset.subjects) {
    bool has_column = false;
    auto& people = side.subjects[column.name_space];
    for (const auto& file : files) {
      MLOPS_ASSIGN(const auto found, fingerprints(file, column));
      if (!found) continue;
      has_column = true;
      people.insert(people.end(), found->begin(), found->end());
    }
    if (!has_column) side.unknown_because = fmt::format("no file of {} has the column {}", dataset.ref, column.column);
  }
  return {};
}

Result<Measurer::Side> Measurer::read_side(const std::vector<AskedDataset>& datasets) const {
  Side side;
  for (const auto& dataset : datasets) {
    MLOPS_ASSIGN(const auto files, files_of(dataset.version_id));
    for (const auto& file : files) {
      if (file.size_bytes > 0) side.files.insert(file.digest);
    }
    MLOPS_TRY(add_subjects(dataset, files, side));
  }
  for (auto& [name, people] : side.subjects) sort_unique(people);
  return side;
}

Result<Json> Measurer::measure_independence(const IndependenceAsk& ask) const {
  MLOPS_ASSIGN(const auto a, read_side(ask.a));
  MLOPS_ASSIGN(const auto b, read_side(ask.b));
  const auto shared_files =
      std::count_if(a.files.begin(), a.files.end(), [&](const auto& digest) { return b.files.contains(digest); });
  std::uint64_t shared = 0;
  std::uint64_t people_a = 0;
  std::uint64_t people_b = 0;
  bool has_common_space = false;
  for (const auto& [name, people] : a.subjects) {
    people_a += people.size();
    const auto theirs = b.subjects.find(name);
    if (theirs == b.subjects.end()) continue;
    has_common_space = true;
    shared += count_shared(people, theirs->second);
  }
  for (const auto& [name, people] : b.subjects) people_b += people.size();
  auto unknown = a.unknown_because.empty() ? b.unknown_because : a.unknown_because;
  if (unknown.empty() && !has_common_space) {
    unknown = fmt::format("the ids of the {} and {} data are of different name spaces", ask.role_a, ask.role_b);
  }
  return Json{{"shared_files", shared_files},
              {"shared_subjects", shared},
              {"subjects_a", people_a},
              {"subjects_b", people_b},
              {"unknown_because", unknown}};
}

Status Measurer::measure(const EvidenceAsks& asks, Reach reach, Measurements& into) const {
  const auto keep = [&](const std::string& id, const std::string& kind, const std::string& version_id,
                        Result<Json> result) -> Status {
    if (!result && !is_about_data(result.error())) return fail(std::move(result.error()));
    if (!result) {
      into.failed[id] = result.error().message;
      return {};
    }
    into.results[id] = std::move(*result);
    into.kinds[id] = kind;
    into.version_ids[id] = version_id;
    return {};
  };
  // Whether it is left to `mlopsctl profile`, which waits as long as it takes.
  const auto is_too_large = [&](const std::string& id, const std::vector<AskedDataset>& datasets) {
    for (const auto& dataset : datasets) {
      if (reach == Reach::kEverything || dataset.size_bytes <= options_.plan_bytes_max) continue;
      into.failed[id] = fmt::format("{} has {}, more than is read while a plan waits ({})", dataset.ref,
                                    human_size(dataset.size_bytes), human_size(options_.plan_bytes_max));
      return true;
    }
    return false;
  };
  for (const auto& ask : asks.quality) {
    if (into.results.contains(ask.id) || is_too_large(ask.id, {ask.dataset})) continue;
    MLOPS_TRY(keep(ask.id, "quality", ask.dataset.version_id, measure_quality(ask)));
  }
  for (const auto& ask : asks.independence) {
    if (into.results.contains(ask.id) || is_too_large(ask.id, ask.a) || is_too_large(ask.id, ask.b)) continue;
    MLOPS_TRY(keep(ask.id, "independence", ask.a.front().version_id, measure_independence(ask)));
  }
  return {};
}

}  // namespace mlops::domain
