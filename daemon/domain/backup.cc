#include "daemon/domain/backup.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <set>

#include "core/base/id.h"
#include "core/base/log.h"
#include "storage/audit/audit_log.h"

namespace mlops::domain {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDatabaseItem = "mlops.db";
constexpr std::size_t kReadBytes = 1u << 20;
// Passes over the packs until none is moved away between listing and linking it.
constexpr int kPasses = 20;
constexpr std::chrono::minutes kLookEvery{1};

std::string pack_name(std::uint32_t id) {
  return fmt::format("{:08x}.pack", id);
}

// The packs of one session.
class Pins {
 public:
  Pins(cas::PackStore& packs, std::string folder) : packs_(packs), folder_(std::move(folder)) {}

  // Links what is not linked yet and notes how far each pack reaches.
  Status take_all() {
    for (int i = 0; i < kPasses; ++i) {
      MLOPS_ASSIGN(const bool was_settled, take_pass());
      if (was_settled) return {};
    }
    return fail(ErrorCode::kUnavailable, "store_unsettled", "packs were moved while a backup began",
                "try again when the collection that runs is done");
  }

  // Makes durable what was taken: the caller will never look at these bytes again.
  Status settle() {
    MLOPS_TRY(packs_.sync());
    // A sync of somebody else may have failed before, and taken back what that one then found nothing of.
    for (const auto& info : packs_.packs()) {
      const auto pin = pins_.find(info.id);
      if (pin != pins_.end()) pin->second.size_bytes = end_of(info.slot, pin->second.size_bytes);
    }
    std::erase_if(pins_, [](const auto& pin) { return pin.second.size_bytes == 0; });
    return {};
  }

  // REQUIRES: settled.
  Result<std::vector<BackupItem>> items() const {
    std::vector<BackupItem> out;
    for (const auto& [id, pin] : pins_) {
      BackupItem item;
      item.name = pack_name(id);
      MLOPS_ASSIGN(const auto file, packs_.env().open_readable(folder_ + "/" + item.name));
      item.size_bytes = pin.size_bytes;
      // Completed and moved between the passes: all of it counts.
      const bool grew_unseen = !present_.contains(id) && !pin.is_complete;
      if (grew_unseen) item.size_bytes = file->size_bytes() / cas::kFrameAlign * cas::kFrameAlign;
      std::array<std::uint8_t, cas::kPackHeadBytes> bytes{};
      MLOPS_ASSIGN(const auto got, file->read_at(0, bytes));
      const auto head = cas::parse_pack_head(ByteView(bytes).first(got));
      item.created_at_us = head ? head->created_at_us : 0;
      out.push_back(std::move(item));
    }
    return out;
  }

 private:
  struct Pin {
    std::uint64_t size_bytes = 0;
    bool is_complete = false;
  };

  // False: a pack went away meanwhile, and what it held may lie in a new one.
  Result<bool> take_pass() {
    bool was_settled = true;
    present_.clear();
    for (const auto& info : packs_.packs()) {
      const auto end = end_of(info.slot, ~std::uint64_t{0});
      if (end == 0) continue;
      MLOPS_ASSIGN(const bool is_linked, link(info.id));
      if (!is_linked) was_settled = false;
      if (!is_linked) continue;
      present_.insert(info.id);
      pins_[info.id] = {end, info.is_complete};
    }
    return was_settled;
  }

  // Of the last frame before `limit` that was not lost; behind it there may be half a one that was never acknowledged.
  // 0: there is none.
  std::uint64_t end_of(std::uint32_t slot, std::uint64_t limit) const {
    std::uint64_t end = 0;
    for (const auto& [entry, state] : packs_.entries_of(slot)) {
      const auto entry_end = entry.offset + entry.frame_bytes();
      if (state != cas::EntryState::kLost && entry_end <= limit) end = entry_end;
    }
    return end;
  }

  Result<bool> link(std::uint32_t id) {
    if (pins_.contains(id)) return true;
    std::error_code error;
    fs::create_hard_link(packs_.packs_dir() + "/" + pack_name(id), folder_ + "/" + pack_name(id), error);
    if (error == std::errc::no_such_file_or_directory) return false;
    if (!error) return true;
    return fail(ErrorCode::kUnavailable, "io_error", fmt::format("cannot link pack {}: {}", id, error.message()));
  }

