#include "storage/cas/collection.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/base/text.h"

namespace mlops::cas {
namespace {

constexpr unsigned kDepthMax = 16;
// A pack of which less than this is dead stays as it is: copying the rest would cost more than it gains.
constexpr double kWorthMoving = 0.2;

// What an entry is needed for, the stronger the larger.
enum class Hold : std::uint8_t { kNone, kLease, kReference };

// Marks of one pack as it was when the collection began. Entries appended later are not looked at.
struct PackMarks {
  PackInfo info;
  std::vector<PackEntry> entries;
  std::vector<EntryState> states;
  std::vector<Hold> holds;
  bool is_young = false;
};

}  // namespace

class Collection::Impl {
 public:
  Impl(ContentStore& store, std::int64_t min_age_us, Thoroughness thoroughness)
      : store_(store), thoroughness_(thoroughness) {
    const auto now_us = store.packs().clock().now_us();
    for (const auto& info : store.packs().packs()) {
      PackMarks marks;
      marks.info = info;
      for (const auto& [entry, state] : store.packs().entries_of(info.slot)) {
        marks.entries.push_back(entry);
        marks.states.push_back(state);
      }
      marks.holds.assign(marks.entries.size(), Hold::kNone);
      marks.is_young = min_age_us > 0 && info.written_at_us > now_us - min_age_us;
      packs_.emplace(info.slot, std::move(marks));
    }
    ignores_leases_ = min_age_us == 0;
  }

  Result<bool> keep(const crypto::Digest& blob) {
    MLOPS_ASSIGN(const bool is_whole, keep_blob(blob, Hold::kReference));
    if (!is_whole) ++missing_blobs_;
    return is_whole;
  }

  CollectionSummary summary() {
    keep_leased();
    CollectionSummary sum;
    sum.missing_blobs = missing_blobs_;
    for (const auto& [slot, pack] : packs_) {
      for (std::size_t i = 0; i < pack.entries.size(); ++i) {
        if (pack.states[i] == EntryState::kCondemned || pack.states[i] == EntryState::kLost) continue;
        const auto bytes = pack.entries[i].frame_bytes();
        const bool is_live = pack.holds[i] == Hold::kReference;
        const bool is_young = !is_live && is_protected(pack, i);
        (is_live ? sum.live_objects : is_young ? sum.young_objects : sum.dead_objects) += 1;
        (is_live ? sum.live_bytes : is_young ? sum.young_bytes : sum.dead_bytes) += bytes;
      }
      const auto dead = dead_of(pack);
      if (is_worth_moving(pack, dead)) continue;
      for (const auto i : dead) {
        if (pack.states[i] == EntryState::kCondemned || pack.states[i] == EntryState::kLost) continue;
        ++sum.sparse_objects;
        sum.sparse_bytes += pack.entries[i].frame_bytes();
      }
    }
    return sum;
  }

  void condemn() {
    keep_leased();
    for (auto& [slot, pack] : packs_) {
      auto dead = dead_of(pack);
      for (const auto i : dead) pack.states[i] = EntryState::kCondemned;
      if (!dead.empty()) store_.packs().set_states(slot, dead, EntryState::kCondemned);
      condemned_[slot] = std::move(dead);
    }
  }

  Result<MovedToTrash> move_to_trash(const std::string& run) {
    MovedToTrash moved;
    std::vector<std::uint32_t> worth;
    for (const auto& [slot, dead] : condemned_) {
      if (is_worth_moving(packs_.at(slot), dead)) {
        worth.push_back(slot);
      } else {
        store_.packs().set_states(slot, dead, EntryState::kLive);
      }
    }
    if (worth.empty()) return moved;
    // The active pack may be one of them; it takes no more objects then.
    MLOPS_TRY(store_.packs().complete_active_pack());
    for (const auto slot : worth) MLOPS_TRY(copy_live(packs_.at(slot), moved));
    MLOPS_TRY(store_.packs().sync());
    MLOPS_TRY(check_copies(worth));
    moved.trash_dir = fmt::format("{:020}-{}", store_.packs().clock().now_us(), run);
    std::string receipt;
    for (const auto slot : worth) {
      const auto& pack = packs_.at(slot);
      MLOPS_TRY(store_.packs().move_to_trash(slot, moved.trash_dir));
      ++moved.packs;
      moved.bytes += pack.info.size_bytes;
      for (const auto i : condemned_.at(slot)) {
        receipt += fmt::format("{} {}\n", to_word(pack.entries[i].key.kind), pack.entries[i].key.digest.hex());
        ++moved.removed_objects;
      }
    }
    moved.removed_digest = crypto::sha256(receipt);
    return moved;
  }

 private:
  enum class Mark { kAbsent, kNew, kAlready };

