// Objects in packs: appended, made durable together, found, read with their checksum compared, set aside when damaged,
// moved to the trash when nothing needs them.
//
//   <root>/packs/<8 hex>.pack   frames, appended; never rewritten
//   <root>/packs/<8 hex>.idx    derived: what lies where; written when a pack is complete and at a clean stop
//   <root>/packs/<8 hex>.bad    offsets of damaged frames, a line each
//   <root>/trash/<run>/         packs that a collection set aside, removed after their time
//
// An object is visible when append() returns and durable when a sync() that began later has returned. A sync that fails
// takes back what was not durable: those objects are gone, and generation() grows, so that whoever relied on them
// notices. At start, what a pack holds behind its index is scanned; a frame that is not whole was never acknowledged
// and is skipped.
//
// Errors: those of Env; kExhausted "disk_full" also at the low-water mark; kCorrupt "object_damaged" (no undamaged
// copy; the damaged ones are set aside). Thread-safety: thread-safe. Units: bytes, microseconds.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/env.h"
#include "storage/cas/frame.h"
#include "storage/cas/object_index.h"

namespace mlops::cas {

struct PackStoreOptions {
  std::string root;
  unsigned low_water_percent = 5;               // of free space, below which nothing is appended
  std::uint64_t pack_limit_bytes = 256u << 20;  // a pack that has reached it is complete
};

struct NewObject {
  ObjectKey key;
  Encoding encoding = Encoding::kRaw;
  std::uint32_t raw_bytes = 0;
  ByteView payload;
};

struct StoredObject {
  PackEntry entry;
  ByteView payload;  // of the caller's buffer
};

// What a collection decides about one pack's entries. kLost: taken back by a failed sync, for good.
enum class EntryState : std::uint8_t { kLive, kCondemned, kDamaged, kLost };

struct PackInfo {
  std::uint32_t slot = 0;
  std::uint32_t id = 0;
  std::uint64_t size_bytes = 0;
  std::size_t entries = 0;
  TimestampUs written_at_us = 0;  // last append, as far as known
  bool is_complete = false;
};

class PackStore {
 public:
  static Result<std::unique_ptr<PackStore>> open(PackStoreOptions options, Env& env, const Clock& clock);
  ~PackStore();

  Status append(std::span<const NewObject> objects, OwnerTag owner);
  Status sync();
  // Grows when objects that were visible are gone: by a failed sync or a collection.
  std::uint64_t generation() const { return generation_.load(); }

  // An undamaged copy that `viewer` may be told of.
  std::optional<PackEntry> find(const ObjectKey& key, OwnerTag viewer = kEveryone) const;
  // Where that copy lies; of several, one that belongs to everyone.
  std::optional<std::pair<ObjectAt, PackEntry>> locate(const ObjectKey& key) const;
  // Every undamaged copy that `viewer` may be told of, and where it lies.
  std::vector<std::pair<ObjectAt, PackEntry>> copies_of(const ObjectKey& key, OwnerTag viewer = kEveryone) const;
  // `buffer` holds the payload afterwards. nullopt: not here.
  Result<std::optional<StoredObject>> read(const ObjectKey& key, std::vector<std::uint8_t>& buffer,
                                           OwnerTag viewer = kEveryone);
  // The same with the payload in `room`, which is not touched beyond. Errors: also kUnavailable "store_changed" when it
  // has more bytes than that.
  Result<std::optional<StoredObject>> read_to(const ObjectKey& key, std::span<std::uint8_t> room,
                                              OwnerTag viewer = kEveryone);
  // Copies of it are here, all of them set aside.
  bool is_damaged(const ObjectKey& key) const;
  // Whether anything was ever found damaged that is still in a pack.
  bool has_damage() const { return has_damage_.load(); }
  // Every copy of it is set aside and never found again.
  void quarantine(const ObjectKey& key);

