#include "storage/cas/stream_format.h"

#include <fmt/format.h>

#include <cstring>

#include "storage/cas/chunker.h"
#include "storage/cas/frame.h"
#include "storage/cas/little_endian.h"

namespace mlops::cas {
namespace {

Failure bad_record(std::string_view what) {
  return fail(ErrorCode::kInvalid, "bad_record", fmt::format("the stream of chunks is not well formed: {}", what),
              "is this mlopsctl of the server's version? see docs/format/push.md");
}

crypto::Digest digest_at(const std::uint8_t* from) {
  std::array<std::uint8_t, 32> bytes;
  std::memcpy(bytes.data(), from, bytes.size());
  return crypto::Digest(bytes);
}

bool is_record_type(std::uint8_t byte) {
  return byte == 'C' || byte == 'H' || byte == 'N' || byte == 'E';
}

}  // namespace

std::array<std::uint8_t, kRecordHeadBytes> record_head_bytes(const RecordHead& head) {
  std::array<std::uint8_t, kRecordHeadBytes> out{};
  out[0] = static_cast<std::uint8_t>(head.type);
  out[1] = static_cast<std::uint8_t>(head.encoding);
  store_le(out.data() + 4, head.raw_bytes);
  store_le(out.data() + 8, head.stored_bytes);
  std::memcpy(out.data() + 16, head.digest.bytes().data(), 32);
  return out;
}

Result<RecordHead> parse_record_head(ByteView bytes) {
  if (bytes.size() < kRecordHeadBytes) return bad_record("a record is cut off");
  const auto zeros = load_le<std::uint16_t>(bytes.data() + 2) | load_le<std::uint32_t>(bytes.data() + 12);
  if (!is_record_type(bytes[0]) || bytes[1] > static_cast<std::uint8_t>(Encoding::kPlanes) || zeros != 0) {
    return bad_record("unknown record");
  }
  const RecordHead head{static_cast<RecordType>(bytes[0]), static_cast<Encoding>(bytes[1]),
                        load_le<std::uint32_t>(bytes.data() + 4), load_le<std::uint32_t>(bytes.data() + 8),
                        digest_at(bytes.data() + 16)};
  if (head.raw_bytes > kChunkMaxBytes || head.stored_bytes > kPayloadLimitBytes)
    return bad_record("a chunk is too large");
  if (head.type != RecordType::kChunk && head.raw_bytes + head.stored_bytes > 0)
    return bad_record("unexpected payload");
  if (head.encoding == Encoding::kRaw && head.raw_bytes != head.stored_bytes)
    return bad_record("a chunk's sizes differ");
  return head;
}

std::array<std::uint8_t, kQuestionBytes> question_bytes(const Question& question) {
  std::array<std::uint8_t, kQuestionBytes> out{};
  out[0] = static_cast<std::uint8_t>(question.type);
  std::memcpy(out.data() + 1, question.digest.bytes().data(), 32);
  store_le(out.data() + 33, question.size_bytes);
  return out;
}

Result<Question> parse_question(ByteView bytes) {
  if (bytes.size() < kQuestionBytes || !is_record_type(bytes[0]) || bytes[0] == 'C')
    return bad_record("unknown question");
  return Question{static_cast<RecordType>(bytes[0]), digest_at(bytes.data() + 1),
                  load_le<std::uint64_t>(bytes.data() + 33)};
}

std::array<std::uint8_t, kWantBytes> want_bytes(const Want& want) {
  std::array<std::uint8_t, kWantBytes> out{};
  std::memcpy(out.data(), want.digest.bytes().data(), 32);
  store_le(out.data() + 32, want.begin);
  store_le(out.data() + 40, want.end);
  return out;
}

Result<Want> parse_want(ByteView bytes) {
  if (bytes.size() < kWantBytes) return bad_record("a piece's description is cut off");
  const Want want{digest_at(bytes.data()), load_le<std::uint64_t>(bytes.data() + 32),
                  load_le<std::uint64_t>(bytes.data() + 40)};
  if (want.begin > want.end) return bad_record("a piece ends before it begins");
  return want;
}

}  // namespace mlops::cas
