#include "cli/cmd/fetch_plan.h"

#include <sys/stat.h>

#include <map>
#include <optional>
#include <thread>

#include "cli/cmd/fields.h"
#include "cli/cmd/older_versions.h"
#include "cli/cmd/push_source.h"
#include "cli/cmd/recipe_query.h"
#include "cli/transfer.h"
#include "core/base/env.h"

namespace mlops::cli {
namespace {

constexpr std::uint64_t kWorthDeltaBytes = 1u << 20;
constexpr int kVersionsLookedAt = 8;
constexpr std::size_t kKeptChunksMax = 1u << 20;  // 40 MiB

struct LocalChunk {
  std::uint64_t begin = 0;
  std::uint64_t size = 0;
};
using LocalChunks = std::map<crypto::Digest, LocalChunk>;

LocalChunks chunks_of_recipe(const std::vector<cas::RecipeEntry>& recipe) {
  LocalChunks chunks;
  std::uint64_t begin = 0;
  for (const auto& chunk : recipe) {
    chunks.try_emplace(chunk.digest, LocalChunk{begin, chunk.size_bytes});
    begin += chunk.size_bytes;
  }
  return chunks;
}

Result<LocalChunks> chunks_of_file(const std::string& path, std::uint64_t size_bytes) {
  constexpr std::size_t kQueued = 64;
  ThreadPool workers(std::max(1u, std::thread::hardware_concurrency()), kQueued);
  const std::vector<PushInput> inputs{{path, path, nullptr, size_bytes}};
  PushSource source(inputs, workers);
  LocalChunks chunks;
  std::uint64_t begin = 0;
  while (true) {
    MLOPS_ASSIGN(const auto unit, source.next());
    if (!unit) return chunks;
    for (const auto& chunk : unit->chunks) {
      chunks.try_emplace(chunk.digest, LocalChunk{begin, chunk.size});
      begin += chunk.size;
    }
  }
}

std::vector<FetchPart> parts_of(const std::vector<cas::RecipeEntry>& recipe, const LocalChunks& local) {
  std::vector<FetchPart> parts;
  std::uint64_t begin = 0;
  for (const auto& chunk : recipe) {
    const auto found = local.find(chunk.digest);
    const bool is_local = found != local.end() && found->second.size == chunk.size_bytes;
    const auto end = begin + chunk.size_bytes;
    auto* const last = parts.empty() ? nullptr : &parts.back();
    const bool goes_on = last && last->is_local == is_local &&
                         (!is_local || last->local_begin + (last->end - last->begin) == found->second.begin);
    if (goes_on) {
      last->end = end;
    } else {
      parts.push_back({begin, end, is_local, is_local ? found->second.begin : 0});
    }
    begin = end;
  }
  return parts;
}

class Planner {
 public:
  Planner(Session& session, const Json& version, const std::string& directory, OlderFiles older, const FetchHow& how)
      : session_(session),
        older_versions_(session, text_of(version, "kind"), text_of(version, "name"), kVersionsLookedAt),
        directory_(directory),
        older_(older),
        how_(how) {
    older_versions_.leave_out(text_of(version, "digest"));
  }

  // True: the file is in the directory already.
  Result<bool> plan(FetchFile& fetch) {
    fetch.parts = {{0, fetch.file.size_bytes, false, 0}};
    if (fetch.file.size_bytes >= how_.by_chunks_from_bytes) fetch.verify_by = how_.verify_by;
    return look_for_older(fetch);
  }

 private:
  Result<bool> look_for_older(FetchFile& fetch) {
    if (directory_.empty() || older_ == OlderFiles::kIgnore) return false;
    const auto path = directory_ + "/" + fetch.file.path;
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode) || info.st_size == 0) return false;
    const auto size = static_cast<std::uint64_t>(info.st_size);
    const bool is_large = size >= kWorthDeltaBytes && fetch.file.size_bytes >= kWorthDeltaBytes;
    const auto guess = is_large ? older_versions_.find(fetch.file.path, size) : std::nullopt;
    if (size == fetch.file.size_bytes && !guess) {
      const auto hashed = hash_file(posix_env(), path);
      if (hashed && hashed->digest == fetch.file.digest) return true;
    }
    if (!is_large) return false;
    MLOPS_ASSIGN(auto recipe, fetch_recipe(session_.api(), fetch.file.digest, fetch.file.size_bytes));
    if (!recipe) return false;
    MLOPS_ASSIGN(const auto local, local_chunks(path, size, guess));
    fetch.base = path;
    fetch.parts = parts_of(*recipe, local);
    keep(fetch, std::move(*recipe));
    return false;
  }

  // So that it need not be asked for again, unless many files would take much memory.
  void keep(FetchFile& fetch, std::vector<cas::RecipeEntry> recipe) {
    if (fetch.verify_by != VerifyBy::kChunks || kept_chunks_ + recipe.size() > kKeptChunksMax) return;
    kept_chunks_ += recipe.size();
    fetch.chunks = std::move(recipe);
  }

  Result<LocalChunks> local_chunks(const std::string& path, std::uint64_t size, const std::optional<OlderFile>& guess) {
    if (guess) {
      const auto recipe = fetch_recipe(session_.api(), guess->digest, guess->size_bytes);
      if (recipe && *recipe) return chunks_of_recipe(**recipe);
    }
    return chunks_of_file(path, size);
  }

  Session& session_;
  OlderVersions older_versions_;
  const std::string directory_;
  const OlderFiles older_;
  const FetchHow how_;
  std::size_t kept_chunks_ = 0;
};

}  // namespace

Result<FetchPlan> plan_fetch(Session& session, const Json& version, const std::vector<model::FileEntry>& files,
                             const std::string& staging, const std::string& directory, OlderFiles older,
                             const FetchHow& how) {
  FetchPlan plan;
  Planner planner(session, version, directory, older, how);
  for (const auto& file : files) {
    FetchFile fetch{file, staging + "/" + file.path, {}, {}, VerifyBy::kFiles, {}};
    MLOPS_ASSIGN(const bool is_there, planner.plan(fetch));
    if (is_there) {
      plan.unchanged.push_back(file);
    } else {
      plan.files.push_back(std::move(fetch));
    }
  }
  return plan;
}

}  // namespace mlops::cli
