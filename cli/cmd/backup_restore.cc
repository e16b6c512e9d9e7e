#include "cli/cmd/backup_restore.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "cli/cmd/backup_database.h"
#include "cli/cmd/backup_verify.h"
#include "core/base/id.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

namespace fs = std::filesystem;

// Of a data directory (daemon/app/data_dir.h, storage/cas/pack_store.h).
constexpr const char* kDatabaseName = "mlops.db";
constexpr const char* kBlobs = "blobs";
constexpr const char* kPacks = "blobs/packs";
constexpr const char* kKeys = "keys";
constexpr std::string_view kKeySuffix = ".key";
constexpr std::size_t kKeyLimitBytes = 4096;
constexpr std::size_t kZeroBytes = 1u << 20;

Status check_directory(const std::string& directory) {
  std::error_code error;
  const auto type = fs::status(directory, error).type();
  if (type == fs::file_type::not_found) return {};
  if (type == fs::file_type::directory && fs::is_empty(directory, error)) return {};
  return fail(ErrorCode::kAlreadyExists, "directory_not_empty",
              fmt::format("{} is there already and is not an empty directory", printable(directory)),
              "name a new directory: restoring never writes over data");
}

Status check_room(const fs::path& beside, std::uint64_t bytes) {
  std::error_code error;
  const auto space = fs::space(beside, error);
  if (error || space.available >= bytes) return {};
  return fail(ErrorCode::kExhausted, "disk_full",
              fmt::format("the snapshot needs {}, {} are free there", human_size(bytes), human_size(space.available)));
}

// Takes everything and keeps nothing.
class NoFile final : public WritableFile {
 public:
  Status append(ByteView) override { return {}; }
  Status sync() override { return {}; }
  Status close() override { return {}; }
};

class Restoring {
 public:
  Restoring(const BackupFile& file, const BackupSnapshot& snapshot, const RestoreOptions& options,
            const std::function<void(std::uint64_t)>& progress)
      : file_(file), snapshot_(snapshot), options_(options), progress_(progress) {}
  Restoring(const Restoring&) = delete;
  Restoring& operator=(const Restoring&) = delete;
  ~Restoring() {
    std::error_code ignored;
    if (!staging_.empty()) fs::remove_all(staging_, ignored);
  }

  Result<RestoreReport> run() {
    MLOPS_TRY(check_directory(options_.directory));
    if (const auto holes = holes_of(file_, snapshot_); !holes.empty()) MLOPS_TRY(damaged(holes.front()));
    MLOPS_TRY(prepare());
    MLOPS_TRY(copy_keys());
    MLOPS_TRY(write_database());
    for (const auto& pack : snapshot_.packs) MLOPS_TRY(write_pack(pack));
    MLOPS_TRY(publish());
    return std::move(report_);
  }

 private:
  bool writes() const { return options_.writes == RestoreWrites::kYes; }
  std::string path(const std::string& below) const { return (staging_ / below).string(); }

  Status damaged(const BackupDamage& damage) {
    if (options_.mode == RestoreMode::kSalvage) {
      report_.damage.push_back(damage);
      return {};
    }
    return fail(ErrorCode::kCorrupt, "backup_damaged",
                fmt::format("{} is damaged at byte {}: {}", printable(file_.path()), damage.at, damage.what),
                "restore another --snapshot or another copy of the file; --salvage restores what is whole");
  }

  Status prepare() {
    target_ = fs::path(options_.directory).lexically_normal();
    if (!target_.has_filename()) target_ = target_.parent_path();
    if (!writes()) return {};
    std::error_code error;
    const auto parent = target_.has_parent_path() ? target_.parent_path() : fs::path(".");
    fs::create_directories(parent, error);
    MLOPS_TRY(check_room(parent, snapshot_.pack_bytes() + snapshot_.database_bytes));
    staging_ = target_;
    staging_ += fmt::format(".mlops-part-{}", new_id(SystemClock()).substr(0, 18));
    for (const auto* below : {"", kBlobs, kPacks, kKeys}) MLOPS_TRY(posix_env().make_dir(path(below), 0700));
    return {};
  }

  Result<std::unique_ptr<WritableFile>> create(const std::string& below) {
    if (!writes()) return std::make_unique<NoFile>();
    return posix_env().create_exclusive(path(below));
  }

  static Status finish(WritableFile& file) {
    MLOPS_TRY(file.sync());
    return file.close();
  }

  void restored(std::size_t bytes) {
    report_.bytes += bytes;
    if (progress_) progress_(report_.bytes);
  }

  Status copy_keys() {
    if (options_.keys.empty()) return {};
    MLOPS_ASSIGN(const auto names, posix_env().list_dir(options_.keys));
    for (const auto& name : names) {
      if (name.ends_with(kKeySuffix)) MLOPS_TRY(copy_key(name));
    }
    if (!report_.keys.empty()) return {};
    return fail(ErrorCode::kInvalid, "no_keys", fmt::format("there is no *.key file in {}", printable(options_.keys)),
                "it is the folder keys of the data directory that was backed up");
  }

