// The receiving end of a push: streams made by hand, whole, wrong, hostile, cut off at every byte and resumed.
#include "storage/cas/ingest.h"

#include <atomic>
#include <random>

#include "storage/cas/recipe.h"
#include "tests/unit/catch.h"
#include "tests/unit/storage/cas/cas_box.h"

using namespace mlops;
using namespace mlops::cas;
using test::CasBox;
using test::random_bytes;
using test::read_blob;
using test::receive;
using test::sha;
using test::Stream;

namespace {

// A file of `count` small chunks and the tree that they make.
struct SmallChunks {
  explicit SmallChunks(std::uint64_t seed, std::size_t count, std::size_t size = 40) {
    RecipeBuilder builder([this](const Node& node, const crypto::Digest& key, const std::string&) -> Status {
      if (node.level == 0) leaves.emplace_back(key, node.entries.size());
      return {};
    });
    for (std::size_t i = 0; i < count; ++i) {
      chunks.push_back(random_bytes(seed * 10'000 + i, size));
      content += chunks.back();
      if (!builder.add({sha(chunks.back()), chunks.back().size()})) throw std::runtime_error("recipe");
    }
    root = builder.finish().value();
    digest = sha(content);
  }
  Stream& add_new(Stream& stream, std::size_t begin = 0, std::size_t end = SIZE_MAX) const {
    for (auto i = begin; i < std::min(end, chunks.size()); ++i) stream.chunk(chunks[i]);
    return stream;
  }
  Stream& add_known(Stream& stream, std::size_t begin = 0, std::size_t end = SIZE_MAX) const {
    for (auto i = begin; i < std::min(end, chunks.size()); ++i) stream.known_chunk(sha(chunks[i]));
    return stream;
  }
  Stream& add_nodes(Stream& stream) const {
    for (const auto& leaf : leaves) stream.known_node(leaf.first);
    return stream;
  }

  std::vector<std::string> chunks;
  std::string content;
  std::vector<std::pair<crypto::Digest, std::size_t>> leaves;  // level-0 nodes and how many chunks they have
  crypto::Digest root;
  crypto::Digest digest;
};

std::string stream_of(const SmallChunks& file) {
  Stream stream;
  return file.add_new(stream).end().bytes();
}

void check_here(CasBox& box, const SmallChunks& file) {
  CHECK(box.store->has(file.digest, file.content.size()));
  CHECK((read_blob(*box.store, file.digest).value() == file.content));
  CHECK(box.store->verify(file.digest, file.content.size()));
}

}  // namespace

TEST_CASE("an empty stream is no file; small and large files in one stream are all there") {
  CasBox box;
  const auto nothing = receive(*box.store, "");
  REQUIRE(nothing);
  CHECK(nothing->file_count == 0);
  const SmallChunks file(1, 600);
  REQUIRE(file.leaves.size() > 3);
  Stream stream;
  stream.chunk("one").end();
  stream.chunk("").end();
  file.add_new(stream).end(file.digest);
  stream.chunk("two").end(sha("two"));
  const auto received = receive(*box.store, stream.bytes());
  REQUIRE(received);
  CHECK(received->file_count == 4);
  REQUIRE(received->files.size() == 2);  // those that were not named
  CHECK(received->files[0].digest == sha("one"));
  CHECK(received->files[0].size_bytes == 3);
  CHECK(received->files[1].digest == sha(""));
  CHECK(received->new_chunks == 603);
  for (const std::string content : {"one", "two", ""}) CHECK(read_blob(*box.store, sha(content)).value() == content);
  check_here(box, file);
  box.cut(test::Cut::kDropAll);
  check_here(box, file);
  CHECK(check_packs(*box.store, {}).value().problems.empty());
}

TEST_CASE("a stream may come in pieces of any size") {
  const SmallChunks file(2, 30, 3000);
  for (const std::size_t piece : {1u, 7u, 47u, 48u, 49u, 5000u, 70'000u}) {
    CasBox box;
    REQUIRE(receive(*box.store, stream_of(file), kEveryone, piece));
    check_here(box, file);
  }
}

TEST_CASE("chunks of all encodings and of the largest size") {
  CasBox box;
  Encoder encoder;
  Stream stream;
  std::string content;
  for (int i = 0; i < 9; ++i) {
    std::string raw = random_bytes(static_cast<unsigned>(i), 256u << 10);
    if (i % 3 == 1) raw.assign(raw.size(), static_cast<char>(i));
    if (i % 3 == 2) {
      for (std::size_t n = 3; n < raw.size(); n += 4) raw[n] = 0x3f;
    }
    const auto encoded = encoder.encode(as_bytes(raw));
    stream.record({RecordType::kChunk, encoded.encoding, static_cast<std::uint32_t>(raw.size()),
                   static_cast<std::uint32_t>(encoded.bytes.size()), sha(raw)});
    stream.raw({reinterpret_cast<const char*>(encoded.bytes.data()), encoded.bytes.size()});
    content += raw;
  }
  const auto received = receive(*box.store, stream.end(sha(content)).bytes());
  REQUIRE(received);
  CHECK(received->new_bytes < content.size() * 9 / 10);
  CHECK((read_blob(*box.store, sha(content)).value() == content));
}

TEST_CASE("the tree is the one that an upload of the same chunks makes, whatever is known of it") {
  const SmallChunks file(3, 700);
  for (const int known : {0, 1, 2, 3}) {
    CasBox box;
    REQUIRE(receive(*box.store, stream_of(file)));
    Stream again;
    if (known == 0) file.add_new(again);
    if (known == 1) file.add_known(again);
    if (known == 2) file.add_nodes(again);
    if (known == 3) {  // nodes and chunks in turn
      std::size_t at = 0;
      for (std::size_t i = 0; i < file.leaves.size(); ++i) {
        const auto next = at + file.leaves[i].second;
        if (i % 3 == 0) again.known_node(file.leaves[i].first);
        if (i % 3 == 1) file.add_known(again, at, next);
        if (i % 3 == 2) file.add_new(again, at, next);
        at = next;
      }
    }
    const auto before = box.packs().packs()[0].size_bytes;
    const auto received = receive(*box.store, again.end().bytes());
    REQUIRE(received);
    CHECK(received->new_chunks == 0);
    REQUIRE(received->files.size() == 1);
    CHECK(received->files[0].digest == file.digest);
    CHECK(received->files[0].size_bytes == file.content.size());
    CHECK(box.packs().packs()[0].size_bytes == before);
    CHECK(box.store->blob_record(file.digest).value()->root == file.root);
  }
}

TEST_CASE("an unchanged file is not read again") {
  CasBox box;
  const SmallChunks file(4, 300);
  REQUIRE(receive(*box.store, stream_of(file)));
  std::atomic<int> reads{0};
  const auto count_reads = [&](const std::string& stream) {
    reads = 0;
    box.faults().fail_when([&](const std::string& call) {
      reads += call == "read_at" ? 1 : 0;
      return false;
    });
    REQUIRE(receive(*box.store, stream));
    box.faults().fail_when(nullptr);
    return reads.load();
  };
  Stream nodes;
  Stream chunks;
  CHECK(count_reads(file.add_nodes(nodes).end().bytes()) < 60);  // nodes and the root's record, no chunk
  CHECK(count_reads(file.add_known(chunks).end().bytes()) < 20);
  // One changed chunk: all of the file is hashed, so that its digest is right.
  auto changed = file.content;
  changed.replace(40, 40, random_bytes(99, 40));
  Stream edit;
  edit.known_chunk(sha(file.chunks[0])).chunk(random_bytes(99, 40));
  file.add_known(edit, 2).end();
  CHECK(count_reads(edit.bytes()) >= 299);
  CHECK((read_blob(*box.store, sha(changed)).value() == changed));
  CHECK(box.store->verify(sha(changed), changed.size()));
}

TEST_CASE("a damaged chunk of an unchanged file is asked for, not passed over") {
  const test::LogCapture log;
  CasBox box;
  const SmallChunks file(5, 40);
  REQUIRE(receive(*box.store, stream_of(file)));
  box.packs().quarantine({ObjectKind::kChunk, sha(file.chunks[7])});
  Stream nodes;
  const auto refused = receive(*box.store, file.add_nodes(nodes).end().bytes());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().slug == "object_missing");
  CHECK(refused.error().code == ErrorCode::kConflict);
  REQUIRE(receive(*box.store, stream_of(file)));
  check_here(box, file);
}

TEST_CASE("damage that nobody has noticed yet is noticed by hashing and asked for again") {
  const test::LogCapture log;
  for (const int n : {0, 1, 2}) {
    const auto kind = n == 0 ? ObjectKind::kChunk : ObjectKind::kNode;
    CasBox box;
    const SmallChunks file(6, n == 1 ? 40 : 10);  // of 10 chunks the node is the root
    REQUIRE(receive(*box.store, stream_of(file)));
    REQUIRE(box.store->has(file.digest, file.content.size()));
    const auto digest = kind == ObjectKind::kChunk ? sha(file.chunks[7]) : file.leaves[0].first;
    box.disk().content(box.pack_path())->at(box.offset_of(kind, digest) + 70) ^= 1;
    Stream stream;
    if (kind == ObjectKind::kChunk) stream.chunk("new");
    if (kind == ObjectKind::kChunk) file.add_known(stream).end();
    if (kind == ObjectKind::kNode) file.add_nodes(stream).end();
    const auto refused = receive(*box.store, stream.bytes());
    REQUIRE_FALSE(refused);
    CHECK(refused.error().slug == "object_missing");
    REQUIRE(receive(*box.store, stream_of(file)));
    check_here(box, file);
  }
}

TEST_CASE("wrong digests are refused, of chunks and of files, and nothing wrong is kept") {
  CasBox box;
  const SmallChunks file(7, 20);
  const auto refused = [&](const Stream& stream) {
    const auto received = receive(*box.store, stream.bytes());
    return !received && received.error().slug == "digest_mismatch" && received.error().code == ErrorCode::kInvalid;
  };
  Stream single;
  CHECK(refused(single.chunk_as(sha("promised"), "other").end()));
  Stream among;
  CHECK(refused(among.chunk("right").chunk_as(sha("promised"), "other").end()));
  Stream named;
  CHECK(refused(named.chunk("right").end(sha("wrong"))));
  Stream long_named;
  CHECK(refused(file.add_new(long_named).end(sha("wrong"))));
  CHECK_FALSE(box.store->has(sha("promised"), 5));
  CHECK_FALSE(box.store->has(sha("other"), 5));
  CHECK_FALSE(box.store->has(sha("wrong"), 5));
  REQUIRE(receive(*box.store, stream_of(file)));
  Stream known;
  CHECK(refused(file.add_known(known).end(sha("wrong"))));
  Stream nodes;
  CHECK(refused(file.add_nodes(nodes).end(sha("wrong"))));
  Stream one;
  CHECK(refused(one.known_chunk(sha(file.chunks[0])).end(sha("wrong"))));
  CHECK_FALSE(box.store->has(sha("wrong"), file.content.size()));
  CHECK(check_packs(*box.store, {}).value().problems.empty());
}

TEST_CASE("a stream cut at any byte is an error that keeps what was whole, and is resumed") {
  const SmallChunks file(8, 20);
  Stream stream;
  stream.chunk("first").end();
  file.add_new(stream).end(file.digest);
  stream.chunk("last").end();
  const auto& bytes = stream.bytes();
  CasBox box;
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    const auto received = receive(*box.store, bytes.substr(0, cut));
    const bool is_between = cut == 0 || cut == 101 || cut == bytes.size() - 100;
    if (received.has_value() != is_between) FAIL("cut at " << cut);
    if (!received && received.error().slug != "bad_record") FAIL("cut at " << cut << ": " << received.error().slug);
    if (cut % 97 == 0) box.cut(test::Cut::kKilled);
  }
  const auto received = receive(*box.store, bytes);
  REQUIRE(received);
  CHECK(received->file_count == 3);
  check_here(box, file);
  CHECK(check_packs(*box.store, {}).value().problems.empty());
}

TEST_CASE("chunks of a stream that broke off need not be sent again") {
  CasBox box;
  const SmallChunks file(9, 60, 20'000);  // more than the few batches that may be lost with the stream
  Stream first;
  file.add_new(first, 0, 50);
  REQUIRE_FALSE(receive(*box.store, first.bytes()));
  box.cut(test::Cut::kDropAll);
  Stream rest;
  std::size_t known = 0;
  for (const auto& chunk : file.chunks) {
    const bool is_here = box.store->has_object({ObjectKind::kChunk, sha(chunk)}, kEveryone);
    known += is_here ? 1 : 0;
    if (is_here) rest.known_chunk(sha(chunk));
    if (!is_here) rest.chunk(chunk);
  }
  CHECK(known >= 30);
  const auto received = receive(*box.store, rest.end(file.digest).bytes());
  REQUIRE(received);
  CHECK(received->new_chunks == 60 - known);
  check_here(box, file);
}

TEST_CASE("an error of the connection is the answer, and a failing store ends the stream") {
  CasBox box;
  const auto status = receive_files(*box.store, kEveryone, [](std::span<std::uint8_t>) -> Result<std::size_t> {
    return fail(ErrorCode::kTimeout, "too_slow", "too slow");
  });
  CHECK(status.error().slug == "too_slow");
  const SmallChunks file(10, 60, 20'000);
  for (const auto* call : {"append", "sync", "create_exclusive"}) {
    box.faults().fail_when([call](const std::string& what) { return what == call; });
    CHECK(receive(*box.store, stream_of(file)).error().slug == "io_error");
    box.faults().fail_when(nullptr);
    CHECK_FALSE(box.store->has(file.digest, file.content.size()));
    REQUIRE(box.packs().complete_active_pack());
  }
  REQUIRE(receive(*box.store, stream_of(file)));
  check_here(box, file);
}

TEST_CASE("what a sender must not write is refused") {
  CasBox box;
  const SmallChunks file(11, 700);
  const SmallChunks other(12, 20);
  REQUIRE(receive(*box.store, stream_of(file)));
  REQUIRE(receive(*box.store, stream_of(other)));
  const auto slug = [&](const Stream& stream) {
    const auto received = receive(*box.store, stream.bytes());
    return received ? std::string("accepted") : received.error().slug;
  };
  CHECK(slug(Stream().end()) == "bad_record");
  CHECK(slug(Stream().end(sha("x"))) == "bad_record");
  CHECK(slug(Stream().chunk("").chunk("x").end()) == "bad_record");
  CHECK(slug(Stream().chunk("x").chunk("").end()) == "bad_record");
  CHECK(slug(Stream().known_chunk(sha("absent")).end()) == "object_missing");
  CHECK(slug(Stream().known_node(sha("absent")).end()) == "object_missing");
  CHECK(slug(Stream().known_node(sha(file.chunks[0])).end()) == "object_missing");
  CHECK(slug(Stream().known_chunk(file.leaves[0].first).end()) == "object_missing");
  // A node of the upper level, one in the middle of another, a short one that is not the last.
  CHECK(slug(Stream().known_node(file.root).end()) == "bad_record");
  CHECK(slug(Stream().chunk("x").known_node(file.leaves[0].first).end()) == "bad_record");
  CHECK(slug(Stream().known_node(other.leaves.back().first).known_node(file.leaves[0].first).end()) == "bad_record");
  CHECK(slug(Stream().known_node(other.leaves.back().first).chunk("x").end()) == "bad_record");
  CHECK(slug(Stream().raw("garbage that is as long as the head of a record, or longer")) == "bad_record");
  // A payload that does not decode, to less or to more than it said.
  for (const std::uint32_t raw : {1u, 100'000u}) {
    Stream stream;
    stream.record({RecordType::kChunk, Encoding::kZstd, raw, 20, sha("x")}).raw(random_bytes(1, 20)).end();
    CHECK(slug(stream) == "bad_record");
  }
  CHECK(check_packs(*box.store, {}).value().problems.empty());
}

TEST_CASE("no change of a bit of a stream makes the store keep anything wrong") {
  const SmallChunks file(13, 6);
  Stream stream;
  file.add_new(stream, 0, 3);
  stream.known_chunk(sha("known"));
  file.add_new(stream, 3).end();
  const auto right = stream.bytes();
  CasBox box;
  REQUIRE(box.store->put("known"));
  std::size_t accepted = 0;
  for (std::size_t bit = 0; bit < right.size() * 8; bit += 3) {
    auto bytes = right;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    const auto received = receive(*box.store, bytes);
    if (!received) continue;
    ++accepted;
    for (const auto& stored : received->files) {
      if (!box.store->verify(stored.digest, stored.size_bytes)) FAIL("bit " << bit);
    }
  }
  CHECK(accepted < 100);  // what an end does not use
  CHECK(check_packs(*box.store, {}).value().problems.empty());
}

TEST_CASE("a stranger's stream is told nothing and stores under its own name") {
  CasBox box;
  const auto stranger = owner_tag("stranger");
  const SmallChunks file(14, 40);
  REQUIRE(receive(*box.store, stream_of(file)));
  const auto before = box.packs().packs()[0].size_bytes;
  Stream chunks;
  CHECK(receive(*box.store, file.add_known(chunks).end().bytes(), stranger).error().slug == "object_missing");
  Stream nodes;
  CHECK(receive(*box.store, file.add_nodes(nodes).end().bytes(), stranger).error().slug == "object_missing");
  const auto received = receive(*box.store, stream_of(file), stranger);
  REQUIRE(received);
  CHECK(received->new_chunks == 40);
  CHECK(box.packs().packs()[0].size_bytes >= 2 * before - 64);
  CHECK(box.store->has(file.digest, file.content.size(), stranger));
  Stream again;
  REQUIRE(receive(*box.store, file.add_known(again).end().bytes(), stranger));
}

TEST_CASE("a known chunk may be one that the same stream sent before") {
  CasBox box;
  const auto zeros = std::string(1000, '\0');
  Stream stream;
  stream.chunk(zeros);
  for (int i = 0; i < 700; ++i) stream.known_chunk(sha(zeros));
  stream.end();
  stream.known_chunk(sha(zeros)).end();
  const auto received = receive(*box.store, stream.bytes());
  REQUIRE(received);
  CHECK(received->new_chunks == 1);
  CHECK(received->files[0].size_bytes == 701'000);
  CHECK(received->files[1].digest == sha(zeros));
  CHECK((read_blob(*box.store, received->files[0].digest).value() == std::string(701'000, '\0')));
}
