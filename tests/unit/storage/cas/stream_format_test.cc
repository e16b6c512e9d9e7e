// Records, questions and wants: read back as written; whatever no sender writes is refused.
#include "storage/cas/stream_format.h"

#include "storage/cas/chunker.h"
#include "storage/cas/frame.h"
#include "storage/cas/little_endian.h"
#include "tests/unit/catch.h"
#include "tests/unit/storage/cas/cas_box.h"

using namespace mlops;
using namespace mlops::cas;
using test::sha;

TEST_CASE("record heads are read back") {
  const RecordHead heads[] = {{RecordType::kChunk, Encoding::kRaw, 0, 0, sha("a")},
                              {RecordType::kChunk, Encoding::kRaw, 262'144, 262'144, sha("b")},
                              {RecordType::kChunk, Encoding::kZstd, 262'144, 17, sha("c")},
                              {RecordType::kChunk, Encoding::kPlanes, 1, 2, sha("d")},
                              {RecordType::kKnownChunk, Encoding::kRaw, 0, 0, sha("e")},
                              {RecordType::kKnownNode, Encoding::kRaw, 0, 0, sha("f")},
                              {RecordType::kEnd, Encoding::kRaw, 0, 0, {}}};
  for (const auto& head : heads) {
    const auto bytes = record_head_bytes(head);
    const auto read = parse_record_head(bytes);
    REQUIRE(read);
    CHECK(read->type == head.type);
    CHECK(read->encoding == head.encoding);
    CHECK(read->raw_bytes == head.raw_bytes);
    CHECK(read->stored_bytes == head.stored_bytes);
    CHECK(read->digest == head.digest);
    for (std::size_t size = 0; size < bytes.size(); ++size) CHECK_FALSE(parse_record_head(ByteView(bytes).first(size)));
  }
}

TEST_CASE("hostile record heads are refused before anything is allocated for them") {
  const auto refused = [](RecordHead head, const std::function<void(std::uint8_t*)>& change = {}) {
    auto bytes = record_head_bytes(head);
    if (change) change(bytes.data());
    const auto read = parse_record_head(bytes);
    return !read && read.error().slug == "bad_record" && read.error().code == ErrorCode::kInvalid;
  };
  const RecordHead chunk{RecordType::kChunk, Encoding::kZstd, 100, 50, sha("a")};
  CHECK_FALSE(refused(chunk));
  for (unsigned type = 0; type < 256; ++type) {
    const bool is_known = type == 'C' || type == 'H' || type == 'N' || type == 'E';
    auto head = chunk;
    if (type != 'C') head.raw_bytes = head.stored_bytes = 0;
    CHECK(refused(head, [type](std::uint8_t* at) { at[0] = static_cast<std::uint8_t>(type); }) == !is_known);
  }
  for (unsigned encoding = 3; encoding < 256; ++encoding) {
    CHECK(refused(chunk, [encoding](std::uint8_t* at) { at[1] = static_cast<std::uint8_t>(encoding); }));
  }
  for (const std::size_t zero : {2u, 3u, 12u, 13u, 14u, 15u}) {
    for (int bit = 0; bit < 8; ++bit) {
      CHECK(refused(chunk, [&](std::uint8_t* at) { at[zero] = static_cast<std::uint8_t>(1 << bit); }));
    }
  }
  for (const std::uint32_t size : {262'145u, 0x7fffffffu, 0x80000000u, 0xffffffffu}) {
    CHECK(refused({RecordType::kChunk, Encoding::kZstd, size, 1, sha("a")}));
    CHECK(refused({RecordType::kChunk, Encoding::kRaw, size, size, sha("a")}));
    CHECK(refused({RecordType::kKnownChunk, Encoding::kRaw, size, 0, sha("a")}));
  }
  CHECK(refused({RecordType::kChunk, Encoding::kZstd, 1, kPayloadLimitBytes + 1, sha("a")}));
  CHECK(refused({RecordType::kChunk, Encoding::kRaw, 10, 11, sha("a")}));
  for (const auto type : {RecordType::kKnownChunk, RecordType::kKnownNode, RecordType::kEnd}) {
    CHECK(refused({type, Encoding::kRaw, 1, 1, sha("a")}));
    CHECK(refused({type, Encoding::kZstd, 0, 1, sha("a")}));
  }
}

TEST_CASE("questions and wants are read back, wrong ones refused") {
  const auto question = question_bytes({RecordType::kEnd, sha("a"), 123'456'789'012});
  const auto asked = parse_question(question);
  REQUIRE(asked);
  CHECK(asked->type == RecordType::kEnd);
  CHECK(asked->digest == sha("a"));
  CHECK(asked->size_bytes == 123'456'789'012);
  for (std::size_t size = 0; size < question.size(); ++size)
    CHECK_FALSE(parse_question(ByteView(question).first(size)));
  for (unsigned type = 0; type < 256; ++type) {
    auto bytes = question;
    bytes[0] = static_cast<std::uint8_t>(type);
    CHECK(parse_question(bytes).has_value() == (type == 'H' || type == 'N' || type == 'E'));
  }
  const auto want = want_bytes({sha("b"), 5, 1ull << 40});
  const auto wanted = parse_want(want);
  REQUIRE(wanted);
  CHECK(wanted->digest == sha("b"));
  CHECK(wanted->begin == 5);
  CHECK(wanted->end == 1ull << 40);
  for (std::size_t size = 0; size < want.size(); ++size) CHECK_FALSE(parse_want(ByteView(want).first(size)));
  CHECK(parse_want(want_bytes({sha("b"), 6, 5})).error().slug == "bad_record");
  CHECK(parse_want(want_bytes({sha("b"), 5, 5})));
}
