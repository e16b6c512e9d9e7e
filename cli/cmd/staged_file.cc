#include "cli/cmd/staged_file.h"

#include <fmt/format.h>

#include "core/base/text.h"

namespace mlops::cli {

StagedFile::StagedFile(std::string target, std::unique_ptr<WritableFile> file, Sync sync)
    : target_(std::move(target)), sync_(sync), file_(std::move(file)), lane_(std::make_unique<HashLane>(file_.get())) {}

Result<StagedFile> StagedFile::create(Env& env, const std::string& target, Sync sync) {
  MLOPS_ASSIGN(auto file, env.create_exclusive(target, 0644));
  if (sync == Sync::kNever) file->expect_no_sync();
  return StagedFile(target, std::move(file), sync);
}

std::span<std::uint8_t> StagedFile::room(std::size_t size) {
  if (!piece_.empty() && piece_.size() - used_ < size) flush();
  if (piece_.empty()) piece_ = lane_->acquire();
  return piece_.subspan(used_, size);
}

void StagedFile::filled(std::size_t size) {
  used_ += size;
  written_bytes_ += size;
}

// The lane's threads hash and write the piece while this one fills the next.
void StagedFile::flush() {
  if (used_ == 0) return;
  lane_->submit(used_);
  piece_ = {};
  used_ = 0;
}

Status StagedFile::commit(const crypto::Digest& expected) {
  flush();
  MLOPS_ASSIGN(const auto digest, lane_->finish());
  if (digest != expected) {
    return fail(ErrorCode::kCorrupt, "digest_mismatch",
                fmt::format("{}: received bytes have the digest {}, not {}", printable(target_), digest.to_string(),
                            expected.to_string()),
                "nothing was kept; pull again, and run `mlopsctl fsck --read-data` if it stays");
  }
  if (sync_ == Sync::kNow) MLOPS_TRY(file_->sync());
  return file_->close();
}

}  // namespace mlops::cli
