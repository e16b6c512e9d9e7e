// What the pack store does at start, and with whole packs: reading indexes, scanning what lies behind them, trash.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/base/log.h"
#include "core/base/text.h"
#include "storage/cas/pack.h"

namespace mlops::cas {
namespace {

constexpr std::string_view kPackSuffix = ".pack";
constexpr std::string_view kTemporarySuffix = ".tmp";
constexpr std::size_t kScanBytes = 4u << 20;
// A pack with that much room left is appended to after a restart, so that restarts do not make many small ones.
constexpr std::uint64_t kReopenPart = 2;

std::optional<std::uint32_t> pack_id_of(std::string_view name) {
  constexpr std::size_t kDigits = 8;
  if (name.size() != kDigits + kPackSuffix.size() || !name.ends_with(kPackSuffix)) return {};
  std::uint32_t id = 0;
  for (const char c : name.substr(0, kDigits)) {
    const bool is_digit = c >= '0' && c <= '9';
    if (!is_digit && !(c >= 'a' && c <= 'f')) return {};
    id = id * 16 + static_cast<std::uint32_t>(is_digit ? c - '0' : c - 'a' + 10);
  }
  return id;
}

// Of a write that was interrupted, or what belonged to a pack that is gone: its number may be given out again.
bool is_leftover(const std::string& name, const std::vector<std::string>& sorted_names) {
  if (name.ends_with(kTemporarySuffix)) return true;
  if (!name.ends_with(".idx") && !name.ends_with(".bad")) return false;
  const auto pack = name.substr(0, name.size() - 4) + std::string(kPackSuffix);
  return pack_id_of(pack) && !std::binary_search(sorted_names.begin(), sorted_names.end(), pack);
}

// A window over a pack that moves forward.
class Window {
 public:
  Window(const ReadableFile& file, std::uint64_t begin, std::uint64_t end)
      : file_(file), end_(end), buffer_(std::min<std::uint64_t>(kScanBytes, end - begin)) {}

  // At least `size` bytes at `offset`, fewer at the end of the pack.
  Result<ByteView> at(std::uint64_t offset, std::size_t size) {
    const bool is_inside = offset >= start_ && offset + size <= start_ + filled_;
    if (!is_inside) {
      start_ = offset;
      const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer_.size(), end_ - offset));
      MLOPS_ASSIGN(filled_, file_.read_at(offset, std::span(buffer_).first(wanted)));
    }
    const auto skip = static_cast<std::size_t>(offset - start_);
    return ByteView(buffer_).subspan(skip, std::min(size, filled_ - skip));
  }

 private:
  const ReadableFile& file_;
  const std::uint64_t end_;
  std::vector<std::uint8_t> buffer_;
  std::uint64_t start_ = 0;
  std::size_t filled_ = 0;
};

// Behind bytes that are no frame, what looks like one may be part of a file that somebody sent: of it only what its own
// digest proves counts. Records cannot be proved here.
class Prover {
 public:
  bool proves(const PackEntry& entry, ByteView payload) {
    if (entry.key.kind == ObjectKind::kNode) return crypto::sha256(payload) == entry.key.digest;
    if (entry.key.kind != ObjectKind::kChunk) return false;
    raw_.resize(entry.raw_bytes);
    return decoder_.decode(entry.encoding, payload, raw_) && crypto::sha256(raw_) == entry.key.digest;
  }

 private:
  Decoder decoder_;
  std::vector<std::uint8_t> raw_;
};

}  // namespace

Status PackStore::write_durably(const std::string& path, std::string_view content) {
  const auto temporary = path + std::string(kTemporarySuffix);
  (void)env_.remove(temporary);  // of a stop in the middle
  MLOPS_ASSIGN(const auto file, env_.create_exclusive(temporary));
  auto written = file->append(as_bytes(content));
  if (written) written = file->sync();
  if (written) written = file->close();
  if (written) written = env_.rename_replace(temporary, path);
  if (!written) {
    (void)env_.remove(temporary);
    return written;
  }
  return env_.sync_dir(packs_dir());
}

Status PackStore::write_index(const PackIndex& index) {
  return write_durably(index_file(index.pack_id), index_bytes(index));
}

Status PackStore::write_bad(const Pack& pack) {
  std::string lines;
  for (std::size_t i = 0; i < pack.entries.size(); ++i) {
    if (pack.states[i] == EntryState::kDamaged) lines += fmt::format("{}\n", pack.entries[i].offset);
  }
  return write_durably(bad_file(pack.id), lines);
}