  std::vector<PackInfo> packs() const;
  // Of one pack, in order; states beside them. Empty when the pack is gone.
  std::vector<std::pair<PackEntry, EntryState>> entries_of(std::uint32_t slot) const;
  // Reads that very entry; kCorrupt "object_damaged" sets it aside. Padding counts where the disk is checked, not where
  // an object is needed.
  enum class Padding { kIgnore, kCheck };
  Result<StoredObject> read_at(std::uint32_t slot, std::uint32_t entry, std::vector<std::uint8_t>& buffer,
                               Padding padding = Padding::kIgnore);
  Status check_space() const;

  // For collections (gc.h). condemn: found no more; spare: found again.
  void set_states(std::uint32_t slot, const std::vector<std::uint32_t>& entries, EntryState state);
  Status complete_active_pack();
  // Renames the pack into `trash_dir` (below trash/); its entries are gone.
  Status move_to_trash(std::uint32_t slot, const std::string& trash_dir);
  // The other way; its objects are found again.
  Status restore_from_trash(const std::string& trash_dir);
  std::string trash_root() const { return options_.root + "/trash"; }
  std::string packs_dir() const { return options_.root + "/packs"; }
  Env& env() { return env_; }
  const Clock& clock() const { return clock_; }

 private:
  struct Pack;
  struct Writer;
  PackStore(PackStoreOptions options, Env& env, const Clock& clock);

  // pack_recovery.cc
  Status load();
  Status load_pack(std::uint32_t id);
  Status load_strays();
  Status scan_tail(Pack& pack, std::uint64_t from);
  Status load_bad(Pack& pack);
  Status write_bad(const Pack& pack);
  Status write_index(const PackIndex& index);
  Status write_durably(const std::string& path, std::string_view content);
  void adopt(std::unique_ptr<Pack> pack);
  bool is_loaded(const std::string& file_name) const;
  Status reopen(Pack& pack);

  Status start_pack();
  Result<std::uint64_t> room_bytes() const;
  Status ready_to_write(std::uint64_t bytes);
  Status sync_writer(const std::shared_ptr<Writer>& writer);
  void take_back(const std::shared_ptr<Writer>& writer);
  void publish(std::span<const PackEntry> entries, std::uint32_t slot);
  std::shared_ptr<ReadableFile> reader_of(Pack& pack, Status& status);
  // Room for the payload, given its size.
  using RoomFor = std::function<Result<std::span<std::uint8_t>>(std::size_t)>;
  Result<std::optional<StoredObject>> read_copy(const ObjectKey& key, OwnerTag viewer, const RoomFor& room_for);
  // `rest`: room for what follows the frame's head, its payload and, if wanted, the padding.
  Result<StoredObject> read_entry(ObjectAt at, const PackEntry& entry, std::span<std::uint8_t> rest);
  void set_damaged(ObjectAt at);
  std::string pack_file(std::uint32_t id) const;
  std::string index_file(std::uint32_t id) const;
  std::string bad_file(std::uint32_t id) const;

  const PackStoreOptions options_;
  Env& env_;
  const Clock& clock_;
  std::atomic<std::uint64_t> generation_{1};
  std::atomic<bool> has_damage_{false};

  // Lock order: sync_mutex_, append_mutex_, mutex_.
  std::mutex sync_mutex_;
  std::mutex append_mutex_;
  std::shared_ptr<Writer> writer_;                  // append_mutex_
  std::vector<std::shared_ptr<Writer>> finishing_;  // full or broken ones that are not synced yet; append_mutex_
  std::uint32_t next_id_ = 1;                       // append_mutex_
  std::uint64_t unchecked_bytes_ = 0;               // append_mutex_
  std::uint64_t check_after_bytes_ = 0;             // append_mutex_

  mutable std::shared_mutex mutex_;
  std::vector<std::unique_ptr<Pack>> packs_;  // by slot; null: gone
  ObjectIndex index_;
  std::mutex readers_mutex_;
  std::size_t open_readers_ = 0;
};

}  // namespace mlops::cas
