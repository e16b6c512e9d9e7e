// The server's store routes (docs/format/push.md) over a real content store in a directory of its own, with what can go
// wrong on the way. Thread-safety: thread-safe, as a push has a thread of its own; faults are set before. Units: bytes.
#pragma once

#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "cli/session.h"
#include "storage/cas/content_store.h"
#include "storage/cas/ingest.h"
#include "tests/unit/cli/cmd/temporary_directory.h"

namespace mlops::cli {

class FakeStore {
 public:
  static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

  FakeStore();

  // The routes.
  Result<std::string> missing(std::string_view body);
  Result<Json> upload(const std::function<Result<ByteView>()>& next);
  Result<Json> push(const std::function<Result<ByteView>()>& next);
  Result<std::string> recipe(const std::string& path);
  Status fetch(std::string_view body, const std::function<Status(ByteView)>& sink);

  // Straight into and out of the store.
  crypto::Digest put(std::string_view bytes);
  bool has(const crypto::Digest& digest, std::uint64_t size_bytes) const { return content_->has(digest, size_bytes); }
  std::string read(const crypto::Digest& digest);  // "" when absent

  // What goes wrong once: the n-th stream (from 1) of a kind breaks after so many bytes; one byte of the n-th fetched
  // stream is another one; one round of questions about chunks and nodes is answered "it is here".
  struct Fault {
    std::size_t stream = 0;
    std::uint64_t at = kNever;
  };
  Fault broken_push;
  Fault broken_upload;
  Fault broken_fetch;
  Fault wrong_byte;
  bool claims_all_once = false;
  // Files whose list of chunks is told as that of another one.
  std::map<crypto::Digest, crypto::Digest> recipes_of;
  // A file whose list tells chunks of a byte each.
  std::optional<crypto::Digest> tiny_chunks_of;

  struct Counts {
    std::size_t questions = 0;
    std::size_t uploads = 0;
    std::size_t pushes = 0;
    std::uint64_t pushed_bytes = 0;  // that reached the server
    std::uint64_t pushed_chunks = 0;
    std::size_t fetches = 0;
    std::uint64_t fetched_bytes = 0;
    std::size_t recipes = 0;
  };
  Counts counts() const;

 private:
  cas::StreamRead arriving(const std::function<Result<ByteView>()>& next, std::uint64_t left);

  TemporaryDirectory directory_;
  SystemClock clock_;
  std::unique_ptr<cas::ContentStore> content_;
  mutable std::mutex mutex_;
  Counts counts_;
};

// Bytes that do not compress; they depend on the seed only.
std::string random_bytes(std::uint64_t seed, std::size_t size);

}  // namespace mlops::cli
