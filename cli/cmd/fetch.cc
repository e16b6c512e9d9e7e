#include "cli/cmd/fetch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <optional>
#include <thread>
#include <tuple>

#include "cli/cmd/recipe_query.h"
#include "cli/cmd/staged_file.h"
#include "cli/progress.h"
#include "core/base/env.h"
#include "core/base/text.h"
#include "storage/cas/stream_format.h"

namespace mlops::cli {
namespace {

constexpr std::size_t kSyncEachUpTo = 16;           // files; more are made durable all at once
constexpr std::size_t kWantsAtOnce = 16'384;        // the server's limit is larger
constexpr std::uint64_t kBytesAtOnce = 2ull << 30;  // so that no answer has too many chunks
constexpr int kTries = 4;

Failure bad_stream(std::string_view what) {
  return fail(ErrorCode::kCorrupt, "bad_stream", fmt::format("the server's answer is not well formed: {}", what),
              "pull again; is this mlopsctl of the server's version?");
}

// Everything below the directory's file system: one call instead of one a file.
Status sync_all(const std::string& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool ok = fd >= 0 && ::syncfs(fd) == 0;
  if (fd >= 0) ::close(fd);
  if (ok) return {};
  return fail(ErrorCode::kUnavailable, "io_error",
              fmt::format("{}: the files could not be made durable", printable(directory)));
}

class Fetch {
 public:
  Fetch(Session& session, const std::vector<FetchFile>& files, Durability durability, Progress& progress)
      : session_(session),
        files_(files),
        progress_(progress),
        sync_(durability == Durability::kSystem ? Sync::kNever
              : files.size() <= kSyncEachUpTo   ? Sync::kNow
                                                : Sync::kLater) {}

  Status run() {
    int failures = 0;
    MLOPS_TRY(run_local_parts());
    while (file_ < files_.size()) {
      const auto before = place();
      auto asked = ask();
      const bool has_advanced = place() != before;
      if (asked && !has_advanced) return bad_stream("less than was asked for");
      if (has_advanced) failures = 0;
      if (asked) continue;
      const bool is_lost = asked.error().slug == "connection_lost" || asked.error().slug == "server_timeout";
      if (!is_lost || ++failures == kTries) return asked;
      session_.warn(fmt::format("{}; going on where it stopped", asked.error().message));
      std::this_thread::sleep_for(std::chrono::milliseconds(250) * failures);
    }
    return {};
  }

  Sync sync() const { return sync_; }
  const FetchResult& result() const { return result_; }

 private:
  std::tuple<std::size_t, std::size_t, std::uint64_t> place() const { return {file_, part_, position_}; }

  // Asks for the next parts that come from the server and takes the answer.
  Status ask() {
    const auto body = wants();
    head_used_ = 0;
    payload_.clear();
    MLOPS_TRY(
        session_.api().post_for_stream("/api/v1/store/fetch", body, [this](ByteView bytes) { return take(bytes); }));
    if (head_used_ != 0) return bad_stream("it ends in the middle of a record");
    return {};
  }

  std::string wants() const {
    std::string body;
    std::uint64_t bytes = 0;
    std::size_t count = 0;
    auto file = file_;
    auto part = part_;
    auto begin = position_;
    while (file < files_.size() && count < kWantsAtOnce && bytes < kBytesAtOnce) {
      const auto& parts = files_[file].parts;
      if (part == parts.size()) {
        ++file;
        part = 0;
        begin = 0;
        continue;
      }
      if (!parts[part].is_local) {
        // A long part in several pieces; the answer's chunks may reach a little beyond, which ends the piece there.
        const auto end = std::min(parts[part].end, begin + kBytesAtOnce);
        const auto want = cas::want_bytes({files_[file].file.digest, begin, end});
        body.append(reinterpret_cast<const char*>(want.data()), want.size());
        bytes += end - begin;
        ++count;
        if (end < parts[part].end) break;
      }
      begin = parts[part].end;
      ++part;
    }
    return body;
  }

