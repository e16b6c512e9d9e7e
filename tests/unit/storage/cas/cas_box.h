// What the tests of the content store share: a store on a disk in memory, bytes to put into it, streams made by hand.
// Thread-safety: none. Errors: a store that does not open throws, which fails the test.
#pragma once

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <random>
#include <stdexcept>
#include <string>

#include "storage/cas/check.h"
#include "storage/cas/collection.h"
#include "storage/cas/content_store.h"
#include "storage/cas/ingest.h"
#include "storage/cas/stream_format.h"
#include "tests/unit/storage/blob/fault_env.h"
#include "tests/unit/storage/cas/power_cut_env.h"

namespace mlops::test {

inline constexpr std::int64_t kSecondUs = 1'000'000;
inline constexpr std::int64_t kLeaseUs = 3600 * kSecondUs;
inline constexpr const char* kStoreRoot = "/store";

// Bytes that do not compress; they depend on the seed only (SplitMix64).
inline std::string random_bytes(std::uint64_t seed, std::size_t size) {
  std::string bytes(size, '\0');
  std::uint64_t state = seed * 0x9e3779b97f4a7c15 + size;
  for (std::size_t i = 0; i < size; i += 8) {
    std::uint64_t word = state += 0x9e3779b97f4a7c15;
    word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
    word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
    word ^= word >> 31;
    for (std::size_t n = 0; n < 8 && i + n < size; ++n) bytes[i + n] = static_cast<char>(word >> (8 * n));
  }
  return bytes;
}

inline crypto::Digest sha(std::string_view bytes) {
  return crypto::sha256(bytes);
}

inline cas::ContentStoreOptions store_options(std::uint64_t pack_limit_bytes) {
  cas::ContentStoreOptions options;
  options.packs = {kStoreRoot, 0, pack_limit_bytes};
  options.lease_us = kLeaseUs;
  return options;
}

// The whole blob through its reader.
inline Result<std::string> read_blob(cas::ContentStore& store, const crypto::Digest& digest) {
  MLOPS_ASSIGN(const auto reader, store.open_blob(digest));
  std::string bytes(reader->size_bytes(), '\0');
  MLOPS_ASSIGN(const auto got, reader->read_at(0, {reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()}));
  bytes.resize(got);
  return bytes;
}

inline Result<cas::Stored> put(cas::ContentStore& store, std::string_view bytes, cas::OwnerTag owner = cas::kEveryone) {
  MLOPS_ASSIGN(auto upload, store.start_upload(owner));
  MLOPS_TRY(upload.append(as_bytes(bytes)));
  return upload.finish();
}

// Records in a row; see storage/cas/stream_format.h.
class Stream {
 public:
  Stream& chunk(std::string_view raw) { return chunk_as(sha(raw), raw); }
  Stream& chunk_as(const crypto::Digest& digest, std::string_view raw) {
    const auto size = static_cast<std::uint32_t>(raw.size());
    record({cas::RecordType::kChunk, cas::Encoding::kRaw, size, size, digest});
    bytes_ += raw;
    return *this;
  }
  Stream& known_chunk(const crypto::Digest& digest) {
    return record({cas::RecordType::kKnownChunk, cas::Encoding::kRaw, 0, 0, digest});
  }
  Stream& known_node(const crypto::Digest& digest) {
    return record({cas::RecordType::kKnownNode, cas::Encoding::kRaw, 0, 0, digest});
  }
  Stream& end(const crypto::Digest& digest = {}) {
    return record({cas::RecordType::kEnd, cas::Encoding::kRaw, 0, 0, digest});
  }
  Stream& record(const cas::RecordHead& head) {
    const auto bytes = cas::record_head_bytes(head);
    bytes_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return *this;
  }
  Stream& raw(std::string_view bytes) {
    bytes_ += bytes;
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// Sends `bytes` in pieces of at most `piece`; at the end `at_end`: 0, or an error.
inline Result<cas::Received> receive(cas::ContentStore& store, std::string_view bytes,
                                     cas::OwnerTag owner = cas::kEveryone, std::size_t piece = SIZE_MAX) {
  std::size_t sent = 0;
  return cas::receive_files(store, owner, [&](std::span<std::uint8_t> into) -> Result<std::size_t> {
    const auto take = std::min({into.size(), bytes.size() - sent, piece});
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(sent), take, into.begin());
    sent += take;
    return take;
  });
}

// A store that can be closed, opened again, killed and made to fail.
class CasBox {
 public:
  explicit CasBox(std::uint64_t pack_limit_bytes = 256u << 20) : pack_limit_bytes_(pack_limit_bytes) {
    use(std::make_unique<PowerCutEnv>(clock));
  }

  void reopen() {
    store.reset();
    open();
  }
  // The process ends without a clean stop, or the power fails.
  void cut(Cut kind, std::uint64_t seed = 0) { use(disk().after(kind, seed)); }

  PowerCutEnv& disk() { return *disks_.back(); }
  FaultEnv& faults() { return *faults_.back(); }
  cas::PackStore& packs() { return store->packs(); }
  std::string pack_path(std::uint32_t id = 1) const { return fmt::format("{}/packs/{:08x}.pack", kStoreRoot, id); }
  std::string index_path(std::uint32_t id = 1) const { return fmt::format("{}/packs/{:08x}.idx", kStoreRoot, id); }
  std::string bad_path(std::uint32_t id = 1) const { return fmt::format("{}/packs/{:08x}.bad", kStoreRoot, id); }
  // Where the frame of an undamaged object lies in its pack's file.
  std::uint64_t offset_of(cas::ObjectKind kind, const crypto::Digest& digest) {
    return packs().find({kind, digest})->offset;
  }

 private:
  void use(std::unique_ptr<PowerCutEnv> disk) {
    auto faults = std::make_unique<FaultEnv>(*disk);
    store.reset();  // what it still writes goes to the disk before
    disks_.push_back(std::move(disk));
    faults_.push_back(std::move(faults));
    open();
  }
  void open() {
    auto opened = cas::ContentStore::open(store_options(pack_limit_bytes_), faults(), clock);
    if (!opened) throw std::runtime_error(opened.error().message);
    store = std::move(*opened);
  }

  const std::uint64_t pack_limit_bytes_;
  std::vector<std::unique_ptr<PowerCutEnv>> disks_;
  std::vector<std::unique_ptr<FaultEnv>> faults_;

 public:
  FakeClock clock{1'800'000'000 * kSecondUs};
  std::unique_ptr<cas::ContentStore> store;
};

// The log lines of a part of a test, which are kept from the terminal too.
class LogCapture {
 public:
  LogCapture() : file_(::tmpfile()), saved_(::dup(STDERR_FILENO)) { (void)::dup2(::fileno(file_), STDERR_FILENO); }
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;
  ~LogCapture() {
    (void)::dup2(saved_, STDERR_FILENO);
    (void)::close(saved_);
    (void)::fclose(file_);
  }
  std::string text() const {
    std::string out(static_cast<std::size_t>(::lseek(::fileno(file_), 0, SEEK_END)), '\0');
    const auto got = ::pread(::fileno(file_), out.data(), out.size(), 0);
    out.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return out;
  }
  bool has(std::string_view words) const { return text().find(words) != std::string::npos; }

 private:
  std::FILE* file_;
  int saved_;
};

}  // namespace mlops::test
