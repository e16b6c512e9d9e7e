#include "cli/cmd/staged_file.h"

#include <fmt/format.h>

#include "core/base/text.h"

namespace mlops::cli {
namespace {

// A full disk is told before a long file is fetched, and its blocks are not counted out one by one.
constexpr std::uint64_t kWorthReservingBytes = 64u << 20;

}  // namespace

StagedFile::StagedFile(std::string target, Sync sync, std::unique_ptr<Sinks> sinks)
    : target_(std::move(target)), sync_(sync), sinks_(std::move(sinks)) {
  const auto check = [to = sinks_.get()](ByteView bytes) { to->check->take(bytes); };
  const auto write = [to = sinks_.get()](ByteView bytes) {
    if (to->written) to->written = to->file->append(bytes);
  };
  lane_ = std::make_unique<PieceLane>(std::vector<PieceLane::Work>{check, write});
}

Result<StagedFile> StagedFile::create(Env& env, const std::string& target, Sync sync, std::uint64_t size_bytes,
                                      std::unique_ptr<ContentCheck> check) {
  MLOPS_ASSIGN(auto file, env.create_exclusive(target, 0644));
  if (sync == Sync::kNever) file->expect_no_sync();
  if (size_bytes >= kWorthReservingBytes) MLOPS_TRY(file->reserve(size_bytes));
  auto sinks = std::make_unique<Sinks>();
  sinks->file = std::move(file);
  sinks->check = std::move(check);
  return StagedFile(target, sync, std::move(sinks));
}

std::span<std::uint8_t> StagedFile::room(std::size_t size) {
  if (!piece_.empty() && piece_.size() - used_ < size) flush();
  if (piece_.empty()) piece_ = lane_->acquire();
  return piece_.subspan(used_, size);
}

void StagedFile::filled(std::size_t size) {
  used_ += size;
}

// The lane's threads check and write the piece while this one fills the next.
void StagedFile::flush() {
  if (used_ == 0) return;
  lane_->submit(used_);
  piece_ = {};
  used_ = 0;
}

Status StagedFile::commit() {
  flush();
  lane_->finish();
  MLOPS_TRY(std::move(sinks_->written));
  if (!sinks_->check->finish()) {
    return fail(
        ErrorCode::kCorrupt, "digest_mismatch",
        fmt::format("{}: received bytes have another digest than {}", printable(target_), sinks_->check->expected()),
        "nothing was kept; pull again, and run `mlopsctl fsck --read-data` if it stays");
  }
  if (sync_ == Sync::kNow) MLOPS_TRY(sinks_->file->sync());
  return sinks_->file->close();
}

}  // namespace mlops::cli