  // Of several copies one is enough.
  Mark mark(const ObjectKey& key, Hold hold) {
    const auto found = store_.packs().locate(key);
    if (!found) return Mark::kAbsent;
    const auto pack = packs_.find(found->first.pack);
    // Written after the beginning: not looked at, so not in danger.
    if (pack == packs_.end() || found->first.entry >= pack->second.holds.size()) return Mark::kNew;
    auto& now = pack->second.holds[found->first.entry];
    if (now >= hold) return Mark::kAlready;
    now = hold;
    return Mark::kNew;
  }

  // As one chunk and as a tree, when it is here both ways: somebody may be reading either.
  Result<bool> keep_blob(const crypto::Digest& blob, Hold hold) {
    const bool is_chunk = mark({ObjectKind::kChunk, blob}, hold) != Mark::kAbsent;
    const auto marked = mark({ObjectKind::kBlob, blob}, hold);
    if (marked != Mark::kNew) return is_chunk || marked == Mark::kAlready;
    const auto record = store_.blob_record(blob);
    if (!record && record.error().code != ErrorCode::kCorrupt) return fail(record.error());
    if (!record || !*record) return is_chunk;
    (void)mark({ObjectKind::kRoot, (*record)->root}, hold);
    MLOPS_ASSIGN(const bool is_whole, keep_node((*record)->root, hold, 0));
    return is_chunk || is_whole;
  }

  Result<bool> keep_node(const crypto::Digest& digest, Hold hold, unsigned depth) {
    const auto marked = mark({ObjectKind::kNode, digest}, hold);
    if (marked == Mark::kAlready) return true;
    if (marked == Mark::kAbsent || depth > kDepthMax) return false;
    auto read = store_.read_node(digest);
    if (!read && read.error().code == ErrorCode::kCorrupt) return false;  // what lies beside it stays all the same
    MLOPS_ASSIGN(const auto node, std::move(read));
    bool is_whole = true;
    for (const auto& entry : node.entries) {
      if (node.level == 0) {
        is_whole = mark({ObjectKind::kChunk, entry.digest}, hold) != Mark::kAbsent && is_whole;
      } else {
        MLOPS_ASSIGN(const bool below, keep_node(entry.digest, hold, depth + 1));
        is_whole = below && is_whole;
      }
    }
    return is_whole;
  }

  // A leased node or file stands for all that is below it.
  void keep_leased() {
    if (ignores_leases_) return;
    for (const auto& [slot, pack] : packs_) {
      for (const auto& entry : pack.entries) {
        if (!store_.leases().holds(entry.key)) continue;
        // What cannot be read keeps nothing below it alive; reading has set it aside.
        if (entry.key.kind == ObjectKind::kNode) (void)keep_node(entry.key.digest, Hold::kLease, 0);
        if (entry.key.kind == ObjectKind::kBlob) (void)keep_blob(entry.key.digest, Hold::kLease);
      }
    }
  }

  bool is_protected(const PackMarks& pack, std::size_t entry) const {
    if (pack.states[entry] != EntryState::kLive) return false;
    return pack.is_young || pack.holds[entry] == Hold::kLease ||
           (!ignores_leases_ && store_.leases().holds(pack.entries[entry].key));
  }

  std::vector<std::uint32_t> dead_of(const PackMarks& pack) const {
    std::vector<std::uint32_t> dead;
    for (std::uint32_t i = 0; i < pack.entries.size(); ++i) {
      if (pack.holds[i] == Hold::kNone && !is_protected(pack, i)) dead.push_back(i);
    }
    return dead;
  }

  // Dead is also what no entry covers: a write that a full disk cut off.
  bool is_worth_moving(const PackMarks& pack, const std::vector<std::uint32_t>& dead) const {
    if (thoroughness_ == Thoroughness::kAll && !dead.empty()) return true;
    std::uint64_t live_bytes = 0;
    for (const auto& entry : pack.entries) live_bytes += entry.frame_bytes();
    for (const auto i : dead) live_bytes -= pack.entries[i].frame_bytes();
    const auto size_bytes = static_cast<double>(pack.info.size_bytes);
    return size_bytes - kPackHeadBytes - static_cast<double>(live_bytes) >= kWorthMoving * size_bytes ||
           live_bytes == 0;
  }

  // Also what was appended to the pack after the beginning, and what is leased.
  Status copy_live(const PackMarks& pack, MovedToTrash& moved) {
    std::vector<std::uint8_t> buffer;
    const auto now = store_.packs().entries_of(pack.info.slot);
    for (std::uint32_t i = 0; i < now.size(); ++i) {
      const auto& [entry, state] = now[i];
      if (state != EntryState::kLive) continue;
      const auto object = store_.packs().read_at(pack.info.slot, i, buffer);
      if (!object && object.error().code == ErrorCode::kCorrupt) {  // set aside by the reading
        MLOPS_TRY(copy_condemned(entry.key, moved));
        continue;
      }
      if (!object) return fail(object.error());
      MLOPS_TRY(copy_on(*object, moved));
    }
    return {};
  }

