#include "daemon/domain/file_transfer.h"

#include <fmt/format.h>

#include <cstring>

#include "daemon/domain/viewer.h"
#include "storage/cas/little_endian.h"

namespace mlops::domain {
namespace {

constexpr std::size_t kRecipeChunks = 65'536;
// recipe: size u64 | count u32 | zero u32 | (digest[32], size u32){count}
constexpr std::size_t kRecipeHeadBytes = 16;
constexpr std::size_t kRecipeEntryBytes = 36;

Status check_length(ByteView body, std::size_t entry_bytes) {
  if (!body.empty() && body.size() % entry_bytes == 0) return {};
  return fail(ErrorCode::kInvalid, "bad_body", fmt::format("the body must be entries of {} bytes", entry_bytes),
              "docs/format/push.md shows the shape");
}

}  // namespace

bool FileTransfer::is_here(const cas::Question& question, cas::OwnerTag viewer) {
  if (question.type == cas::RecordType::kKnownChunk) {
    return content_.has_object({cas::ObjectKind::kChunk, question.digest}, viewer);
  }
  if (question.type == cas::RecordType::kKnownNode) {
    return content_.has_object({cas::ObjectKind::kNode, question.digest}, viewer);
  }
  if (!content_.has(question.digest, question.size_bytes, viewer)) return false;
  content_.lease(question.digest);
  return true;
}

Result<std::string> FileTransfer::missing(ByteView questions, const model::Principal& principal) {
  MLOPS_TRY(check_length(questions, cas::kQuestionBytes));
  const auto viewer = viewer_of(principal);
  std::string answer;
  answer.reserve(questions.size() / cas::kQuestionBytes);
  for (std::size_t at = 0; at < questions.size(); at += cas::kQuestionBytes) {
    MLOPS_ASSIGN(const auto question, cas::parse_question(questions.subspan(at, cas::kQuestionBytes)));
    answer += is_here(question, viewer) ? '\1' : '\0';
  }
  return answer;
}

Result<cas::Received> FileTransfer::receive(const cas::StreamRead& read, const model::Principal& principal) {
  return cas::receive_files(content_, viewer_of(principal), read);
}

Result<cas::PlainReceived> FileTransfer::receive_plain(const cas::StreamRead& read, const model::Principal& principal,
                                                       const std::optional<crypto::Digest>& expected) {
  return cas::receive_plain(content_, viewer_of(principal), read, expected);
}

Result<std::string> FileTransfer::recipe(const crypto::Digest& blob, std::uint64_t offset) {
  MLOPS_ASSIGN(const auto reader, content_.open_blob(blob));  // says whether it is absent or damaged
  const auto size = reader->size_bytes();
  MLOPS_ASSIGN(const auto chunks, content_.chunks_of(blob, offset, size + 1, kRecipeChunks));
  std::string body(kRecipeHeadBytes + chunks.size() * kRecipeEntryBytes, '\0');
  auto* at = reinterpret_cast<std::uint8_t*>(body.data());
  cas::store_le(at, size);
  cas::store_le(at + 8, static_cast<std::uint32_t>(chunks.size()));
  at += kRecipeHeadBytes;
  for (const auto& chunk : chunks) {
    std::memcpy(at, chunk.digest.bytes().data(), 32);
    cas::store_le(at + 32, static_cast<std::uint32_t>(chunk.size_bytes));
    at += kRecipeEntryBytes;
  }
  return body;
}

Result<std::vector<cas::Want>> FileTransfer::read_wants(ByteView body) {
  MLOPS_TRY(check_length(body, cas::kWantBytes));
  std::vector<cas::Want> list;
  for (std::size_t at = 0; at < body.size(); at += cas::kWantBytes) {
    MLOPS_ASSIGN(const auto want, cas::parse_want(body.subspan(at, cas::kWantBytes)));
    list.push_back(want);
  }
  return list;
}

Result<cas::Sender> FileTransfer::send(const std::vector<cas::Want>& wants) {
  return cas::Sender::prepare(content_, wants);
}

}  // namespace mlops::domain
