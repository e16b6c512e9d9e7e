#include "cli/cmd/artifact_push.h"

#include <filesystem>

#include "cli/stat_cache.h"

namespace mlops::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kOlderVersions = 1;

PushInput input_of(const Walk& walk, const WalkedFile& file) {
  return {file.path, source_of(walk, file), nullptr, file.size_bytes, nullptr};
}

}  // namespace

ArtifactPush::ArtifactPush(Session& session, const Walk& walk, model::ArtifactKind kind, const std::string& name)
    : session_(session),
      walk_(walk),
      kind_(kind),
      older_(session, std::string(model::to_word(kind)), name, kOlderVersions),
      digests_(walk.files.size()),
      is_known_(walk.files.size()) {
  std::error_code error;
  const auto absolute = fs::absolute(walk.root, error).lexically_normal();
  if (error) return;
  cache_root_ = absolute.string();
  cache_file_ = stat_cache_file(session.api().server_url(), cache_root_);
}

bool ArtifactPush::recognise(Rehash rehash) {
  if (rehash == Rehash::kYes || cache_file_.empty()) return false;
  const auto cache = StatCache::load(cache_file_, cache_root_);
  if (cache.size() == 0) return false;
  std::size_t hint = 0;
  bool is_all = true;
  for (std::size_t i = 0; i < walk_.files.size(); ++i) {
    const auto digest = cache.find(walk_.files[i].path, walk_.files[i].stat, hint);
    is_known_[i] = digest.has_value();
    if (digest) digests_[i] = *digest;
    is_all = is_all && digest;
  }
  return is_all;
}

void ArtifactPush::add(const PushResult& more) {
  result_.sent_files += more.sent_files;
  result_.sent_bytes += more.sent_bytes;
  result_.stored_bytes += more.stored_bytes;
  result_.known_bytes += more.known_bytes;
}

Status ArtifactPush::push() {
  std::vector<PushInput> known;
  std::vector<crypto::Digest> known_digests;
  std::vector<std::size_t> known_at;
  std::vector<bool> must_read(walk_.files.size());
  for (std::size_t i = 0; i < walk_.files.size(); ++i) {
    must_read[i] = !is_known_[i];
    if (must_read[i]) continue;
    known.push_back({walk_.files[i].path, {}, nullptr, walk_.files[i].size_bytes, nullptr});
    known_digests.push_back(digests_[i]);
    known_at.push_back(i);
    result_.known_bytes += walk_.files[i].size_bytes;
  }
  // Unchanged here does not mean that this server still has it.
  MLOPS_ASSIGN(const auto missing, missing_files(session_, known, known_digests));
  for (const auto n : missing) {
    must_read[known_at[n]] = true;
    result_.known_bytes -= known[n].size_bytes;
  }
  std::vector<PushInput> inputs;
  std::vector<std::size_t> at;
  for (std::size_t i = 0; i < walk_.files.size(); ++i) {
    if (!must_read[i]) continue;
    inputs.push_back(input_of(walk_, walk_.files[i]));
    at.push_back(i);
  }
  has_manifest_ = false;
  if (!inputs.empty()) {
    MLOPS_ASSIGN(const auto pushed,
                 session_.dry_run() ? would_push(session_, inputs) : push_files(session_, inputs, {&older_}));
    for (std::size_t n = 0; n < at.size(); ++n) digests_[at[n]] = pushed.digests[n];
    add(pushed);
  }
  MLOPS_TRY(make_manifest());
  return manifest_.is_tree && !session_.dry_run() ? push_tree() : Status{};
}

Status ArtifactPush::make_manifest() {
  if (has_manifest_) return {};
  std::vector<model::FileEntry> files;
  files.reserve(walk_.files.size());
  for (std::size_t i = 0; i < walk_.files.size(); ++i) {
    files.push_back({walk_.files[i].path, digests_[i], walk_.files[i].size_bytes});
  }
  MLOPS_ASSIGN(manifest_, model::make_manifest(kind_, std::move(files)));
  has_manifest_ = true;
  return {};
}

Status ArtifactPush::push_tree() {
  const auto bytes = std::make_shared<const std::string>(model::tree_bytes(manifest_));
  const std::vector<PushInput> inputs{{"the list of files", {}, bytes, bytes->size(), nullptr}};
  MLOPS_ASSIGN(auto pushed, push_files(session_, inputs));
  pushed.sent_files = 0;  // no file of the artifact
  pushed.known_bytes = 0;
  add(pushed);
  return {};
}

Result<Json> ArtifactPush::described() {
  MLOPS_TRY(make_manifest());
  Json out = Json::object();
  // A dry run has not pushed the tree: the files themselves tell the server what it needs to know.
  if (manifest_.is_tree && !session_.dry_run()) {
    out["tree"] = {{"digest", manifest_.tree_digest.to_string()},
                   {"size_bytes", manifest_.tree_size_bytes},
                   {"file_count", manifest_.file_count},
                   {"content_size_bytes", manifest_.content_size_bytes}};
    return out;
  }
  out["files"] = Json::array();
  for (const auto& file : manifest_.files) {
    out["files"].push_back({{"path", file.path}, {"digest", file.digest.to_string()}, {"size_bytes", file.size_bytes}});
  }
  return out;
}

void ArtifactPush::remember() const {
  if (cache_file_.empty()) return;
  std::vector<StatEntry> entries;
  entries.reserve(walk_.files.size());
  for (std::size_t i = 0; i < walk_.files.size(); ++i) {
    entries.push_back({walk_.files[i].path, walk_.files[i].stat, digests_[i]});
  }
  StatCache::store(cache_file_, cache_root_, entries, walk_.started_us);
}

}  // namespace mlops::cli
