// Files in and out: any size, any position, damage never served, strangers told nothing.
#include "storage/cas/content_store.h"

#include <random>

#include "storage/cas/chunker.h"
#include "tests/unit/catch.h"
#include "tests/unit/storage/cas/cas_box.h"
#include "tests/unit/storage/sql/temp_dir.h"

using namespace mlops;
using namespace mlops::cas;
using test::CasBox;
using test::put;
using test::random_bytes;
using test::read_blob;
using test::sha;

namespace {

// Several chunks, of which each file of the seed has the same.
std::string large(std::uint64_t seed, std::size_t size = 700'000) {
  return random_bytes(seed, size);
}

std::vector<ChunkRef> chunks(ContentStore& store, const crypto::Digest& blob) {
  auto refs = store.chunks_of(blob, 0, UINT64_MAX, SIZE_MAX);
  REQUIRE(refs);
  return *refs;
}

// Flips a bit in the middle of what is stored of an object.
void damage(CasBox& box, ObjectKind kind, const crypto::Digest& digest) {
  const auto entry = box.packs().find({kind, digest});
  REQUIRE(entry);
  box.disk().content(box.pack_path())->at(entry->offset + kFrameHeadBytes + entry->stored_bytes / 2) ^= 16;
}

}  // namespace

TEST_CASE("what is put can be read, under the digest of its bytes, on a real disk and after a restart") {
  const test::TempDir dir;
  const SystemClock clock;
  ContentStoreOptions options;
  options.packs = {dir / "store", 0, 1u << 20};
  const auto contents = std::vector<std::string>{"hello", large(1), large(2, 3'000'000)};
  {
    auto store = std::move(ContentStore::open(options, posix_env(), clock).value());
    for (const auto& content : contents) {
      const auto stored = put(*store, content);
      REQUIRE(stored);
      CHECK(stored->digest == sha(content));
      CHECK(stored->size_bytes == content.size());
      CHECK((read_blob(*store, stored->digest).value() == content));
    }
  }
  auto store = std::move(ContentStore::open(options, posix_env(), clock).value());
  for (const auto& content : contents) {
    CHECK(store->has(sha(content), content.size()));
    CHECK_FALSE(store->has(sha(content), content.size() + 1));
    CHECK((read_blob(*store, sha(content)).value() == content));
  }
  CHECK(store->totals().packs >= 4);
}

