#include "cli/cmd/blob_push.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "cli/cmd/fields.h"
#include "cli/cmd/query.h"
#include "cli/progress.h"
#include "cli/transfer.h"
#include "core/base/env.h"
#include "core/base/text.h"
#include "core/crypto/digest.h"

namespace mlops::cli {
namespace {

constexpr std::size_t kAskBatch = 10'000;  // the server's limit
constexpr std::size_t kVersionsLookedAt = 100;
constexpr int kFileListsLookedAt = 8;
constexpr std::uint64_t kInOneReadBytes = 1u << 20;  // below this a second hashing thread costs more than it gains

Failure file_changed(const WalkedFile& file) {
  return fail(ErrorCode::kConflict, "file_changed", fmt::format("{} changed while it was read", printable(file.path)),
              "register it again once nothing writes to it");
}

class Push {
 public:
  Push(Session& session, const Walk& walk) : session_(session), walk_(walk) { result_.files.resize(walk.files.size()); }

  Result<PushResult> run(model::ArtifactKind kind, const std::string& name) {
    MLOPS_ASSIGN(const auto known, known_sizes(kind, name));
    std::vector<std::size_t> first;
    std::vector<std::size_t> at_once;
    for (std::size_t i = 0; i < walk_.files.size(); ++i) {
      const bool streams = !session_.dry_run() && streams_at_once(walk_.files[i], known);
      (streams ? at_once : first).push_back(i);
    }
    MLOPS_TRY(hash_all(first));
    MLOPS_ASSIGN(const auto missing, missing_of(first));
    auto to_send = files_to_send(first, missing);
    to_send.insert(to_send.end(), at_once.begin(), at_once.end());
    MLOPS_TRY(send_all(to_send, at_once.size()));
    return std::move(result_);
  }

 private:
  // Sizes of files in earlier versions; only asked for when a large file makes the answer worth a request.
  Result<std::set<std::uint64_t>> known_sizes(model::ArtifactKind kind, const std::string& name) {
    std::set<std::uint64_t> sizes;
    const bool has_large = std::any_of(walk_.files.begin(), walk_.files.end(),
                                       [](const WalkedFile& file) { return file.size_bytes >= kStreamFromBytes; });
    if (!has_large) return sizes;
    Query query("/api/v1/versions");
    query.add("kind", model::to_word(kind)).add("name", name);
    auto versions = fetch_list(session_.api(), query, kVersionsLookedAt);
    if (!versions && versions.error().code == ErrorCode::kNotFound) return sizes;
    if (!versions) return mlops::fail(std::move(versions.error()));
    int lists_left = kFileListsLookedAt;
    for (const auto& version : *versions) {
      const auto size_bytes = static_cast<std::uint64_t>(int_of(version, "size_bytes"));
      if (int_of(version, "file_count") == 1) {
        sizes.insert(size_bytes);
      } else if (size_bytes >= kStreamFromBytes && lists_left-- > 0) {
        MLOPS_ASSIGN(const auto files, session_.api().get(item_path("versions", text_of(version, "ref"), "/files")));
        for (const auto& file : array_of(files, "items")) {
          sizes.insert(static_cast<std::uint64_t>(int_of(file, "size_bytes")));
        }
      }
    }
    return sizes;
  }

  Status hash_all(const std::vector<std::size_t>& indexes) {
    std::uint64_t total_bytes = 0;
    for (const auto i : indexes) total_bytes += walk_.files[i].size_bytes;
    Progress progress(session_, "hashing", total_bytes);
    for (const auto i : indexes) {
      const auto& file = walk_.files[i];
      const auto told = progress.next_file(file.size_bytes);
      MLOPS_ASSIGN(const auto digest, hash_one(file, told));
      result_.files[i] = {file.path, digest, file.size_bytes};
    }
    return {};
  }

  static Result<crypto::Digest> hash_one(const WalkedFile& file, const std::function<void(std::uint64_t)>& told) {
    if (file.size_bytes > kInOneReadBytes) {
      MLOPS_ASSIGN(const auto hashed, hash_file(posix_env(), file.source, told));
      if (hashed.size_bytes != file.size_bytes) return file_changed(file);
      return hashed.digest;
    }
    MLOPS_ASSIGN(const auto bytes, read_file(file.source));
    if (bytes.size() != file.size_bytes) return file_changed(file);
    if (told) told(file.size_bytes);
    return crypto::sha256(bytes);
  }

  Result<std::set<std::string>> missing_of(const std::vector<std::size_t>& indexes) {
    std::map<std::string, std::uint64_t> asked;
    for (const auto i : indexes) asked[result_.files[i].digest.to_string()] = result_.files[i].size_bytes;
    std::set<std::string> missing;
    auto at = asked.begin();
    while (at != asked.end()) {
      Json blobs = Json::array();
      for (; at != asked.end() && blobs.size() < kAskBatch; ++at) {
        blobs.push_back({{"digest", at->first}, {"size_bytes", at->second}});
      }
      MLOPS_ASSIGN(const auto answer, session_.api().post("/api/v1/blobs/missing", {{"blobs", std::move(blobs)}}));
      for (auto& digest : strings_of(answer, "missing")) missing.insert(std::move(digest));
    }
    return missing;
  }

  // One file for each missing digest: equal files are sent once.
  std::vector<std::size_t> files_to_send(const std::vector<std::size_t>& indexes, std::set<std::string> missing) const {
    std::vector<std::size_t> to_send;
    for (const auto i : indexes) {
      if (missing.erase(result_.files[i].digest.to_string()) > 0) to_send.push_back(i);
    }
    return to_send;
  }

  // The last `streamed` of `indexes` have no digest yet.
  Status send_all(const std::vector<std::size_t>& indexes, std::size_t streamed) {
    for (const auto i : indexes) result_.sent_bytes += walk_.files[i].size_bytes;
    result_.sent_files = indexes.size();
    if (session_.dry_run()) return {};
    Progress progress(session_, "uploading", result_.sent_bytes);
    for (std::size_t n = 0; n < indexes.size(); ++n) {
      const auto i = indexes[n];
      const auto& file = walk_.files[i];
      const bool is_hashed = n + streamed < indexes.size();
      const auto expected = is_hashed ? result_.files[i].digest.to_string() : std::string();
      MLOPS_ASSIGN(const auto answer,
                   session_.api().upload(file.source, expected, progress.next_file(file.size_bytes)));
      MLOPS_ASSIGN(const auto digest, crypto::Digest::parse(text_of(answer, "digest")));
      if (static_cast<std::uint64_t>(int_of(answer, "size_bytes")) != file.size_bytes) return file_changed(file);
      result_.files[i] = {file.path, digest, file.size_bytes};
    }
    return {};
  }

  Session& session_;
  const Walk& walk_;
  PushResult result_;
};

}  // namespace

bool streams_at_once(const WalkedFile& file, const std::set<std::uint64_t>& known_sizes) {
  return file.size_bytes >= kStreamFromBytes && !known_sizes.contains(file.size_bytes);
}

Result<PushResult> push_files(Session& session, model::ArtifactKind kind, const std::string& name, const Walk& walk) {
  return Push(session, walk).run(kind, name);
}

}  // namespace mlops::cli
