#include "storage/cas/pack_store.h"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <algorithm>

#include "core/base/log.h"
#include "storage/cas/pack.h"

namespace mlops::cas {
namespace {

// How often a growing store looks at the free space: often enough not to run through the reserve of a small disk.
constexpr std::uint64_t kSpaceCheckBytes = 1u << 20;
// Packs whose files stay open for reading.
constexpr std::size_t kOpenReaders = 256;
constexpr std::size_t kPackEntriesMax = 64u << 10;

bool may_see(const PackEntry& entry, OwnerTag viewer) {
  return viewer == kEveryone || entry.owner == viewer;
}

Failure damaged(const ObjectKey& key) {
  return fail(ErrorCode::kCorrupt, "object_damaged",
              fmt::format("the {} {} is damaged", to_word(key.kind), key.digest.to_string()),
              "push the artifact again from its source to heal it, or restore a backup");
}

}  // namespace

PackStore::PackStore(PackStoreOptions options, Env& env, const Clock& clock)
    : options_(std::move(options)), env_(env), clock_(clock) {}

Result<std::unique_ptr<PackStore>> PackStore::open(PackStoreOptions options, Env& env, const Clock& clock) {
  std::unique_ptr<PackStore> store(new PackStore(std::move(options), env, clock));
  MLOPS_TRY(store->load());
  return store;
}

PackStore::~PackStore() {
  if (auto synced = complete_active_pack(); !synced) {
    log::warn("pack_not_completed", {{"slug", std::string_view(synced.error().slug)}});
  }
}

std::string PackStore::pack_file(std::uint32_t id) const {
  return fmt::format("{}/{:08x}.pack", packs_dir(), id);
}
std::string PackStore::index_file(std::uint32_t id) const {
  return fmt::format("{}/{:08x}.idx", packs_dir(), id);
}
std::string PackStore::bad_file(std::uint32_t id) const {
  return fmt::format("{}/{:08x}.bad", packs_dir(), id);
}

Status PackStore::check_space() const {
  MLOPS_TRY(room_bytes());
  return {};
}

// What may still be appended before the low-water mark.
Result<std::uint64_t> PackStore::room_bytes() const {
  struct statvfs info {};
  if (::statvfs(options_.root.c_str(), &info) != 0 || info.f_blocks == 0) return kSpaceCheckBytes;
  const auto free_percent = 100.0 * static_cast<double>(info.f_bavail) / static_cast<double>(info.f_blocks);
  if (free_percent >= options_.low_water_percent) {
    const auto reserve_blocks = info.f_blocks / 100 * options_.low_water_percent;
    return (info.f_bavail - std::min(info.f_bavail, reserve_blocks)) * info.f_frsize;
  }
  return fail(ErrorCode::kExhausted, "disk_full",
              fmt::format("the data directory's disk has {:.1f} % free space; uploads stop below {} %", free_percent,
                          options_.low_water_percent),
              "free space (mlopsctl gc plan shows what could go), or lower store.low_water_percent");
}

Status PackStore::start_pack() {
  const auto id = next_id_;
  const auto path = pack_file(id);
  MLOPS_ASSIGN(auto file, env_.create_exclusive(path));
  ++next_id_;
  const auto head = pack_head_bytes({id, clock_.now_us()});
  if (auto written = file->append(head); !written) {
    (void)env_.remove(path);  // nothing refers to it
    return written;
  }
  auto pack = std::make_unique<Pack>();
  pack->id = id;
  pack->size_bytes = head.size();
  pack->written_at_us = clock_.now_us();
  writer_ = std::make_shared<Writer>();
  writer_->file = std::move(file);
  writer_->id = id;
  writer_->written_bytes = head.size();
  std::unique_lock lock(mutex_);
  pack->slot = writer_->slot = static_cast<std::uint32_t>(packs_.size());
  packs_.push_back(std::move(pack));
  return {};
}

Status PackStore::ready_to_write(std::uint64_t bytes) {
  unchecked_bytes_ += bytes;
  if (!writer_ || unchecked_bytes_ >= check_after_bytes_) {
    // The nearer the mark, the more often: the reserve belongs to the database.
    MLOPS_ASSIGN(const auto room, room_bytes());
    check_after_bytes_ = std::min(kSpaceCheckBytes, room / 2);
    unchecked_bytes_ = 0;
  }
  const auto is_full = [&] {
    if (writer_->is_broken || writer_->written_bytes + bytes > options_.pack_limit_bytes) return true;
    std::shared_lock lock(mutex_);
    return packs_[writer_->slot]->entries.size() >= kPackEntriesMax;
  };
  if (writer_ && is_full()) finishing_.push_back(std::move(writer_));
  return writer_ ? Status{} : start_pack();
}

Status PackStore::append(std::span<const NewObject> objects, OwnerTag owner) {
  if (objects.empty()) return {};
  static constexpr std::array<std::uint8_t, kFrameAlign> kZeros{};
  std::vector<PackEntry> entries;
  std::vector<std::array<std::uint8_t, kFrameHeadBytes>> heads;
  std::vector<ByteView> pieces;
  entries.reserve(objects.size());
  heads.reserve(objects.size());
  pieces.reserve(3 * objects.size());
  std::uint64_t bytes = 0;
  for (const auto& object : objects) {
    const auto stored_bytes = static_cast<std::uint32_t>(object.payload.size());
    const auto& entry =
        entries.emplace_back(PackEntry{object.key, object.encoding, object.raw_bytes, stored_bytes, bytes, owner});
    pieces.push_back(heads.emplace_back(frame_head_bytes(entry, object.payload)));
    pieces.push_back(object.payload);
    pieces.push_back(ByteView(kZeros).first(entry.frame_bytes() - kFrameHeadBytes - stored_bytes));
    bytes += entry.frame_bytes();
  }
  std::lock_guard lock(append_mutex_);
  MLOPS_TRY(ready_to_write(bytes));
  const auto base = writer_->written_bytes;
  if (auto written = writer_->file->append_all(pieces); !written) {
    writer_->is_broken = true;
    return written;
  }
  writer_->written_bytes += bytes;
  for (auto& entry : entries) entry.offset += base;
  publish(entries, writer_->slot);
  return {};
}

void PackStore::publish(std::span<const PackEntry> entries, std::uint32_t slot) {
  std::unique_lock lock(mutex_);
  auto& pack = *packs_[slot];
  for (const auto& entry : entries) {
    index_.insert(entry.key, {slot, static_cast<std::uint32_t>(pack.entries.size())});
    pack.entries.push_back(entry);
    pack.states.push_back(EntryState::kLive);
    pack.size_bytes = entry.offset + entry.frame_bytes();
  }
  pack.written_at_us = clock_.now_us();
}

Status PackStore::sync() {
  std::lock_guard sync_lock(sync_mutex_);
  std::vector<std::shared_ptr<Writer>> dirty;
  {
    std::lock_guard lock(append_mutex_);
    dirty.swap(finishing_);
    if (writer_) dirty.push_back(writer_);
  }
  Status first_failure;
  for (const auto& writer : dirty) {
    auto synced = sync_writer(writer);
    if (!synced && first_failure) first_failure = std::move(synced);
  }
  return first_failure;
}

// A pack that is not written to any more gets its index and counts as complete.
Status PackStore::sync_writer(const std::shared_ptr<Writer>& writer) {
  std::uint64_t written_bytes = 0;
  bool is_complete = false;
  {
    std::lock_guard lock(append_mutex_);
    written_bytes = writer->written_bytes;
    is_complete = writer_ != writer;
  }
  if (writer->durable_bytes < written_bytes || !writer->is_named) {
    auto synced = writer->file->sync();
    if (synced && !writer->is_named) synced = env_.sync_dir(packs_dir());
    if (!synced) {
      take_back(writer);
      return synced;
    }
    writer->is_named = true;
    writer->durable_bytes = written_bytes;
  }
  if (!is_complete) return {};
  PackIndex index{writer->id, 0, {}};
  {
    std::unique_lock lock(mutex_);
    auto& pack = *packs_[writer->slot];
    pack.is_complete = true;
    index.covered_bytes = pack.size_bytes;
    index.entries = pack.entries;
  }
  if (auto written = write_index(index); !written) {
    // The index is derived: the pack is scanned at the next start instead.
    log::warn("pack_index_not_written", {{"slug", std::string_view(written.error().slug)}});
  }
  return {};
}

// After a failed sync the kernel may have dropped the pages: what was not durable before counts as never written.
void PackStore::take_back(const std::shared_ptr<Writer>& writer) {
  PackIndex left{writer->id, 0, {}};
  {
    std::lock_guard append_lock(append_mutex_);
    if (writer_ == writer) writer_.reset();
    left.covered_bytes = writer->written_bytes;
    std::unique_lock lock(mutex_);
    auto& pack = *packs_[writer->slot];
    for (std::uint32_t i = 0; i < pack.entries.size(); ++i) {
      if (pack.entries[i].offset + pack.entries[i].frame_bytes() <= writer->durable_bytes) {
        left.entries.push_back(pack.entries[i]);
        continue;
      }
      index_.erase(pack.entries[i].key, {writer->slot, i});
      pack.states[i] = EntryState::kLost;
    }
    pack.is_complete = true;
    ++generation_;
  }
  // The kernel may go on showing what it dropped, and a later sync of it succeeds: the next start must not count it in.
  if (auto size = env_.file_size_bytes(pack_file(writer->id))) left.covered_bytes = *size;
  if (auto written = write_index(left); !written) {
    log::warn("pack_index_not_written", {{"slug", std::string_view(written.error().slug)}});
  }
}

Status PackStore::complete_active_pack() {
  {
    std::lock_guard lock(append_mutex_);
    if (writer_) finishing_.push_back(std::move(writer_));
    writer_.reset();
  }
  return sync();
}

std::optional<PackEntry> PackStore::find(const ObjectKey& key, OwnerTag viewer) const {
  std::shared_lock lock(mutex_);
  std::optional<PackEntry> found;
  index_.find(key, [&](ObjectAt at) {
    const auto& pack = *packs_[at.pack];
    const auto& entry = pack.entries[at.entry];
    if (entry.key != key || pack.states[at.entry] != EntryState::kLive || !may_see(entry, viewer)) return false;
    found = entry;
    return true;
  });
  return found;
}

std::shared_ptr<ReadableFile> PackStore::reader_of(Pack& pack, Status& status) {
  std::lock_guard lock(readers_mutex_);
  if (pack.reader) return pack.reader;
  if (open_readers_ >= kOpenReaders) {
    for (auto& other : packs_) {
      if (other) other->reader.reset();  // who reads now holds its own reference
    }
    open_readers_ = 0;
  }
  auto opened = env_.open_readable(pack_file(pack.id));
  if (!opened) {
    status = fail(std::move(opened.error()));
    return nullptr;
  }
  ++open_readers_;
  pack.reader = std::move(*opened);
  return pack.reader;
}

Result<StoredObject> PackStore::read_entry(ObjectAt at, const PackEntry& entry, std::span<std::uint8_t> rest) {
  std::shared_ptr<ReadableFile> file;
  {
    std::shared_lock lock(mutex_);
    Status opened;
    if (!packs_[at.pack]) return fail(ErrorCode::kNotFound, "object_moved", "the object's pack is gone");
    file = reader_of(*packs_[at.pack], opened);
    if (!file) {
      // A pack that is gone damages everything in it; other failures say nothing about the bytes.
      if (opened.error().code != ErrorCode::kNotFound) return fail(std::move(opened.error()));
    }
  }
  if (file) {
    std::array<std::uint8_t, kFrameHeadBytes> head;
    MLOPS_ASSIGN(const auto got, file->read_both_at(entry.offset, head, rest));
    if (got == head.size() + rest.size() && check_frame(entry, head, rest)) {
      return StoredObject{entry, rest.first(entry.stored_bytes)};
    }
  }
  set_damaged(at);
  return damaged(entry.key);
}

std::vector<std::pair<ObjectAt, PackEntry>> PackStore::copies_of(const ObjectKey& key, OwnerTag viewer) const {
  std::vector<std::pair<ObjectAt, PackEntry>> copies;
  std::shared_lock lock(mutex_);
  index_.find(key, [&](ObjectAt at) {
    const auto& pack = *packs_[at.pack];
    const auto& entry = pack.entries[at.entry];
    const bool fits = entry.key == key && pack.states[at.entry] == EntryState::kLive && may_see(entry, viewer);
    if (fits) copies.emplace_back(at, entry);
    return false;
  });
  return copies;
}

std::optional<std::pair<ObjectAt, PackEntry>> PackStore::locate(const ObjectKey& key) const {
  const auto copies = copies_of(key, kEveryone);
  if (copies.empty()) return {};
  const auto shared =
      std::find_if(copies.begin(), copies.end(), [](const auto& copy) { return copy.second.owner == kEveryone; });
  return shared == copies.end() ? copies.front() : *shared;
}

Result<std::optional<StoredObject>> PackStore::read(const ObjectKey& key, std::vector<std::uint8_t>& buffer,
                                                    OwnerTag viewer) {
  return read_copy(key, viewer, [&](std::size_t size) -> Result<std::span<std::uint8_t>> {
    buffer.resize(size);
    return std::span(buffer);
  });
}

Result<std::optional<StoredObject>> PackStore::read_to(const ObjectKey& key, std::span<std::uint8_t> room,
                                                       OwnerTag viewer) {
  return read_copy(key, viewer, [&](std::size_t size) -> Result<std::span<std::uint8_t>> {
    if (size <= room.size()) return room.first(size);
    return fail(ErrorCode::kUnavailable, "store_changed", "an object has other bytes than a moment ago", "try again");
  });
}

Result<std::optional<StoredObject>> PackStore::read_copy(const ObjectKey& key, OwnerTag viewer,
                                                         const RoomFor& room_for) {
  // A collection may move the object between looking up and reading; then it is looked up again.
  constexpr int kTries = 3;
  bool was_damaged = false;
  for (int i = 0; i < kTries; ++i) {
    bool has_moved = false;
    for (const auto& [at, entry] : copies_of(key, viewer)) {
      MLOPS_ASSIGN(const auto room, room_for(entry.stored_bytes));
      auto object = read_entry(at, entry, room);
      if (object) return std::optional<StoredObject>(*object);
      const auto code = object.error().code;
      if (code != ErrorCode::kCorrupt && code != ErrorCode::kNotFound) return fail(std::move(object.error()));
      (code == ErrorCode::kCorrupt ? was_damaged : has_moved) = true;
    }
    if (!has_moved) break;
  }
  if (was_damaged) return damaged(key);
  return std::optional<StoredObject>();
}

void PackStore::set_damaged(ObjectAt at) {
  std::unique_lock lock(mutex_);
  if (!packs_[at.pack]) return;
  auto& pack = *packs_[at.pack];
  if (pack.states[at.entry] == EntryState::kDamaged) return;
  pack.states[at.entry] = EntryState::kDamaged;
  has_damage_ = true;
  ++generation_;
  const auto& entry = pack.entries[at.entry];
  log::error("object_damaged", {{"pack", std::int64_t{pack.id}},
                                {"offset", static_cast<std::int64_t>(entry.offset)},
                                {"kind", to_word(entry.key.kind)}});
  // Lost, it is found again at the next read.
  if (auto written = write_bad(pack); !written) {
    log::warn("damage_not_recorded", {{"slug", std::string_view(written.error().slug)}});
  }
}

bool PackStore::is_damaged(const ObjectKey& key) const {
  std::shared_lock lock(mutex_);
  bool has_damaged = false;
  const bool has_live = index_.find(key, [&](ObjectAt at) {
    const auto& pack = *packs_[at.pack];
    if (pack.entries[at.entry].key != key) return false;
    has_damaged = has_damaged || pack.states[at.entry] == EntryState::kDamaged;
    return pack.states[at.entry] == EntryState::kLive;
  });
  return has_damaged && !has_live;
}

void PackStore::quarantine(const ObjectKey& key) {
  std::vector<ObjectAt> copies;
  {
    std::shared_lock lock(mutex_);
    index_.find(key, [&](ObjectAt at) {
      if (packs_[at.pack]->entries[at.entry].key == key) copies.push_back(at);
      return false;
    });
  }
  for (const auto at : copies) set_damaged(at);
}

std::vector<PackInfo> PackStore::packs() const {
  std::shared_lock lock(mutex_);
  std::vector<PackInfo> out;
  for (const auto& pack : packs_) {
    if (!pack) continue;
    out.push_back(
        {pack->slot, pack->id, pack->size_bytes, pack->entries.size(), pack->written_at_us, pack->is_complete});
  }
  return out;
}

std::vector<std::pair<PackEntry, EntryState>> PackStore::entries_of(std::uint32_t slot) const {
  std::shared_lock lock(mutex_);
  std::vector<std::pair<PackEntry, EntryState>> out;
  if (slot >= packs_.size() || !packs_[slot]) return out;
  const auto& pack = *packs_[slot];
  out.reserve(pack.entries.size());
  for (std::size_t i = 0; i < pack.entries.size(); ++i) out.emplace_back(pack.entries[i], pack.states[i]);
  return out;
}

Result<StoredObject> PackStore::read_at(std::uint32_t slot, std::uint32_t entry, std::vector<std::uint8_t>& buffer,
                                        Padding padding) {
  PackEntry wanted;
  {
    std::shared_lock lock(mutex_);
    if (slot >= packs_.size() || !packs_[slot] || entry >= packs_[slot]->entries.size()) {
      return fail(ErrorCode::kNotFound, "object_moved", "the object's pack is gone");
    }
    wanted = packs_[slot]->entries[entry];
  }
  buffer.resize(padding == Padding::kCheck ? wanted.frame_bytes() - kFrameHeadBytes : wanted.stored_bytes);
  return read_entry({slot, entry}, wanted, buffer);
}

void PackStore::set_states(std::uint32_t slot, const std::vector<std::uint32_t>& entries, EntryState state) {
  std::unique_lock lock(mutex_);
  if (slot >= packs_.size() || !packs_[slot]) return;
  for (const auto entry : entries) {
    auto& now = packs_[slot]->states[entry];
    if (now == EntryState::kLive || now == EntryState::kCondemned) now = state;
  }
  if (state != EntryState::kLive) ++generation_;
}

}  // namespace mlops::cas
