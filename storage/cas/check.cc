#include "storage/cas/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

#include "core/crypto/digest_batch.h"

namespace mlops::cas {
namespace {

std::string name_of(const ObjectKey& key) {
  return fmt::format("{} {}", to_word(key.kind), key.digest.to_string());
}

class Check {
 public:
  Check(ContentStore& store, const CheckOptions& options)
      : store_(store), options_(options), random_(options.seed), started_(std::chrono::steady_clock::now()) {}

  Result<CheckReport> run() {
    for (const auto& info : store_.packs().packs()) {
      if (options_.sample >= 1.0) MLOPS_TRY(check_files(info));
      const auto entries = store_.packs().entries_of(info.slot);
      for (std::uint32_t i = 0; i < entries.size() && !is_stopped(); ++i) {
        if (entries[i].second != EntryState::kLive) continue;
        if (options_.sample < 1.0 && std::uniform_real_distribution<>(0, 1)(random_) >= options_.sample) continue;
        MLOPS_TRY(check_object(info, i, entries[i].first.key));
      }
    }
    return std::move(report_);
  }

 private:
  bool is_stopped() const { return options_.stop && options_.stop->load(); }

  void add(std::string object, std::string problem) {
    report_.problems.push_back({std::move(object), std::move(problem)});
  }

  // The pack's head, and that its index says what the store holds in memory.
  Status check_files(const PackInfo& info) {
    const auto name = fmt::format("pack {:08x}", info.id);
    auto head = read_file_part(store_.packs().packs_dir() + fmt::format("/{:08x}.pack", info.id), kPackHeadBytes);
    const bool is_missing = !head && head.error().code == ErrorCode::kNotFound;
    if (!head && !is_missing) return fail(std::move(head.error()));
    // Gone from the store too, a collection has moved it.
    if (is_missing && !store_.packs().entries_of(info.slot).empty()) add(name, "its file is missing");
    // Zeros: cut off by a power cut before the pack was ever synced; then nothing in it was acknowledged.
    const bool was_begun = head && std::any_of(head->begin(), head->end(), [](std::uint8_t byte) { return byte != 0; });
    if (was_begun && info.entries > 0 && !parse_pack_head(*head)) add(name, "its head is damaged");
    auto bytes = read_file_part(store_.packs().packs_dir() + fmt::format("/{:08x}.idx", info.id), 0);
    if (!bytes && bytes.error().code == ErrorCode::kNotFound) return {};  // not complete yet
    if (!bytes) return fail(std::move(bytes.error()));
    const auto index = parse_index(*bytes);
    if (!index || index->pack_id != info.id) add(name, "its index is damaged; the next start rebuilds it");
    return {};
  }

  // `limit_bytes` 0: all.
  Result<std::vector<std::uint8_t>> read_file_part(const std::string& path, std::size_t limit_bytes) {
    MLOPS_ASSIGN(const auto file, store_.packs().env().open_readable(path));
    std::vector<std::uint8_t> bytes(limit_bytes == 0 ? file->size_bytes() : limit_bytes);
    MLOPS_ASSIGN(const auto got, file->read_at(0, bytes));
    bytes.resize(got);
    return bytes;
  }

  Status check_object(const PackInfo& info, std::uint32_t entry, const ObjectKey& key) {
    const auto object = store_.packs().read_at(info.slot, entry, frame_, PackStore::Padding::kCheck);
    if (!object && object.error().code == ErrorCode::kNotFound) return {};  // moved by a collection
    if (!object && object.error().code != ErrorCode::kCorrupt) return fail(object.error());
    ++report_.objects;
    if (!object) {
      add(name_of(key), fmt::format("in pack {:08x}: {}", info.id, object.error().message));
      return {};
    }
    report_.bytes += object->entry.frame_bytes();
    const auto problem = problem_of(*object);
    if (!problem.empty()) {
      store_.packs().quarantine(object->entry.key);
      add(name_of(object->entry.key), problem);
    }
    keep_to_budget();
    return {};
  }

  std::string problem_of(const StoredObject& object) {
    const auto& key = object.entry.key;
    switch (key.kind) {
      case ObjectKind::kChunk:
        raw_.resize(object.entry.raw_bytes);
        if (!decoder_.decode(object.entry.encoding, object.payload, raw_)) return "it cannot be decoded";
        return digest_of(raw_) == key.digest ? "" : "content does not match its digest";
      case ObjectKind::kNode:
        if (crypto::sha256(object.payload) != key.digest) return "content does not match its digest";
        return parse_node(object.payload) ? "" : "it cannot be read";
      case ObjectKind::kBlob:
        return parse_blob_record(object.payload) ? "" : "it cannot be read";
      case ObjectKind::kRoot:
        return parse_root_record(object.payload) ? "" : "it cannot be read";
    }
    return {};
  }

  static crypto::Digest digest_of(ByteView bytes) {
    crypto::Digest digest;
    crypto::sha256_batch({&bytes, 1}, {&digest, 1});
    return digest;
  }

  void keep_to_budget() const {
    if (options_.bytes_per_second == 0) return;
    const auto due = std::chrono::duration<double>(static_cast<double>(report_.bytes) /
                                                   static_cast<double>(options_.bytes_per_second));
    constexpr auto kStep = std::chrono::milliseconds(100);
    while (!is_stopped() && std::chrono::steady_clock::now() - started_ < due) std::this_thread::sleep_for(kStep);
  }

  ContentStore& store_;
  const CheckOptions options_;
  std::mt19937_64 random_;
  const std::chrono::steady_clock::time_point started_;
  CheckReport report_;
  Decoder decoder_;
  std::vector<std::uint8_t> frame_;
  std::vector<std::uint8_t> raw_;
};

}  // namespace

Result<CheckReport> check_packs(ContentStore& store, const CheckOptions& options) {
  return Check(store, options).run();
}

std::vector<Problem> damaged_objects(ContentStore& store) {
  std::vector<Problem> problems;
  for (const auto& info : store.packs().packs()) {
    for (const auto& [entry, state] : store.packs().entries_of(info.slot)) {
      if (state != EntryState::kDamaged || store.packs().find(entry.key)) continue;
      problems.push_back({name_of(entry.key), "damaged"});
    }
  }
  return problems;
}

}  // namespace mlops::cas
