#include "cli/cmd/plain_push.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "cli/cmd/ask.h"
#include "cli/cmd/fields.h"
#include "core/base/env.h"
#include "core/base/text.h"
#include "core/crypto/digest_batch.h"
#include "core/crypto/machine.h"
#include "core/net/url.h"
#include "storage/cas/chunker.h"

namespace mlops::cli {
namespace {

constexpr std::uint64_t kPlainBytes = 16u << 20;
constexpr std::size_t kSamples = 8;
constexpr std::size_t kSampleBytes = 1u << 20;
// A sample that begins anywhere is in step with the file's cuts after this many of its own.
constexpr std::size_t kCutsOutOfStep = 2;
constexpr std::size_t kPieceBytes = 512u << 10;

// Of a file that nothing has written to it stays the same.
using Stamp = std::array<std::int64_t, 6>;
std::optional<Stamp> stamp_of(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return std::nullopt;
  return Stamp{static_cast<std::int64_t>(info.st_ino),
               info.st_size,
               info.st_mtim.tv_sec,
               info.st_mtim.tv_nsec,
               info.st_ctim.tv_sec,
               info.st_ctim.tv_nsec};
}

// Questions about the chunks of a sample.
Status sample(const ReadableFile& file, std::uint64_t offset, std::vector<cas::Question>& questions) {
  std::vector<std::uint8_t> bytes(kSampleBytes);
  MLOPS_ASSIGN(const auto got, file.read_at(offset, bytes));
  bytes.resize(got);
  std::vector<ByteView> chunks;
  std::size_t begin = 0;
  for (std::size_t cuts = 0; bytes.size() - begin >= cas::kChunkMaxBytes; ++cuts) {
    const auto size = cas::cut_chunk(ByteView(bytes).subspan(begin));
    if (offset == 0 || cuts >= kCutsOutOfStep) chunks.push_back(ByteView(bytes).subspan(begin, size));
    begin += size;
  }
  std::vector<crypto::Digest> digests(chunks.size());
  crypto::sha256_batch(chunks, digests);
  for (const auto& digest : digests) questions.push_back({cas::RecordType::kKnownChunk, digest, 0});
  return {};
}

Result<bool> is_new(ApiClient& api, const PushInput& input) {
  MLOPS_ASSIGN(const auto file, posix_env().open_readable(input.source));
  std::vector<cas::Question> questions;
  const auto step = (input.size_bytes - kSampleBytes) / (kSamples - 1);
  for (std::size_t i = 0; i < kSamples; ++i) MLOPS_TRY(sample(*file, i * step, questions));
  MLOPS_ASSIGN(const auto answers, ask_server(api, questions));
  return !questions.empty() && std::find(answers.begin(), answers.end(), true) == answers.end();
}

}  // namespace

bool PlainRoute::takes(const PushInput& input) {
  if (input.memory || input.size_bytes < kPlainBytes) return false;
  if (!is_here_) is_here_ = is_server_here();
  if (!*is_here_) return false;
  const auto found = is_new(session_.api(), input);
  return found && *found;
}

bool PlainRoute::is_server_here() {
  const auto url = net::parse_url(session_.api().server_url());
  if (!url || !url->is_loopback() || crypto::machine_word().empty()) return false;
  const auto me = session_.api().get("/api/v1/whoami");
  return me && text_of(*me, "machine") == crypto::machine_word();
}

Result<PlainPushed> PlainRoute::push(const PushInput& input, const std::function<void(std::uint64_t)>& progress) {
  MLOPS_ASSIGN(const auto file, posix_env().open_readable(input.source));
  const auto before = stamp_of(input.source);
  if (!before || file->size_bytes() != input.size_bytes) return file_changed(input);
  MLOPS_ASSIGN(const auto api, session_.api().another());
  RawBytes piece(kPieceBytes);
  std::uint64_t sent_bytes = 0;
  const auto next = [&]() -> Result<ByteView> {
    progress(sent_bytes);
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), input.size_bytes - sent_bytes));
    MLOPS_ASSIGN(const auto got, file->read_at(sent_bytes, std::span(piece).first(wanted)));
    if (got != wanted) return file_changed(input);
    sent_bytes += got;
    return ByteView(piece).first(got);
  };
  MLOPS_ASSIGN(const auto answer, api->post_stream("/api/v1/blobs", next, input.size_bytes));
  progress(sent_bytes);
  MLOPS_ASSIGN(const auto digest, crypto::Digest::parse(text_of(answer, "digest")));
  const auto size_bytes = static_cast<std::uint64_t>(int_of(answer, "size_bytes"));
  if (size_bytes != input.size_bytes || stamp_of(input.source) != before) return file_changed(input);
  return PlainPushed{digest, static_cast<std::uint64_t>(int_of(answer, "new_bytes"))};
}

}  // namespace mlops::cli
