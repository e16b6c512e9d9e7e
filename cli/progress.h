// Progress of a long transfer, on standard error: a bar (bytes, rate, time left) on a TTY; elsewhere one plain line
// every ten seconds, and nothing at all for a transfer that ends sooner.
//
//   Progress progress(session, "hashing model.bin", size_bytes);
//   hash_file(env, path, progress.callback());
//
// Thread-safety: update may come from one thread at a time. Units: bytes. The destructor clears the bar.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/base/clock.h"

namespace mlops::cli {

class Session;

enum class ProgressStyle { kSilent, kBar, kLines };

class Progress {
 public:
  // REQUIRES: `session` outlives this.
  Progress(const Session& session, std::string title, std::uint64_t total_bytes);
  // For tests: own clock, width and sink.
  Progress(ProgressStyle style, std::string title, std::uint64_t total_bytes, const Clock& clock, std::size_t width,
           std::function<void(std::string_view)> sink);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Bytes done so far (not since the last call).
  void update(std::uint64_t done_bytes);
  // A few words behind the numbers: "82% known".
  void note(std::string text) { note_ = std::move(text); }
  // For what tells bytes done so far.
  std::function<void(std::uint64_t)> callback();
  // For one bar over several files: the callback of the next file, counted on top of everything before it.
  std::function<void(std::uint64_t)> next_file(std::uint64_t file_bytes);

 private:
  void draw(TimestampUs now_us);
  std::string line(TimestampUs now_us) const;

  const ProgressStyle style_;
  const std::string title_;
  const std::uint64_t total_bytes_;
  const Clock& clock_;
  const std::size_t width_;
  const std::function<void(std::string_view)> sink_;
  const TimestampUs started_us_;
  TimestampUs drawn_us_;
  std::uint64_t done_bytes_ = 0;
  std::uint64_t base_bytes_ = 0;
  std::string note_;
  bool visible_ = false;
};

}  // namespace mlops::cli