Status PackStore::load() {
  for (const auto& dir : {options_.root, packs_dir(), trash_root()}) MLOPS_TRY(env_.make_dir(dir));
  MLOPS_TRY(env_.sync_dir(options_.root));
  const auto above = std::filesystem::path(options_.root).parent_path().string();
  MLOPS_TRY(env_.sync_dir(above.empty() ? "." : above));
  MLOPS_ASSIGN(const auto names, env_.list_dir(packs_dir()));
  for (const auto& name : names) {
    if (is_leftover(name, names)) MLOPS_TRY(env_.remove(packs_dir() + "/" + name));
    const auto id = pack_id_of(name);
    if (!id) continue;
    MLOPS_TRY(load_pack(*id));
    next_id_ = std::max(next_id_, *id + 1);
  }
  // Numbers of packs in the trash are not used again: they may come back.
  MLOPS_ASSIGN(const auto runs, env_.list_dir(trash_root()));
  for (const auto& run : runs) {
    auto trashed = env_.list_dir(trash_root() + "/" + run);
    if (!trashed && trashed.error().code == ErrorCode::kNotFound) continue;  // a file of a stranger
    if (!trashed) return fail(std::move(trashed.error()));
    for (const auto& name : *trashed) {
      if (const auto id = pack_id_of(name)) next_id_ = std::max(next_id_, *id + 1);
    }
  }
  if (!packs_.empty() && packs_.back()) return reopen(*packs_.back());
  return {};
}

Status PackStore::load_pack(std::uint32_t id) {
  auto pack = std::make_unique<Pack>();
  pack->id = id;
  pack->is_complete = true;
  MLOPS_ASSIGN(pack->size_bytes, env_.file_size_bytes(pack_file(id)));
  MLOPS_ASSIGN(const auto modified_at_us, env_.file_modified_at_us(pack_file(id)));
  pack->written_at_us = std::min(modified_at_us, clock_.now_us());
  std::uint64_t covered_bytes = kPackHeadBytes;
  if (auto file = env_.open_readable(index_file(id))) {
    std::vector<std::uint8_t> bytes((*file)->size_bytes());
    MLOPS_ASSIGN(const auto got, (*file)->read_at(0, bytes));
    auto index = parse_index(ByteView(bytes).first(got));
    if (index && index->pack_id == id && index->covered_bytes <= pack->size_bytes) {
      covered_bytes = index->covered_bytes;
      pack->entries = std::move(index->entries);
    } else {
      log::warn("pack_index_rebuilt", {{"pack", std::int64_t{id}}});
    }
  } else if (file.error().code != ErrorCode::kNotFound) {
    return fail(std::move(file.error()));
  }
  if (covered_bytes < pack->size_bytes) MLOPS_TRY(scan_tail(*pack, covered_bytes));
  pack->states.assign(pack->entries.size(), EntryState::kLive);
  MLOPS_TRY(load_bad(*pack));
  adopt(std::move(pack));
  return {};
}

// Takes every whole frame behind `from`. They are made durable before anything can rely on them.
Status PackStore::scan_tail(Pack& pack, std::uint64_t from) {
  // take_back() may have failed to leave word of what a failed sync had dropped.
  MLOPS_TRY(env_.forget_cached(pack_file(pack.id)));
  MLOPS_ASSIGN(const auto file, env_.open_readable(pack_file(pack.id)));
  Window window(*file, from, pack.size_bytes);
  Prover prover;
  std::uint64_t offset = from;
  std::uint64_t skipped_bytes = 0;
  while (offset + kFrameHeadBytes <= pack.size_bytes) {
    MLOPS_ASSIGN(const auto head, window.at(offset, kFrameHeadBytes));
    auto entry = parse_frame_head(head);
    if (entry) {
      entry->offset = offset;
      MLOPS_ASSIGN(const auto frame, window.at(offset, entry->frame_bytes()));
      const bool is_whole = frame.size() >= entry->frame_bytes() && check_frame(*entry, frame);
      const auto payload = [&] { return frame.subspan(kFrameHeadBytes, entry->stored_bytes); };
      if (!is_whole || (skipped_bytes > 0 && !prover.proves(*entry, payload()))) entry.reset();
    }
    if (entry) pack.entries.push_back(*entry);
    if (!entry) skipped_bytes += kFrameAlign;
    offset += entry ? entry->frame_bytes() : kFrameAlign;
  }
  if (skipped_bytes > 0) {
    log::warn("pack_bytes_skipped",
              {{"pack", std::int64_t{pack.id}}, {"bytes", static_cast<std::int64_t>(skipped_bytes)}});
  }
  MLOPS_ASSIGN(const auto appender, env_.open_append(pack_file(pack.id)));
  MLOPS_TRY(appender->sync());
  MLOPS_TRY(env_.sync_dir(packs_dir()));
  return write_index({pack.id, pack.size_bytes, pack.entries});
}

Status PackStore::load_bad(Pack& pack) {
  auto file = env_.open_readable(bad_file(pack.id));
  if (!file && file.error().code == ErrorCode::kNotFound) return {};
  if (!file) return fail(std::move(file.error()));
  std::string text((*file)->size_bytes(), '\0');
  MLOPS_ASSIGN(const auto got, (*file)->read_at(0, {reinterpret_cast<std::uint8_t*>(text.data()), text.size()}));
  text.resize(got);
  for (const auto line : split(text, '\n')) {
    const auto offset = parse_int(line);
    if (!offset) continue;
    const auto at =
        std::lower_bound(pack.entries.begin(), pack.entries.end(), static_cast<std::uint64_t>(*offset),
                         [](const PackEntry& entry, std::uint64_t wanted) { return entry.offset < wanted; });
    const bool is_there = at != pack.entries.end() && at->offset == static_cast<std::uint64_t>(*offset);
    if (!is_there) continue;
    pack.states[static_cast<std::size_t>(at - pack.entries.begin())] = EntryState::kDamaged;
    has_damage_ = true;
  }
  return {};
}

