// Files as sources and sinks of policies/data. The sink is a hidden file beside its target until publish().
// Errors: those of Env. Ownership and threads: a stream belongs to one thread.
#pragma once

#include <memory>
#include <string>

#include "core/base/env.h"
#include "policies/data/stream.h"

namespace mlops::cli {

class FileSource final : public data::Source {
 public:
  static Result<FileSource> open(const std::string& path);
  Result<std::size_t> read(std::span<char> into) override;

 private:
  explicit FileSource(std::unique_ptr<ReadableFile> file) : file_(std::move(file)) {}
  std::unique_ptr<ReadableFile> file_;
  std::uint64_t at_ = 0;
};

class AtomicFileSink final : public data::Sink {
 public:
  // Mode 0600: what is masked is still nobody's by default.
  static Result<AtomicFileSink> create(const std::string& target);
  AtomicFileSink(AtomicFileSink&& other) noexcept = default;
  AtomicFileSink& operator=(AtomicFileSink&&) = delete;
  ~AtomicFileSink() override;  // unpublished: nothing is left behind

  Status write(std::string_view bytes) override;
  // Syncs and renames over the target. REQUIRES: called once, last.
  Status publish();

 private:
  AtomicFileSink(std::string target, std::string temporary, std::unique_ptr<WritableFile> file);
  std::string target_;
  std::string temporary_;
  std::unique_ptr<WritableFile> file_;  // null once published or moved from
};

}  // namespace mlops::cli