  cas::PackStore& packs_;
  const std::string folder_;
  std::map<std::uint32_t, Pin> pins_;
  std::set<std::uint32_t> present_;  // in the last pass
};

}  // namespace

// Owns its folder.
class Backups::Session {
 public:
  Session(std::string id, std::string folder, TimestampUs now_us)
      : used_at_us(now_us), id_(std::move(id)), folder_(std::move(folder)) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() {
    std::error_code error;
    fs::remove_all(folder_, error);
    if (error) log::warn("backup_not_removed", {{"backup", std::string_view(id_)}});
  }
  const std::string& id() const { return id_; }
  const std::string& folder() const { return folder_; }

  std::map<std::string, std::uint64_t> sizes;  // of its items; complete before others see the session
  std::atomic<TimestampUs> used_at_us;

 private:
  const std::string id_;
  const std::string folder_;
};

Backups::Backups(meta::Store& store, cas::ContentStore& content, std::string folder)
    : store_(store), content_(content), folder_(std::move(folder)) {}

Result<std::unique_ptr<Backups>> Backups::open(meta::Store& store, cas::ContentStore& content) {
  const auto root = fs::path(content.packs().packs_dir()).parent_path().string();
  std::unique_ptr<Backups> backups(new Backups(store, content, root + "/backup"));
  std::error_code error;
  fs::remove_all(backups->folder_, error);
  MLOPS_TRY(content.packs().env().make_dir(backups->folder_));
  backups->watcher_ = std::thread([raw = backups.get()] {
    std::unique_lock lock(raw->mutex_);
    while (!raw->wake_.wait_for(lock, kLookEvery, [raw] { return raw->stopping_; })) {
      lock.unlock();
      raw->end_idle();
      lock.lock();
    }
  });
  return backups;
}

Backups::~Backups() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (watcher_.joinable()) watcher_.join();
}

Status Backups::check_continues(const AuditHead& head) {
  audit::Filter filter;
  filter.after_seq = head.entries - 1;
  filter.limit = 1;
  MLOPS_ASSIGN(const auto entries, store_.read<std::vector<Json>>([&](sql::Connection& connection) {
    return audit::list_entries(connection, filter);
  }));
  const bool continues = !entries.empty() && entries.front().value("seq", std::int64_t{0}) == head.entries &&
                         entries.front().value("hash", "") == head.hash;
  if (continues) return {};
  return fail(ErrorCode::kConflict, "backup_diverged",
              fmt::format("the audit log does not have entry {} as that backup knows it", head.entries),
              "the backup is of another database, or this one was set back since: back up to a new file");
}

Result<BackupState> Backups::start(const meta::Actor& actor, const std::optional<AuditHead>& continues) {
  end_idle();
  if (continues) MLOPS_TRY(check_continues(*continues));
  MLOPS_TRY(content_.packs().check_space());
  BackupState state;
  state.id = new_id(store_.clock());
  MLOPS_TRY(store_.write<bool>(actor, meta::Commit::kKeep, [&](meta::WriteTx& tx) -> Result<bool> {
    tx.begin_entry("backup.create", state.id);
    return true;
  }));
  auto session = std::make_shared<Session>(state.id, folder_ + "/" + state.id, store_.clock().now_us());
  MLOPS_TRY(content_.packs().env().make_dir(session->folder()));
  MLOPS_TRY(fill(*session, state));
  for (const auto& item : state.items) session->sizes[item.name] = item.size_bytes;
  session->used_at_us = store_.clock().now_us();
  add(std::move(session));
  return state;
}

Status Backups::fill(Session& session, BackupState& state) {
  Pins pins(content_.packs(), session.folder());
  MLOPS_TRY(pins.take_all());
  const auto database = session.folder() + "/" + kDatabaseItem;
  state.at_us = store_.clock().now_us();
  MLOPS_TRY(store_.copy_into(database));
  MLOPS_TRY(pins.take_all());
  MLOPS_TRY(pins.settle());
  MLOPS_ASSIGN(auto item, describe_database(database, state.audit));
  state.items.push_back(std::move(item));
  MLOPS_ASSIGN(auto packs, pins.items());
  std::move(packs.begin(), packs.end(), std::back_inserter(state.items));
  return {};
}