  Status copy_on(const StoredObject& object, MovedToTrash& moved) {
    const auto& entry = object.entry;
    const NewObject copy{entry.key, entry.encoding, entry.raw_bytes, object.payload};
    MLOPS_TRY(store_.packs().append({&copy, 1}, entry.owner));
    moved.copied_bytes += entry.frame_bytes();
    return {};
  }

  // The copy that was to stay is damaged: another one, which was not needed until now, takes its place.
  Status copy_condemned(const ObjectKey& key, MovedToTrash& moved) {
    if (store_.packs().find(key)) return {};
    std::vector<std::uint8_t> buffer;
    for (const auto& [slot, dead] : condemned_) {
      for (const auto i : dead) {
        if (packs_.at(slot).entries[i].key != key) continue;
        const auto object = store_.packs().read_at(slot, i, buffer);
        if (object) return copy_on(*object, moved);
        if (object.error().code != ErrorCode::kCorrupt) return fail(object.error());
      }
    }
    return {};
  }

  // A sync of somebody else may have failed and taken copies back, before this one found nothing left to sync.
  Status check_copies(const std::vector<std::uint32_t>& worth) {
    const auto is_elsewhere = [&](const auto& copy) {
      return !std::binary_search(worth.begin(), worth.end(), copy.first.pack);
    };
    for (const auto slot : worth) {
      for (const auto& [entry, state] : store_.packs().entries_of(slot)) {
        if (state != EntryState::kLive) continue;
        const auto copies = store_.packs().copies_of(entry.key, entry.owner);
        if (std::any_of(copies.begin(), copies.end(), is_elsewhere)) continue;
        return fail(ErrorCode::kUnavailable, "store_changed", "copied objects were lost before they were durable",
                    "collect again");
      }
    }
    return {};
  }

  ContentStore& store_;
  const Thoroughness thoroughness_;
  std::map<std::uint32_t, PackMarks> packs_;
  std::map<std::uint32_t, std::vector<std::uint32_t>> condemned_;
  std::uint64_t missing_blobs_ = 0;
  bool ignores_leases_ = false;
};

Collection::Collection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Collection::~Collection() = default;

Result<std::unique_ptr<Collection>> Collection::start(ContentStore& store, std::int64_t min_age_us,
                                                      Thoroughness thoroughness) {
  return std::unique_ptr<Collection>(new Collection(std::make_unique<Impl>(store, min_age_us, thoroughness)));
}

Result<bool> Collection::keep(const crypto::Digest& blob) {
  return impl_->keep(blob);
}
CollectionSummary Collection::summary() const {
  return impl_->summary();
}
void Collection::condemn() {
  impl_->condemn();
}
Result<MovedToTrash> Collection::move_to_trash(const std::string& run) {
  return impl_->move_to_trash(run);
}

std::vector<ObjectKind> kinds_of(ContentStore& store, const crypto::Digest& digest) {
  std::vector<ObjectKind> kinds;
  for (const auto kind : {ObjectKind::kBlob, ObjectKind::kChunk, ObjectKind::kNode, ObjectKind::kRoot}) {
    if (store.packs().find({kind, digest})) kinds.push_back(kind);
  }
  return kinds;
}

namespace {

Result<bool> find_below(ContentStore& store, const crypto::Digest& digest, const ObjectKey& object, unsigned depth,
                        std::vector<ObjectKey>& path) {
  path.push_back({ObjectKind::kNode, digest});
  if (path.back() == object) return true;
  MLOPS_ASSIGN(const auto node, store.read_node(digest));
  for (const auto& entry : node.entries) {
    if (node.level == 0) {
      if (object != ObjectKey{ObjectKind::kChunk, entry.digest}) continue;
      path.push_back(object);
      return true;
    }
    if (depth >= kDepthMax) break;
    MLOPS_ASSIGN(const bool found, find_below(store, entry.digest, object, depth + 1, path));
    if (found) return true;
  }
  path.pop_back();
  return false;
}

}  // namespace

Result<std::vector<ObjectKey>> path_in_blob(ContentStore& store, const crypto::Digest& blob, const ObjectKey& object) {
  std::vector<ObjectKey> path;
  if (object.digest == blob && object.kind != ObjectKind::kNode) {
    path.push_back(object);
    return path;
  }
  MLOPS_ASSIGN(const auto record, store.blob_record(blob));
  if (!record) return path;
  path.push_back({ObjectKind::kBlob, blob});
  if (object == ObjectKey{ObjectKind::kRoot, record->root}) {
    path.push_back(object);
    return path;
  }
  MLOPS_ASSIGN(const bool found, find_below(store, record->root, object, 0, path));
  if (!found) path.clear();
  return path;
}

}  // namespace mlops::cas