void PackStore::adopt(std::unique_ptr<Pack> pack) {
  std::unique_lock lock(mutex_);
  pack->slot = static_cast<std::uint32_t>(packs_.size());
  for (std::uint32_t i = 0; i < pack->entries.size(); ++i) index_.insert(pack->entries[i].key, {pack->slot, i});
  packs_.push_back(std::move(pack));
}

// The last pack goes on when there is room and nothing unknown lies at its end.
Status PackStore::reopen(Pack& pack) {
  const bool has_room = pack.size_bytes < options_.pack_limit_bytes / kReopenPart;
  const auto end =
      pack.entries.empty() ? kPackHeadBytes : pack.entries.back().offset + pack.entries.back().frame_bytes();
  if (!has_room || end != pack.size_bytes) return {};
  MLOPS_ASSIGN(auto file, env_.open_append(pack_file(pack.id)));
  writer_ = std::make_shared<Writer>();
  writer_->file = std::move(file);
  writer_->id = pack.id;
  writer_->slot = pack.slot;
  writer_->written_bytes = writer_->durable_bytes = pack.size_bytes;
  writer_->is_named = false;  // a pack of nothing but its head was never synced
  pack.is_complete = false;
  return {};
}

Status PackStore::move_to_trash(std::uint32_t slot, const std::string& trash_dir) {
  std::uint32_t id = 0;
  {
    std::shared_lock lock(mutex_);
    if (slot >= packs_.size() || !packs_[slot] || !packs_[slot]->is_complete) {
      return fail(ErrorCode::kConflict, "pack_in_use", "only a complete pack can be set aside");
    }
    id = packs_[slot]->id;
  }
  const auto dir = trash_root() + "/" + trash_dir;
  MLOPS_TRY(env_.make_dir(dir));
  // The index first: a pack without one is scanned, an index without its pack is nothing.
  for (const auto& [path, suffix] : {std::pair{index_file(id), "idx"}, std::pair{bad_file(id), "bad"}}) {
    auto moved = env_.rename_replace(path, fmt::format("{}/{:08x}.{}", dir, id, suffix));
    if (!moved && moved.error().code != ErrorCode::kNotFound) return moved;
  }
  {
    // Nobody may open the pack between its having another name and its being gone.
    std::unique_lock lock(mutex_);
    MLOPS_TRY(env_.rename_replace(pack_file(id), fmt::format("{}/{:08x}.pack", dir, id)));
    auto& pack = *packs_[slot];
    for (std::uint32_t i = 0; i < pack.entries.size(); ++i) index_.erase(pack.entries[i].key, {slot, i});
    packs_[slot].reset();
    ++generation_;
  }
  MLOPS_TRY(env_.sync_dir(dir));
  MLOPS_TRY(env_.sync_dir(trash_root()));
  return env_.sync_dir(packs_dir());
}

// Whether the file is a loaded pack or belongs to one.
bool PackStore::is_loaded(const std::string& file_name) const {
  const auto id = pack_id_of(file_name.substr(0, file_name.find('.')) + std::string(kPackSuffix));
  std::shared_lock lock(mutex_);
  return id && std::any_of(packs_.begin(), packs_.end(), [&](const auto& pack) { return pack && pack->id == *id; });
}

Status PackStore::restore_from_trash(const std::string& trash_dir) {
  const auto dir = trash_root() + "/" + trash_dir;
  MLOPS_ASSIGN(const auto names, env_.list_dir(dir));
  // By name a pack comes after what belongs to it.
  for (const auto& name : names) {
    const auto from = dir + "/" + name;
    const auto to = packs_dir() + "/" + name;
    if (is_loaded(name)) {
      // After a power cut in the middle of the move it may have both names; the pack may have grown since.
      MLOPS_TRY(env_.remove(from));
      continue;
    }
    MLOPS_TRY(env_.rename_replace(from, to));
    const auto id = pack_id_of(name);
    if (!id) continue;
    // Nothing may rely on it before its name is durable.
    auto loaded = env_.sync_dir(packs_dir());
    if (loaded) loaded = load_pack(*id);
    if (!loaded) {
      (void)env_.rename_replace(to, from);  // so that trying again finds it
      return loaded;
    }
  }
  MLOPS_TRY(load_strays());
  MLOPS_TRY(env_.sync_dir(packs_dir()));
  return env_.sync_dir(dir);
}

// Packs that an earlier restoring moved, but could neither load nor move back.
Status PackStore::load_strays() {
  const std::lock_guard lock(append_mutex_);  // a pack that is being begun is no stray
  MLOPS_ASSIGN(const auto names, env_.list_dir(packs_dir()));
  for (const auto& name : names) {
    const auto id = pack_id_of(name);
    if (!id || is_loaded(name)) continue;
    MLOPS_TRY(env_.sync_dir(packs_dir()));
    MLOPS_TRY(load_pack(*id));
  }
  return {};
}

}  // namespace mlops::cas
