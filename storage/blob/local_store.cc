#include "storage/blob/local_store.h"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <mutex>
#include <set>

#include "core/base/log.h"
#include "core/crypto/seal.h"

namespace mlops::blob {
namespace {

// How often a growing upload looks at the free space.
constexpr std::uint64_t kSpaceCheckBytes = 64u << 20;

class LocalStore;

class LocalWriter : public BlobWriter {
 public:
  LocalWriter(LocalStore& store, Env& env, std::string path, std::unique_ptr<WritableFile> file)
      : store_(store), env_(env), path_(std::move(path)), file_(std::move(file)) {}
  ~LocalWriter() override;
  Status append(ByteView bytes) override;
  Status publish(const crypto::Digest& digest) override;

 private:
  LocalStore& store_;
  Env& env_;
  const std::string path_;
  std::unique_ptr<WritableFile> file_;
  std::uint64_t unchecked_bytes_ = 0;
  bool published_ = false;
};

class LocalReader : public BlobReader {
 public:
  explicit LocalReader(std::unique_ptr<ReadableFile> file) : file_(std::move(file)) {}
  std::uint64_t size_bytes() const override { return file_->size_bytes(); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> into) const override {
    return file_->read_at(offset, into);
  }

 private:
  std::unique_ptr<ReadableFile> file_;
};

class LocalStore : public BlobStore {
 public:
  LocalStore(LocalStoreOptions options, Env& env) : options_(std::move(options)), env_(env) {}

  Status prepare() {
    for (const auto& path : {options_.root, tmp_dir(), options_.root + "/sha256"}) MLOPS_TRY(env_.make_dir(path));
    for (unsigned i = 0; i < 256; ++i) {
      const auto dir = fmt::format("{}/sha256/{:02x}", options_.root, i);
      MLOPS_TRY(env_.make_dir(dir));
      // A name whose sync failed last time becomes durable now, before anything can rely on it.
      MLOPS_TRY(env_.sync_dir(dir));
    }
    MLOPS_TRY(env_.sync_dir(options_.root + "/sha256"));
    MLOPS_TRY(env_.sync_dir(options_.root));
    // What was being written when the last process ended was never acknowledged.
    MLOPS_ASSIGN(const auto leftovers, env_.list_dir(tmp_dir()));
    for (const auto& name : leftovers) MLOPS_TRY(env_.remove(tmp_dir() + "/" + name));
    return {};
  }

  Result<std::unique_ptr<BlobWriter>> create() override {
    MLOPS_TRY(check_space());
    MLOPS_ASSIGN(const auto random, crypto::random_bytes(16));
    auto path = tmp_dir() + "/" + to_hex(random);
    MLOPS_ASSIGN(auto file, env_.create_exclusive(path));
    return std::unique_ptr<BlobWriter>(std::make_unique<LocalWriter>(*this, env_, std::move(path), std::move(file)));
  }

  Result<std::unique_ptr<BlobReader>> open(const crypto::Digest& digest) const override {
    MLOPS_TRY(check_durable(digest));
    auto file = env_.open_readable(path_of(digest));
    if (!file) return not_found_or(digest, std::move(file.error()));
    return std::unique_ptr<BlobReader>(std::make_unique<LocalReader>(std::move(*file)));
  }

  Result<std::uint64_t> size_bytes(const crypto::Digest& digest) const override {
    MLOPS_TRY(check_durable(digest));
    auto size = env_.file_size_bytes(path_of(digest));
    if (!size) return not_found_or(digest, std::move(size.error()));
    return *size;
  }

  Status remove(const crypto::Digest& digest) override {
    MLOPS_TRY(env_.remove(path_of(digest)));
    return env_.sync_dir(dir_of(digest));
  }

  Status for_each(const std::function<Status(const crypto::Digest&, std::uint64_t)>& visit) const override {
    for (unsigned i = 0; i < 256; ++i) {
      const auto dir = fmt::format("{}/sha256/{:02x}", options_.root, i);
      MLOPS_ASSIGN(const auto names, env_.list_dir(dir));
      for (const auto& name : names) {
        const auto digest = crypto::Digest::parse_hex(name);
        if (!digest) continue;  // not ours
        MLOPS_ASSIGN(const auto size, env_.file_size_bytes(dir + "/" + name));
        MLOPS_TRY(visit(*digest, size));
      }
    }
    return {};
  }

  // A blob whose directory could not be synced may be gone after a power cut: it counts as absent until it is sent again.
  void set_durable(const crypto::Digest& digest, bool is_durable) {
    std::lock_guard lock(mutex_);
    if (is_durable) {
      not_durable_.erase(digest);
    } else {
      not_durable_.insert(digest);
    }
  }

  Status check_durable(const crypto::Digest& digest) const {
    std::lock_guard lock(mutex_);
    if (!not_durable_.contains(digest)) return {};
    return not_found_or(digest, {ErrorCode::kNotFound, {}, {}, {}, {}});
  }

  Status check_space() const {
    struct statvfs info {};
    if (::statvfs(options_.root.c_str(), &info) != 0 || info.f_blocks == 0) return {};
    const auto free_percent = 100.0 * static_cast<double>(info.f_bavail) / static_cast<double>(info.f_blocks);
    if (free_percent >= options_.low_water_percent) return {};
    return fail(ErrorCode::kExhausted, "disk_full",
                fmt::format("the data directory's disk has {:.1f} % free space; uploads stop below {} %", free_percent,
                            options_.low_water_percent),
                "free space, or lower store.low_water_percent");
  }

  std::string dir_of(const crypto::Digest& digest) const {
    return fmt::format("{}/sha256/{}", options_.root, digest.hex().substr(0, 2));
  }
  std::string path_of(const crypto::Digest& digest) const { return dir_of(digest) + "/" + digest.hex(); }

 private:
  std::string tmp_dir() const { return options_.root + "/tmp"; }

  static Failure not_found_or(const crypto::Digest& digest, Error error) {
    if (error.code != ErrorCode::kNotFound) return fail(std::move(error));
    return fail(ErrorCode::kNotFound, "blob_not_found", fmt::format("the store has no blob {}", digest.to_string()));
  }

  const LocalStoreOptions options_;
  Env& env_;
  mutable std::mutex mutex_;
  std::set<crypto::Digest> not_durable_;
};

LocalWriter::~LocalWriter() {
  if (published_) return;
  file_.reset();
  if (auto removed = env_.remove(path_); !removed) {
    log::warn("upload_leftover", {{"slug", std::string_view(removed.error().slug)}});
  }
}

Status LocalWriter::append(ByteView bytes) {
  unchecked_bytes_ += bytes.size();
  if (unchecked_bytes_ >= kSpaceCheckBytes) {
    unchecked_bytes_ = 0;
    MLOPS_TRY(store_.check_space());
  }
  return file_->append(bytes);
}

Status LocalWriter::publish(const crypto::Digest& digest) {
  MLOPS_TRY(file_->sync());
  MLOPS_TRY(file_->close());
  MLOPS_TRY(env_.rename_replace(path_, store_.path_of(digest)));
  published_ = true;
  auto synced = env_.sync_dir(store_.dir_of(digest));
  store_.set_durable(digest, synced.has_value());
  return synced;
}

}  // namespace

Result<std::unique_ptr<BlobStore>> open_local_store(LocalStoreOptions options, Env& env) {
  auto store = std::make_unique<LocalStore>(std::move(options), env);
  MLOPS_TRY(store->prepare());
  return std::unique_ptr<BlobStore>(std::move(store));
}

}  // namespace mlops::blob
