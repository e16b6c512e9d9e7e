// The store twin's own code, in one object of this test binary.
#include "tests/unit/cli/cmd/fake_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <stdexcept>

#include "core/base/env.h"
#include "core/base/text.h"
#include "storage/cas/ingest.h"
#include "storage/cas/little_endian.h"
#include "storage/cas/plain_ingest.h"
#include "storage/cas/sender.h"
#include "storage/cas/stream_format.h"
#include "tests/unit/catch.h"

namespace mlops::cli {
namespace {

constexpr std::size_t kRecipeChunks = 40;  // few, so that a recipe takes several answers

Failure lost() {
  return fail(ErrorCode::kUnavailable, "connection_lost", "the connection was lost");
}

class NoSyncFile : public WritableFile {
 public:
  explicit NoSyncFile(std::unique_ptr<WritableFile> file) : file_(std::move(file)) {}
  Status append(ByteView bytes) override { return file_->append(bytes); }
  Status sync() override { return {}; }
  Status close() override { return file_->close(); }

 private:
  std::unique_ptr<WritableFile> file_;
};

Result<std::unique_ptr<WritableFile>> without_sync(Result<std::unique_ptr<WritableFile>> file) {
  MLOPS_ASSIGN(auto real, std::move(file));
  return std::unique_ptr<WritableFile>(std::make_unique<NoSyncFile>(std::move(real)));
}

// The real files, but nothing waits for the disk: these tests are not about power cuts.
class NoSyncEnv : public Env {
 public:
  Result<std::unique_ptr<WritableFile>> create_exclusive(const std::string& path, int mode) override {
    return without_sync(real_.create_exclusive(path, mode));
  }
  Result<std::unique_ptr<WritableFile>> open_append(const std::string& path) override {
    return without_sync(real_.open_append(path));
  }
  Result<std::unique_ptr<ReadableFile>> open_readable(const std::string& path) override {
    return real_.open_readable(path);
  }
  Status rename_no_replace(const std::string& from, const std::string& to) override {
    return real_.rename_no_replace(from, to);
  }
  Status rename_replace(const std::string& from, const std::string& to) override {
    return real_.rename_replace(from, to);
  }
  Status remove(const std::string& path) override { return real_.remove(path); }
  Status make_dir(const std::string& path, int mode) override { return real_.make_dir(path, mode); }
  Status remove_dir(const std::string& path) override { return real_.remove_dir(path); }
  Status sync_dir(const std::string&) override { return {}; }
  Result<std::vector<std::string>> list_dir(const std::string& path) override { return real_.list_dir(path); }
  Result<std::uint64_t> file_size_bytes(const std::string& path) override { return real_.file_size_bytes(path); }
  Result<TimestampUs> file_modified_at_us(const std::string& path) override { return real_.file_modified_at_us(path); }
  Status forget_cached(const std::string& path) override { return real_.forget_cached(path); }

