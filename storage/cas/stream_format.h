// Files as a stream of records between client and server (docs/format/push.md): what a push sends and a pull receives.
//
//   stream = file*            file = (chunk | known_chunk | known_node)* end
//   record = type u8 | encoding u8 | zero u16 | raw u32 | stored u32 | zero u32 | digest[32] | payload[stored]    (48
//   bytes + payload)
//     'C' chunk         its payload, encoded; digest: SHA-256 of the raw bytes
//     'H' known chunk   which the server said it has
//     'N' known node    a whole level-0 node of the recipe, which the server said it has
//     'E' end           of the file; digest: SHA-256 of the whole file, or zeros when the sender leaves it to the
//     receiver
//
// Thread-safety: pure. Errors: kInvalid "bad_record".
#pragma once

#include <array>
#include <cstdint>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/crypto/digest.h"
#include "storage/cas/codec.h"

namespace mlops::cas {

inline constexpr std::size_t kRecordHeadBytes = 48;

enum class RecordType : std::uint8_t { kChunk = 'C', kKnownChunk = 'H', kKnownNode = 'N', kEnd = 'E' };

struct RecordHead {
  RecordType type = RecordType::kEnd;
  Encoding encoding = Encoding::kRaw;
  std::uint32_t raw_bytes = 0;
  std::uint32_t stored_bytes = 0;
  crypto::Digest digest;
};

std::array<std::uint8_t, kRecordHeadBytes> record_head_bytes(const RecordHead& head);
// Refuses sizes that no chunk has and anything unknown.
Result<RecordHead> parse_record_head(ByteView bytes);

// A question to the server about one object: type u8 (H chunk, N node, E whole file), digest[32], size u64 (of a file,
// else 0). The answer is a byte each: 1 it is here, 0 send it.
inline constexpr std::size_t kQuestionBytes = 41;
struct Question {
  RecordType type = RecordType::kKnownChunk;
  crypto::Digest digest;
  std::uint64_t size_bytes = 0;  // of a file
};
std::array<std::uint8_t, kQuestionBytes> question_bytes(const Question& question);
Result<Question> parse_question(ByteView bytes);

// A piece of a file that a pull asks for: digest[32], begin u64, end u64. Answered by the chunks that overlap it as 'C'
// records and an 'E' with the file's digest.
inline constexpr std::size_t kWantBytes = 48;
struct Want {
  crypto::Digest digest;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};
std::array<std::uint8_t, kWantBytes> want_bytes(const Want& want);
Result<Want> parse_want(ByteView bytes);

}  // namespace mlops::cas