TEST_CASE("files of many sizes, in pieces of many sizes") {
  CasBox box;
  const auto all = random_bytes(3, 2'200'000);
  std::vector<std::size_t> sizes{0, 1, 2, 63, 64, 4096, 1'048'575, 1'048'576, 1'048'577, 2'200'000};
  for (const auto base : {kChunkMinBytes, kChunkTargetBytes, kChunkMaxBytes}) {
    for (const auto size : {base - 1, base, base + 1}) sizes.push_back(size);
  }
  std::mt19937_64 random(4);
  for (const auto size : sizes) {
    INFO(size);
    const auto content = std::string_view(all).substr(0, size);
    auto upload = box.store->start_upload();
    REQUIRE(upload);
    for (std::size_t done = 0; done < size;) {
      const auto piece = std::min<std::size_t>(size - done, 1 + random() % 400'000);
      REQUIRE(upload->append(as_bytes(content.substr(done, piece))));
      done += piece;
    }
    const auto stored = upload->finish(sha(content));
    REQUIRE(stored);
    CHECK(stored->size_bytes == size);
    CHECK(box.store->size_of(stored->digest) == size);
    CHECK((read_blob(*box.store, stored->digest).value() == content));
    CHECK(box.store->verify(stored->digest, size));
  }
  const auto& packs = box.packs().packs();
  REQUIRE(packs.size() == 1);
  CHECK(packs[0].size_bytes < 3'000'000);  // the same beginning is stored once
}

TEST_CASE("the empty file is a file") {
  CasBox box;
  const auto stored = box.store->put("");
  REQUIRE(stored);
  CHECK(stored->digest == sha(""));
  CHECK(box.store->has(sha(""), 0));
  CHECK(box.store->read(sha(""), 0).value().empty());
  CHECK(box.store->verify(sha(""), 0));
  CHECK(box.store->verify(sha(""), 1).error().code == ErrorCode::kCorrupt);
}

TEST_CASE("any range of a file is readable") {
  CasBox box;
  const auto content = large(5, 1'500'000);
  REQUIRE(put(*box.store, content));
  const auto reader = box.store->open_blob(sha(content));
  REQUIRE(reader);
  CHECK((*reader)->size_bytes() == content.size());
  std::mt19937_64 random(6);
  std::vector<std::uint8_t> buffer(200'000);
  for (int i = 0; i < 200; ++i) {
    const auto offset = random() % (content.size() + 10);
    const auto size = random() % (i % 2 == 0 ? 100 : buffer.size());
    const auto got = (*reader)->read_at(offset, std::span(buffer).first(size));
    REQUIRE(got);
    const auto wanted = offset < content.size() ? std::string_view(content).substr(offset, size) : std::string_view();
    REQUIRE(*got == wanted.size());
    REQUIRE(std::equal(wanted.begin(), wanted.end(), buffer.begin(),
                       [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; }));
  }
}

TEST_CASE("the chunks of a range are those that overlap it, in order, as many as asked for") {
  CasBox box;
  const auto content = large(7, 3'000'000);
  REQUIRE(put(*box.store, content));
  const auto all = chunks(*box.store, sha(content));
  REQUIRE(all.size() > 20);
  std::uint64_t offset = 0;
  for (const auto& ref : all) {
    CHECK(ref.offset == offset);
    CHECK((ref.digest == sha(std::string_view(content).substr(offset, ref.size_bytes))));
    offset += ref.size_bytes;
  }
  CHECK(offset == content.size());
  const auto middle = box.store->chunks_of(sha(content), all[5].offset + 1, all[8].offset, SIZE_MAX).value();
  REQUIRE(middle.size() == 3);
  CHECK(middle[0].digest == all[5].digest);
  CHECK(middle[2].offset == all[7].offset);
  CHECK(box.store->chunks_of(sha(content), all[5].offset, UINT64_MAX, 2)->size() == 2);
  CHECK(box.store->chunks_of(sha(content), content.size(), UINT64_MAX, 2)->empty());
  CHECK(box.store->chunks_of(sha("absent"), 0, 1, 1).error().slug == "blob_not_found");
  REQUIRE(put(*box.store, "short"));
  CHECK(box.store->chunks_of(sha("short"), 0, 1, 5)->size() == 1);
  CHECK(box.store->chunks_of(sha("short"), 5, 10, 5)->empty());
}

TEST_CASE("bytes that are not the promised ones are refused and not kept as a file") {
  CasBox box;
  for (const auto& content : {std::string("other"), large(8)}) {
    auto upload = box.store->start_upload();
    REQUIRE(upload);
    REQUIRE(upload->append(as_bytes(content)));
    const auto stored = upload->finish(sha("promised"));
    REQUIRE_FALSE(stored);
    CHECK(stored.error().code == ErrorCode::kInvalid);
    CHECK(stored.error().slug == "digest_mismatch");
    CHECK_FALSE(box.store->has(sha("promised"), content.size()));
    CHECK_FALSE(box.store->has(sha(content), content.size()));
    CHECK(box.store->open_blob(sha(content)).error().slug == "blob_not_found");
  }
}

TEST_CASE("a dropped upload is no file; sending the same again stores it once") {
  CasBox box;
  const auto content = large(9, 2'000'000);
  {
    auto upload = box.store->start_upload();
    REQUIRE(upload->append(as_bytes(content)));
  }
  CHECK_FALSE(box.store->has(sha(content), content.size()));
  REQUIRE(put(*box.store, content));
  const auto size = box.packs().packs()[0].size_bytes;
  CHECK(size < content.size() * 11 / 10);
  REQUIRE(put(*box.store, content));
  CHECK(box.packs().packs()[0].size_bytes == size);
}

TEST_CASE("small blobs are read as a whole, verified") {
  const test::LogCapture log;
  CasBox box;
  REQUIRE(box.store->put("hello"));
  CHECK(box.store->read(sha("hello"), 5).value() == "hello");
  CHECK(box.store->read(sha("hello"), 4).error().slug == "blob_too_large");
  CHECK(box.store->read(sha("absent"), 5).error().slug == "blob_not_found");
  damage(box, ObjectKind::kChunk, sha("hello"));
  CHECK(box.store->read(sha("hello"), 5).error().code == ErrorCode::kCorrupt);
}

TEST_CASE("a blob of another size fails its check; an absent one is not damage") {
  CasBox box;
  for (const auto& content : {std::string("hello"), large(10)}) {
    REQUIRE(put(*box.store, content));
    CHECK(box.store->verify(sha(content), content.size()));
    for (const auto size : {content.size() - 1, content.size() + 1}) {
      const auto other = box.store->verify(sha(content), size);
      REQUIRE_FALSE(other);
      CHECK(other.error().code == ErrorCode::kCorrupt);
      CHECK(other.error().message.find(fmt::format("size {} instead of {}", content.size(), size)) !=
            std::string::npos);
    }
  }
  CHECK(box.store->verify(sha("absent"), 1).error().slug == "blob_not_found");
}

TEST_CASE("a damaged part is never served nor deduplicated against, and heals by sending the file again") {
  const test::LogCapture log;
  const auto content = large(11);
  for (const auto kind : {ObjectKind::kChunk, ObjectKind::kNode, ObjectKind::kBlob, ObjectKind::kRoot}) {
    INFO(to_word(kind));
    CasBox box;
    REQUIRE(put(*box.store, content));
    REQUIRE(put(*box.store, "good"));
    const auto root = box.store->blob_record(sha(content)).value()->root;
    const auto digest = kind == ObjectKind::kChunk  ? chunks(*box.store, sha(content))[2].digest
                        : kind == ObjectKind::kBlob ? sha(content)
                                                    : root;
    damage(box, kind, digest);
    CHECK(box.store->has(sha("good"), 4));
    if (kind == ObjectKind::kRoot) {
      CHECK_FALSE(box.store->blob_of_root(root, kEveryone));
      CHECK((read_blob(*box.store, sha(content)).value() == content));  // the file does not need it
    } else {
      const auto got = read_blob(*box.store, sha(content));
      REQUIRE_FALSE(got);
      CHECK((got.error().code == ErrorCode::kCorrupt || got.error().code == ErrorCode::kNotFound));
      CHECK_FALSE(box.store->has(sha(content), content.size()));
      CHECK_FALSE(box.store->verify(sha(content), content.size()));
      box.reopen();
      CHECK_FALSE(box.store->has(sha(content), content.size()));
    }
    const auto before = box.packs().packs()[0].size_bytes;
    REQUIRE(put(*box.store, content));
    CHECK(box.packs().packs()[0].size_bytes - before < 300'000);  // only what was damaged
    CHECK((read_blob(*box.store, sha(content)).value() == content));
    CHECK(box.store->verify(sha(content), content.size()));
    CHECK(box.store->blob_of_root(root, kEveryone) == sha(content));
  }
}

TEST_CASE("a reader that met damage serves nothing wrong afterwards") {
  const test::LogCapture log;
  CasBox box;
  const auto content = large(12);
  REQUIRE(put(*box.store, content));
  const auto refs = chunks(*box.store, sha(content));
  const auto reader = std::move(box.store->open_blob(sha(content)).value());
  std::vector<std::uint8_t> buffer(100);
  REQUIRE(reader->read_at(0, buffer));
  damage(box, ObjectKind::kChunk, refs[1].digest);
  CHECK(reader->read_at(refs[1].offset, buffer).error().code == ErrorCode::kCorrupt);
  for (const auto offset : {std::uint64_t{0}, refs[2].offset}) {
    REQUIRE(reader->read_at(offset, buffer).value() == 100);
    CHECK(std::string(buffer.begin(), buffer.end()) == content.substr(offset, 100));
  }
}

TEST_CASE("a chunk whose frame is right and whose bytes are not those of its name is found by verifying") {
  const test::LogCapture log;
  CasBox box;
  const auto content = large(13);
  REQUIRE(put(*box.store, content));
  const auto refs = chunks(*box.store, sha(content));
  // As a defect of memory would write it: other bytes, a checksum that fits.
  box.packs().quarantine({ObjectKind::kChunk, refs[1].digest});
  const std::string wrong(refs[1].size_bytes, 'x');
  const NewObject object{
      {ObjectKind::kChunk, refs[1].digest}, Encoding::kRaw, static_cast<std::uint32_t>(wrong.size()), as_bytes(wrong)};
  REQUIRE(box.packs().append({&object, 1}, kEveryone));
  CHECK(box.store->verify(sha(content), content.size()).error().slug == "blob_damaged");
  CHECK_FALSE(box.store->has(sha(content), content.size()));
  REQUIRE(put(*box.store, content));
  CHECK(box.store->verify(sha(content), content.size()));
}

TEST_CASE("a principal without the right to read sees nothing of others and stores again") {
  CasBox box;
  const auto stranger = owner_tag("stranger");
  for (const auto& content : {std::string("small"), large(14)}) {
    REQUIRE(put(*box.store, content));
    const auto digest = sha(content);
    CHECK_FALSE(box.store->has(digest, content.size(), stranger));
    CHECK_FALSE(box.store->size_of(digest, stranger));
    const auto first = chunks(*box.store, digest)[0].digest;
    CHECK_FALSE(box.store->has_object({ObjectKind::kChunk, first}, stranger));
    const auto before = box.packs().packs()[0].size_bytes;
    auto stored = put(*box.store, content, stranger);
    REQUIRE(stored);
    CHECK(box.packs().packs()[0].size_bytes - before > content.size());  // all of it again
    CHECK(box.store->has(digest, content.size(), stranger));
    CHECK_FALSE(box.store->has(digest, content.size(), owner_tag("another")));
    CHECK((read_blob(*box.store, digest).value() == content));
  }
  // What only the stranger holds, everyone with the right to read deduplicates against.
  const auto content = large(15);
  REQUIRE(put(*box.store, content, stranger));
  const auto before = box.packs().packs()[0].size_bytes;
  REQUIRE(put(*box.store, content));
  CHECK(box.packs().packs()[0].size_bytes == before);
  const auto root = box.store->blob_record(sha(content)).value()->root;
  CHECK(box.store->blob_of_root(root, stranger) == sha(content));
  CHECK_FALSE(box.store->blob_of_root(root, owner_tag("another")));
  CHECK(box.store->has_object({ObjectKind::kNode, root}, stranger));
  CHECK_FALSE(box.store->has_object({ObjectKind::kNode, root}, owner_tag("another")));
}

TEST_CASE("what is told or sent is leased") {
  CasBox box;
  const auto content = large(16);
  REQUIRE(put(*box.store, content));
  CHECK(box.store->leases().holds({ObjectKind::kBlob, sha(content)}));
  box.clock.advance_us(test::kLeaseUs);
  CHECK_FALSE(box.store->leases().holds({ObjectKind::kBlob, sha(content)}));
  const ObjectKey chunk{ObjectKind::kChunk, chunks(*box.store, sha(content))[0].digest};
  CHECK_FALSE(box.store->leases().holds(chunk));
  CHECK(box.store->has_object(chunk, kEveryone));
  CHECK(box.store->leases().holds(chunk));
  CHECK_FALSE(box.store->has_object({ObjectKind::kChunk, sha("absent")}, kEveryone));
  CHECK_FALSE(box.store->leases().holds({ObjectKind::kChunk, sha("absent")}));
}

TEST_CASE("an upload whose stored bytes are taken back is not acknowledged") {
  CasBox box;
  const auto content = large(17);
  {
    auto upload = box.store->start_upload();
    REQUIRE(upload->append(as_bytes(content)));
    box.disk().lose_sync(1);
    CHECK_FALSE(upload->finish());
  }
  CHECK_FALSE(box.store->has(sha(content), content.size()));
  REQUIRE(put(*box.store, content));
  // A second one relies on chunks of the first, which are lost in a sync that is not its own.
  auto first = box.store->start_upload();
  const auto shared = large(18, 2'500'000);
  REQUIRE(first->append(as_bytes(shared)));
  auto second = box.store->start_upload();
  REQUIRE(second->append(as_bytes(shared)));
  box.disk().lose_sync(1);
  CHECK_FALSE(box.packs().sync());
  const auto stored = second->finish();
  REQUIRE_FALSE(stored);
  CHECK(stored.error().slug == "store_changed");
  CHECK(stored.error().code == ErrorCode::kUnavailable);
}

TEST_CASE("an upload that failed stays failed") {
  CasBox box;
  const auto content = large(19, 3'000'000);
  auto upload = box.store->start_upload();
  box.faults().fail_when([](const std::string& call) { return call == "append"; });
  Status status;
  for (std::size_t at = 0; at < content.size() && status; at += 500'000) {
    status = upload->append(as_bytes(std::string_view(content).substr(at, 500'000)));
  }
  REQUIRE_FALSE(status);
  box.faults().fail_when(nullptr);
  CHECK_FALSE(upload->append(as_bytes("more")));
  CHECK_FALSE(upload->finish());
}

TEST_CASE("a chunk is read to where it is wanted, if it has the size that is expected") {
  CasBox box;
  const auto content = random_bytes(7, 10'000);
  REQUIRE(test::put(*box.store, content));
  std::vector<std::uint8_t> room(content.size());
  REQUIRE(box.store->read_chunk_to(sha(content), room));
  CHECK(std::string(room.begin(), room.end()) == content);
  for (const std::size_t size : {content.size() - 1, content.size() + 1, std::size_t{0}}) {
    room.resize(size);
    CHECK(box.store->read_chunk_to(sha(content), room).error().slug == "blob_damaged");
  }
  REQUIRE(test::put(*box.store, ""));
  room.resize(1);
  CHECK(box.store->read_chunk_to(sha(""), room).error().slug == "blob_damaged");
}