  Status take(ByteView bytes) {
    result_.received_bytes += bytes.size();
    while (!bytes.empty()) {
      if (head_used_ < head_.size()) {
        const auto some = std::min(bytes.size(), head_.size() - head_used_);
        std::memcpy(head_.data() + head_used_, bytes.data(), some);
        head_used_ += some;
        bytes = bytes.subspan(some);
        if (head_used_ < head_.size()) return {};
        MLOPS_ASSIGN(record_, cas::parse_record_head(head_));
        payload_.clear();
      }
      const auto missing = record_.stored_bytes - payload_.size();
      if (payload_.empty() && bytes.size() >= missing) {
        const auto payload = bytes.first(missing);
        bytes = bytes.subspan(missing);
        MLOPS_TRY(take_record(payload));
        continue;
      }
      const auto some = std::min(bytes.size(), missing);
      payload_.insert(payload_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(some));
      bytes = bytes.subspan(some);
      if (payload_.size() == record_.stored_bytes) MLOPS_TRY(take_record(payload_));
    }
    // A record without payload is complete with its head.
    if (head_used_ == head_.size() && record_.stored_bytes == 0) return take_record({});
    return {};
  }

  Status take_record(ByteView payload) {
    head_used_ = 0;
    if (record_.type == cas::RecordType::kEnd) return {};
    if (record_.type != cas::RecordType::kChunk) return bad_stream("a record of another kind");
    if (file_ == files_.size()) return bad_stream("more than was asked for");
    const auto& part = files_[file_].parts[part_];
    if (part.is_local || position_ + record_.raw_bytes > part.end) return bad_stream("a chunk of another place");
    MLOPS_TRY(open());
    const auto room = out_->room(record_.raw_bytes);
    MLOPS_TRY(decoder_.decode(record_.encoding, payload, room));
    return advance(record_.raw_bytes);
  }

  Status open() {
    if (out_) return {};
    const auto& file = files_[file_];
    MLOPS_ASSIGN(auto check, check_of(file));
    MLOPS_ASSIGN(auto out,
                 StagedFile::create(posix_env(), file.target, sync_of(file), file.file.size_bytes, std::move(check)));
    out_.emplace(std::move(out));
    chunk_at_ = 0;
    chunk_begin_ = 0;
    return {};
  }

  Result<std::unique_ptr<ContentCheck>> check_of(const FetchFile& file) {
    chunks_.clear();
    if (file.verify_by == VerifyBy::kFiles) return check_whole(file.file.digest);
    chunks_ = file.chunks;
    if (chunks_.empty()) MLOPS_TRY(ask_for_chunks(file));
    if (chunks_.empty()) return check_whole(file.file.digest);
    ++result_.files_by_chunks;
    return check_chunks(file.file.digest, chunks_);
  }

  // None: the file was not cut by the rule.
  Status ask_for_chunks(const FetchFile& file) {
    // The session's own connection is busy with the answer that this file is in.
    if (!recipes_) {
      MLOPS_ASSIGN(recipes_, session_.api().another());
    }
    MLOPS_ASSIGN(auto chunks, fetch_recipe(*recipes_, file.file.digest, file.file.size_bytes));
    if (chunks) chunks_ = std::move(*chunks);
    return {};
  }

  Sync sync_of(const FetchFile& file) const {
    return sync_ == Sync::kNever && !file.base.empty() ? Sync::kSoon : sync_;
  }

  Status advance(std::uint64_t bytes) {
    out_->filled(bytes);
    position_ += bytes;
    done_bytes_ += bytes;
    progress_.note(fmt::format("{}% known", result_.local_bytes * 100 / std::max<std::uint64_t>(done_bytes_, 1)));
    progress_.update(done_bytes_);
    return position_ == files_[file_].parts[part_].end ? next_part() : Status{};
  }

  Status next_part() {
    ++part_;
    return run_local_parts();
  }