  Status copy_key(const std::string& name) {
    const auto from = (fs::path(options_.keys) / name).string();
    struct stat info {};
    if (::lstat(from.c_str(), &info) != 0 || !S_ISREG(info.st_mode) || (info.st_mode & 077) != 0) {
      return fail(ErrorCode::kInvalid, "key_file_exposed",
                  fmt::format("{} is not a file that its owner alone can read", printable(from)),
                  "chmod 600 " + printable(from));
    }
    MLOPS_ASSIGN(const auto content, read_file(from, kKeyLimitBytes));
    MLOPS_ASSIGN(const auto out, create(std::string(kKeys) + "/" + name));
    MLOPS_TRY(out->append(as_bytes(content)));
    report_.keys.push_back(name);
    return finish(*out);
  }

  Status write_database() {
    const DatabaseImage image(file_, snapshot_.chain, snapshot_.record_at);
    MLOPS_ASSIGN(const auto out, create(kDatabaseName));
    MLOPS_ASSIGN(const auto digest, image.read(snapshot_.database_bytes, [&](ByteView bytes) {
      restored(bytes.size());
      return out->append(bytes);
    }));
    if (digest != snapshot_.database_digest) {
      return fail(ErrorCode::kCorrupt, "backup_damaged",
                  fmt::format("the database of snapshot {} in {} does not have its SHA-256", snapshot_.number,
                              printable(file_.path())),
                  "restore another --snapshot: every eighth one brings the whole database anew");
    }
    return finish(*out);
  }

  Status write_pack(const BackupPack& pack) {
    const auto word = pack_word(pack.id);
    const auto below = std::string(kPacks) + "/" + word;
    MLOPS_ASSIGN(const auto out, create(below + ".pack"));
    cas::PackIndex index{pack.id, pack.size_bytes, {}};
    std::uint64_t end = 0;
    for (const auto& head : file_.parts_of(snapshot_, pack)) {
      MLOPS_TRY(write_zeros(*out, end, head.offset));
      MLOPS_TRY(write_part(*out, pack, head, index));
      end = head.offset + head.size_bytes;
    }
    MLOPS_TRY(write_zeros(*out, end, pack.size_bytes));
    MLOPS_TRY(finish(*out));
    report_.objects += index.entries.size();
    // Spares the first start reading every pack from end to end.
    MLOPS_ASSIGN(const auto index_out, create(below + ".idx"));
    MLOPS_TRY(index_out->append(as_bytes(cas::index_bytes(index))));
    return finish(*index_out);
  }

  Status write_part(WritableFile& out, const BackupPack& pack, const BackupHead& head, cas::PackIndex& index) {
    MLOPS_ASSIGN(const bool is_whole, file_.read(head, payload_));
    if (!is_whole) {
      MLOPS_TRY(damaged(
          {head.at, fmt::format("pack {} from byte {} does not have its SHA-256", pack_word(pack.id), head.offset)}));
    }
    const auto wanted = static_cast<std::size_t>(std::min(head.size_bytes, pack.size_bytes - head.offset));
    const auto bytes = ByteView(payload_).first(wanted);
    const auto scan = scan_pack(pack, head.offset, bytes, PackPart::kLast);
    index.entries.insert(index.entries.end(), scan.entries.begin(), scan.entries.end());
    for (const auto& gap : scan.gaps) {
      BackupDamage place{head.payload_at() + (gap.offset - head.offset),
                         fmt::format("pack {} has no whole frame from byte {} to {}", pack_word(pack.id), gap.offset,
                                     gap.offset + gap.size_bytes)};
      (is_whole ? report_.came_damaged : report_.damage).push_back(std::move(place));
    }
    restored(wanted);
    return out.append(bytes);
  }

  // Where a record is missing, so that what follows lies where it did.
  static Status write_zeros(WritableFile& out, std::uint64_t from, std::uint64_t to) {
    if (from >= to) return {};
    const std::vector<std::uint8_t> zeros(kZeroBytes);
    for (auto at = from; at < to; at += std::min<std::uint64_t>(kZeroBytes, to - at)) {
      MLOPS_TRY(out.append(ByteView(zeros).first(std::min<std::uint64_t>(kZeroBytes, to - at))));
    }
    return {};
  }

  Status publish() {
    if (!writes()) return {};
    for (const auto* below : {kKeys, kPacks, kBlobs, ""}) MLOPS_TRY(posix_env().sync_dir(path(below)));
    std::error_code error;
    // Only an empty directory can be replaced so.
    MLOPS_TRY(fs::exists(target_, error) ? posix_env().rename_replace(staging_.string(), target_.string())
                                         : posix_env().rename_no_replace(staging_.string(), target_.string()));
    staging_.clear();
    return posix_env().sync_dir(target_.has_parent_path() ? target_.parent_path().string() : ".");
  }

  const BackupFile& file_;
  const BackupSnapshot& snapshot_;
  const RestoreOptions& options_;
  const std::function<void(std::uint64_t)>& progress_;
  fs::path target_;
  fs::path staging_;  // empty: nothing to clean up
  RestoreReport report_;
  std::vector<std::uint8_t> payload_;
};

}  // namespace

Result<RestoreReport> restore_backup(const BackupFile& file, const BackupSnapshot& snapshot,
                                     const RestoreOptions& options,
                                     const std::function<void(std::uint64_t)>& progress) {
  return Restoring(file, snapshot, options, progress).run();
}

}  // namespace mlops::cli