 private:
  Env& real_ = posix_env();
};

Env& no_sync_env() {
  static NoSyncEnv env;
  return env;
}

}  // namespace

FakeStore::FakeStore() {
  cas::ContentStoreOptions options;
  options.packs.root = directory_.path();
  options.packs.low_water_percent = 0;
  auto opened = cas::ContentStore::open(options, no_sync_env(), clock_);
  if (!opened) throw std::runtime_error(opened.error().message);
  content_ = std::move(*opened);
}

FakeStore::Counts FakeStore::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

Result<std::string> FakeStore::missing(std::string_view body) {
  const auto bytes = as_bytes(body);
  std::string answer;
  bool has_claimed = false;
  for (std::size_t at = 0; at < bytes.size(); at += cas::kQuestionBytes) {
    MLOPS_ASSIGN(const auto question, cas::parse_question(bytes.subspan(at, cas::kQuestionBytes)));
    bool is_here = false;
    if (question.type == cas::RecordType::kEnd) {
      is_here = content_->has(question.digest, question.size_bytes);
    } else {
      const bool is_node = question.type == cas::RecordType::kKnownNode;
      is_here = claims_all_once ||
                content_->has_object({is_node ? cas::ObjectKind::kNode : cas::ObjectKind::kChunk, question.digest},
                                     cas::kEveryone);
      has_claimed = has_claimed || claims_all_once;
    }
    answer += is_here ? '\1' : '\0';
  }
  if (has_claimed) claims_all_once = false;
  const std::lock_guard lock(mutex_);
  counts_.questions += answer.size();
  return answer;
}

// What arrives of a body that is lost after `left` bytes.
cas::StreamRead FakeStore::arriving(const std::function<Result<ByteView>()>& next, std::uint64_t left) {
  return [this, &next, left, piece = ByteView()](std::span<std::uint8_t> into) mutable -> Result<std::size_t> {
    if (left == 0) return lost();
    if (piece.empty()) {
      MLOPS_ASSIGN(piece, next());
    }
    const auto some = static_cast<std::size_t>(std::min<std::uint64_t>({into.size(), piece.size(), left}));
    std::copy_n(piece.begin(), some, into.begin());
    piece = piece.subspan(some);
    left -= some;
    const std::lock_guard inner(mutex_);
    counts_.pushed_bytes += some;
    return some;
  };
}

Result<Json> FakeStore::upload(const std::function<Result<ByteView>()>& next) {
  std::uint64_t left = kNever;
  {
    const std::lock_guard lock(mutex_);
    if (++counts_.uploads == broken_upload.stream) left = broken_upload.at;
  }
  const auto read = arriving(next, left);
  MLOPS_ASSIGN(const auto received, cas::receive_plain(*content_, cas::kEveryone, read));
  return Json{{"digest", received.file.digest.to_string()},
              {"size_bytes", received.file.size_bytes},
              {"new_bytes", received.new_bytes}};
}

Result<Json> FakeStore::push(const std::function<Result<ByteView>()>& next) {
  std::unique_lock lock(mutex_);
  const auto left = ++counts_.pushes == broken_push.stream ? broken_push.at : kNever;
  lock.unlock();
  const auto read = arriving(next, left);
  MLOPS_ASSIGN(const auto received, cas::receive_files(*content_, cas::kEveryone, read));
  lock.lock();
  counts_.pushed_chunks += received.new_chunks;
  Json files = Json::array();
  for (const auto& file : received.files) {
    files.push_back({{"digest", file.digest.to_string()}, {"size_bytes", file.size_bytes}});
  }
  return Json{{"files", std::move(files)},
              {"file_count", received.file_count},
              {"new_chunks", received.new_chunks},
              {"new_bytes", received.new_bytes}};
}

Result<std::string> FakeStore::recipe(const std::string& path) {
  const auto name = path.substr(path.rfind('/') + 1);
  const auto question = name.find("?offset=");
  MLOPS_ASSIGN(auto digest, crypto::Digest::parse("sha256:" + name.substr(question - 64, 64)));
  if (const auto other = recipes_of.find(digest); other != recipes_of.end()) digest = other->second;
  const auto offset = parse_int(name.substr(question + 8)).value_or(0);
  const auto size = content_->size_of(digest);
  if (!size) return fail(ErrorCode::kNotFound, "blob_not_found", "the store has no such blob");
  MLOPS_ASSIGN(const auto chunks,
               content_->chunks_of(digest, static_cast<std::uint64_t>(offset), *size + 1, kRecipeChunks));
  std::string body(16 + chunks.size() * 36, '\0');
  auto* at = reinterpret_cast<std::uint8_t*>(body.data());
  cas::store_le(at, *size);
  cas::store_le(at + 8, static_cast<std::uint32_t>(chunks.size()));
  at += 16;
  for (const auto& chunk : chunks) {
    std::memcpy(at, chunk.digest.bytes().data(), 32);
    cas::store_le(at + 32, digest == tiny_chunks_of ? std::uint32_t{1} : static_cast<std::uint32_t>(chunk.size_bytes));
    at += 36;
  }
  const std::lock_guard lock(mutex_);
  ++counts_.recipes;
  return body;
}

Status FakeStore::fetch(std::string_view body, const std::function<Status(ByteView)>& sink) {
  std::unique_lock lock(mutex_);
  ++counts_.fetches;
  auto left = counts_.fetches == broken_fetch.stream ? broken_fetch.at : kNever;
  const auto wrong = counts_.fetches == wrong_byte.stream ? wrong_byte.at : kNever;
  lock.unlock();  // who takes the answer may ask something else meanwhile
  std::vector<cas::Want> wants;
  for (auto rest = as_bytes(body); !rest.empty(); rest = rest.subspan(cas::kWantBytes)) {
    MLOPS_ASSIGN(const auto want, cas::parse_want(rest.first(cas::kWantBytes)));
    wants.push_back(want);
  }
  MLOPS_ASSIGN(auto sender, cas::Sender::prepare(*content_, wants));
  std::vector<std::uint8_t> piece(100'003);  // no multiple of anything
  std::uint64_t sent = 0;
  while (true) {
    MLOPS_ASSIGN(const auto got, sender.read(piece));
    if (got == 0) return {};
    if (wrong >= sent && wrong - sent < got) piece[static_cast<std::size_t>(wrong - sent)] ^= 1;
    const auto some = static_cast<std::size_t>(std::min<std::uint64_t>(got, left));
    lock.lock();
    counts_.fetched_bytes += some;
    lock.unlock();
    sent += some;
    left -= some;
    MLOPS_TRY(sink(ByteView(piece).first(some)));
    if (left == 0) return lost();
  }
}

crypto::Digest FakeStore::put(std::string_view bytes) {
  auto upload = content_->start_upload();
  if (!upload || !upload->append(as_bytes(bytes))) throw std::runtime_error("upload");
  auto stored = upload->finish();
  if (!stored) throw std::runtime_error(stored.error().message);
  return stored->digest;
}

std::string FakeStore::read(const crypto::Digest& digest) {
  return content_->read(digest, std::numeric_limits<std::size_t>::max()).value_or("");
}

std::string random_bytes(std::uint64_t seed, std::size_t size) {
  std::mt19937_64 random(seed);
  std::string bytes(size, '\0');
  for (std::size_t at = 0; at < size; at += 8) {
    const auto word = random();
    std::memcpy(bytes.data() + at, &word, std::min<std::size_t>(8, size - at));
  }
  return bytes;
}

}  // namespace mlops::cli

TEST_CASE("what was put into the twin's store comes out again") {
  mlops::cli::FakeStore store;
  const auto bytes = mlops::cli::random_bytes(1, 300'000);
  const auto digest = store.put(bytes);
  CHECK(digest == mlops::crypto::sha256(bytes));
  CHECK((store.read(digest) == bytes));
  CHECK(store.read(mlops::crypto::sha256("absent")).empty());
}