  // To the next part that comes from the server, or the end of all.
  Status run_local_parts() {
    while (file_ < files_.size()) {
      const auto& file = files_[file_];
      if (part_ == file.parts.size()) {
        MLOPS_TRY(open());
        MLOPS_TRY(out_->commit());
        out_.reset();
        base_.reset();
        ++file_;
        part_ = 0;
        position_ = 0;
        continue;
      }
      if (!file.parts[part_].is_local) return {};
      MLOPS_TRY(copy_local(file.parts[part_]));
      ++part_;
    }
    return {};
  }

  Status copy_local(const FetchPart& part) {
    if (!base_) {
      MLOPS_ASSIGN(base_, posix_env().open_readable(files_[file_].base));
    }
    auto from = part.local_begin;
    MLOPS_TRY(open());
    while (position_ < part.end) {
      MLOPS_ASSIGN(const auto size, local_step(part.end));
      const auto room = out_->room(size);
      MLOPS_ASSIGN(const auto got, base_->read_at(from, room));
      if (got != size) {
        return fail(ErrorCode::kCorrupt, "digest_mismatch", "the older file changed while it was read", "pull again");
      }
      out_->filled(size);
      // The new file will take its place: what is forgotten here, piece by piece, need not be when it is removed.
      base_->forget_cached(from, from + size);
      position_ += size;
      from += size;
      done_bytes_ += size;
      result_.local_bytes += size;
    }
    progress_.update(done_bytes_);
    return {};
  }

  // How much of a local part is copied at once: whole chunks when those are verified.
  Result<std::size_t> local_step(std::uint64_t end) {
    constexpr std::uint64_t kMost = PieceLane::kBufferBytes;
    const auto left = end - position_;
    if (chunks_.empty()) return static_cast<std::size_t>(std::min(left, kMost));
    while (chunk_begin_ < position_ && chunk_at_ < chunks_.size()) chunk_begin_ += chunks_[chunk_at_++].size_bytes;
    std::uint64_t step = 0;
    auto at = chunk_at_;
    while (at < chunks_.size() && step < left && step + chunks_[at].size_bytes <= kMost) {
      step += chunks_[at++].size_bytes;
    }
    if (step == 0 || step > left || chunk_begin_ != position_) return bad_stream("two lists of a file's chunks differ");
    return static_cast<std::size_t>(step);
  }

  Session& session_;
  const std::vector<FetchFile>& files_;
  Progress& progress_;
  const Sync sync_;
  FetchResult result_;

  // Where the receiving is.
  std::size_t file_ = 0;
  std::size_t part_ = 0;
  std::uint64_t position_ = 0;  // in the file
  std::unique_ptr<ApiClient> recipes_;
  std::vector<cas::RecipeEntry> chunks_;  // that the file is verified by; none: its SHA-256 is
  std::optional<StagedFile> out_;         // refers to them
  std::unique_ptr<ReadableFile> base_;
  std::uint64_t done_bytes_ = 0;
  std::size_t chunk_at_ = 0;       // of these: the first one not before position_, as far as looked
  std::uint64_t chunk_begin_ = 0;  // where it begins

  // The record being received.
  std::array<std::uint8_t, cas::kRecordHeadBytes> head_{};
  std::size_t head_used_ = 0;
  cas::RecordHead record_;
  std::vector<std::uint8_t> payload_;
  cas::Decoder decoder_;
};

}  // namespace

Result<FetchResult> fetch_files(Session& session, const std::vector<FetchFile>& files, const std::string& staging,
                                Durability durability) {
  std::uint64_t total_bytes = 0;
  for (const auto& file : files) total_bytes += file.file.size_bytes;
  Progress progress(session, "pulling", total_bytes);
  Fetch fetch(session, files, durability, progress);
  MLOPS_TRY(fetch.run());
  if (fetch.sync() == Sync::kLater) MLOPS_TRY(sync_all(staging));
  return fetch.result();
}

}  // namespace mlops::cli