Result<BackupItem> Backups::describe_database(const std::string& file, AuditHead& audit) {
  {
    MLOPS_ASSIGN(const auto copy, sql::Connection::open(file, sql::OpenMode::kReader));
    MLOPS_ASSIGN(const auto log, audit::AuditLog::open(*copy));
    audit = {log.mark().seq, log.mark().hash};
  }
  MLOPS_ASSIGN(const auto opened, content_.packs().env().open_readable(file));
  crypto::Hasher hasher;
  std::vector<std::uint8_t> buffer(kReadBytes);
  BackupItem item{kDatabaseItem, 0, std::nullopt, std::nullopt};
  while (true) {
    MLOPS_ASSIGN(const auto got, opened->read_at(item.size_bytes, buffer));
    if (got == 0) break;
    hasher.update(ByteView(buffer).first(got));
    item.size_bytes += got;
  }
  item.digest = hasher.finish();
  return item;
}

void Backups::add(std::shared_ptr<Session> session) {
  std::shared_ptr<Session> oldest;  // gone after the lock
  std::lock_guard lock(mutex_);
  if (sessions_.size() >= kSessionsMax) {
    const auto found = std::min_element(sessions_.begin(), sessions_.end(), [](const auto& a, const auto& b) {
      return a.second->used_at_us.load() < b.second->used_at_us.load();
    });
    oldest = std::move(found->second);
    sessions_.erase(found);
  }
  sessions_.emplace(session->id(), std::move(session));
}

std::shared_ptr<Backups::Session> Backups::find(const std::string& id) {
  std::lock_guard lock(mutex_);
  const auto found = sessions_.find(id);
  return found == sessions_.end() ? nullptr : found->second;
}

void Backups::end_idle() {
  std::vector<std::shared_ptr<Session>> idle;  // gone after the lock
  const auto before_us = store_.clock().now_us() - kIdleLimitUs;
  std::lock_guard lock(mutex_);
  for (auto it = sessions_.begin(); it != sessions_.end();) {
    const bool is_idle = it->second->used_at_us.load() < before_us;
    if (is_idle) idle.push_back(it->second);
    it = is_idle ? sessions_.erase(it) : std::next(it);
  }
}

Result<std::unique_ptr<Backups::ItemReader>> Backups::open_item(const std::string& id, const std::string& name) {
  auto session = find(id);
  if (!session) {
    return fail(ErrorCode::kNotFound, "backup_not_found", "there is no such backup under way",
                "it ended, or was idle too long: start again, what was fetched stays");
  }
  const auto size = session->sizes.find(name);
  if (size == session->sizes.end()) {
    return fail(ErrorCode::kNotFound, "item_not_found", "the backup has no item of that name");
  }
  auto reader = std::make_unique<ItemReader>();
  // The name is one of our own list here, not a client's text.
  MLOPS_ASSIGN(reader->file_, content_.packs().env().open_readable(session->folder() + "/" + size->first));
  reader->size_bytes_ = size->second;
  reader->clock_ = &store_.clock();
  session->used_at_us = store_.clock().now_us();
  reader->session_ = std::move(session);
  return reader;
}

Result<std::size_t> Backups::ItemReader::read_at(std::uint64_t offset, std::span<std::uint8_t> into) const {
  session_->used_at_us = clock_->now_us();
  return file_->read_at(offset, into);
}

Status Backups::end(const std::string& id) {
  std::shared_ptr<Session> session;  // gone after the lock
  std::lock_guard lock(mutex_);
  const auto found = sessions_.find(id);
  if (found == sessions_.end())
    return fail(ErrorCode::kNotFound, "backup_not_found", "there is no such backup under way");
  session = std::move(found->second);
  sessions_.erase(found);
  return {};
}

void Backups::end_all() {
  std::map<std::string, std::shared_ptr<Session>> ended;  // gone after the lock
  std::lock_guard lock(mutex_);
  ended.swap(sessions_);
}

}  // namespace mlops::domain
