// A file system in memory that knows what was synced, and can say what a power cut or a kill would leave of it.
//
//   file data   durable by sync() of the file, as far as it was written then
//   names       durable by sync_dir() of their directory
//   lost pages  a sync that was made to fail drops what was dirty: the process still reads it, the disk never gets it,
//   and
//               the next sync succeeds (what Linux does)
//
// Files are only ever appended to, so a file's durable image is a prefix. Thread-safety: thread-safe; the hook runs in
// the calling thread, without a lock. Units: bytes.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/base/env.h"

namespace mlops::test {

enum class Cut {
  kKilled,        // only the process died: everything written is there
  kDropAll,       // nothing unsynced survived; every directory is as it was synced last
  kNamesSurvive,  // all names, of the data only what was synced
  kZeros,         // all names and lengths, zeros where data was not synced
  kRandom         // names up to some point in time, any length, some unsynced pages
};
inline constexpr Cut kAllCuts[] = {Cut::kKilled, Cut::kDropAll, Cut::kNamesSurvive, Cut::kZeros, Cut::kRandom};

class PowerCutEnv : public Env {
 public:
  explicit PowerCutEnv(const Clock& clock) : clock_(clock) {
    now_["/"];
    strict_["/"];
    commit();
  }

  // Called before every call that changes or syncs something, with its name.
  void before_change(std::function<void(const char*)> hook) { hook_ = std::move(hook); }
  // The n-th file sync from now on fails and loses its pages (from 1; 0: none).
  void lose_sync(int n) { syncs_to_loss_ = n; }
  int syncs_to_loss() const { return syncs_to_loss_; }

  // The file system after the cut, a new one that works. A killed process leaves unsynced what is unsynced.
  std::unique_ptr<PowerCutEnv> after(Cut cut, std::uint64_t seed = 0) const {
    std::lock_guard lock(mutex_);
    std::mt19937_64 random(seed);
    auto left = std::make_unique<PowerCutEnv>(clock_);
    std::map<const Inode*, std::shared_ptr<Inode>> copies;
    const auto copy = [&](const Inode& inode) {
      auto& made = copies[&inode];
      if (!made) made = std::make_shared<Inode>(cut == Cut::kKilled ? inode : whole(image(inode, cut, random), inode));
      return made;
    };
    const auto& tree = cut == Cut::kDropAll  ? strict_
                       : cut == Cut::kRandom ? history_[random() % history_.size()]
                                             : now_;
    left->now_ = reachable(tree, copy);
    left->strict_ = cut == Cut::kKilled ? reachable(strict_, copy) : left->now_;
    left->commit();
    return left;
  }

  // The content of a file, to damage it; nullptr: there is none.
  std::string* content(const std::string& path) {
    std::lock_guard lock(mutex_);
    const auto inode = find(path);
    return inode ? &inode->bytes : nullptr;
  }

  Result<std::unique_ptr<WritableFile>> create_exclusive(const std::string& path, int = 0600) override {
    called("create_exclusive");
    std::lock_guard lock(mutex_);
    MLOPS_ASSIGN(auto* names, names_of(path));
    auto [entry, is_new] = names->emplace(name_of(path), nullptr);
    if (!is_new) return exists(path);
    entry->second = std::make_shared<Inode>();
    entry->second->modified_at_us = clock_.now_us();
    changed();
    return std::unique_ptr<WritableFile>(std::make_unique<Writer>(*this, entry->second));
  }
  Result<std::unique_ptr<WritableFile>> open_append(const std::string& path) override {
    called("open_append");
    std::lock_guard lock(mutex_);
    auto inode = find(path);
    if (!inode) return missing(path);
    return std::unique_ptr<WritableFile>(std::make_unique<Writer>(*this, std::move(inode)));
  }
  Result<std::unique_ptr<ReadableFile>> open_readable(const std::string& path) override {
    std::lock_guard lock(mutex_);
    auto inode = find(path);
    if (!inode) return missing(path);
    return std::unique_ptr<ReadableFile>(std::make_unique<Reader>(*this, std::move(inode)));
  }
  Status rename_no_replace(const std::string& from, const std::string& to) override { return rename(from, to, false); }
  Status rename_replace(const std::string& from, const std::string& to) override { return rename(from, to, true); }
  Status remove(const std::string& path) override {
    called("remove");
    std::lock_guard lock(mutex_);
    if (!find(path)) return missing(path);
    now_[dir_of(path)].erase(name_of(path));
    changed();
    return {};
  }
  Status make_dir(const std::string& path, int = 0700) override {
    called("make_dir");
    std::lock_guard lock(mutex_);
    MLOPS_ASSIGN(auto* names, names_of(path));
    if (now_.contains(path)) return {};
    if (!names->emplace(name_of(path), nullptr).second) return exists(path);
    now_[path];
    strict_[path].clear();
    changed();
    return {};
  }
  Status remove_dir(const std::string& path) override {
    called("remove_dir");
    std::lock_guard lock(mutex_);
    const auto dir = now_.find(path);
    if (dir == now_.end()) return missing(path);
    if (!dir->second.empty()) return exists(path);
    now_.erase(dir);
    now_[dir_of(path)].erase(name_of(path));
    changed();
    return {};
  }
  Status sync_dir(const std::string& path) override {
    called("sync_dir");
    std::lock_guard lock(mutex_);
    const auto dir = now_.find(path);
    if (dir == now_.end()) return missing(path);
    strict_[path] = dir->second;
    commit();
    return {};
  }
  Result<std::vector<std::string>> list_dir(const std::string& path) override {
    std::lock_guard lock(mutex_);
    const auto dir = now_.find(path);
    if (dir == now_.end()) return missing(path);
    std::vector<std::string> names;
    for (const auto& entry : dir->second) names.push_back(entry.first);
    return names;
  }
  Result<std::uint64_t> file_size_bytes(const std::string& path) override {
    std::lock_guard lock(mutex_);
    const auto inode = find(path);
    if (!inode) return missing(path);
    return inode->bytes.size();
  }
  Result<TimestampUs> file_modified_at_us(const std::string& path) override {
    std::lock_guard lock(mutex_);
    const auto inode = find(path);
    if (!inode) return missing(path);
    return inode->modified_at_us;
  }
  Status forget_cached(const std::string& path) override {
    called("forget_cached");
    std::lock_guard lock(mutex_);
    const auto inode = find(path);
    if (!inode) return missing(path);
    for (const auto& [begin, end] : inode->lost) std::fill_n(inode->bytes.begin() + begin, end - begin, '\0');
    return {};
  }

 private:
  static constexpr std::size_t kPage = 4096;

  struct Inode {
    std::string bytes;
    std::size_t durable = 0;                                // everything before it was synced
    std::vector<std::pair<std::size_t, std::size_t>> lost;  // or, of these ranges, was dropped by a failed sync
    TimestampUs modified_at_us = 0;
  };
  using Names = std::map<std::string, std::shared_ptr<Inode>>;  // null: a directory
  using Tree = std::map<std::string, Names>;                    // by path

  class Writer : public WritableFile {
   public:
    Writer(PowerCutEnv& env, std::shared_ptr<Inode> inode) : env_(env), inode_(std::move(inode)) {}
    Status append(ByteView bytes) override {
      env_.called("append");
      std::lock_guard lock(env_.mutex_);
      inode_->bytes.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      inode_->modified_at_us = env_.clock_.now_us();
      return {};
    }
    Status sync() override {
      env_.called("sync");
      std::lock_guard lock(env_.mutex_);
      const bool is_lost = env_.syncs_to_loss_ > 0 && --env_.syncs_to_loss_ == 0;
      if (is_lost) inode_->lost.emplace_back(inode_->durable, inode_->bytes.size());
      inode_->durable = inode_->bytes.size();
      if (is_lost) return fail(ErrorCode::kUnavailable, "io_error", "made to fail: sync");
      return {};
    }
    Status close() override { return {}; }

   private:
    PowerCutEnv& env_;
    const std::shared_ptr<Inode> inode_;
  };

  class Reader : public ReadableFile {
   public:
    Reader(PowerCutEnv& env, std::shared_ptr<Inode> inode)
        : env_(env), inode_(std::move(inode)), size_bytes_(inode_->bytes.size()) {}
    std::uint64_t size_bytes() const override { return size_bytes_; }
    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> into) const override {
      std::lock_guard lock(env_.mutex_);
      const auto& bytes = inode_->bytes;
      if (offset >= bytes.size()) return std::size_t{0};
      const auto got = std::min<std::size_t>(into.size(), bytes.size() - offset);
      bytes.copy(reinterpret_cast<char*>(into.data()), got, offset);
      return got;
    }

   private:
    PowerCutEnv& env_;
    const std::shared_ptr<Inode> inode_;
    const std::uint64_t size_bytes_;
  };

  static std::string dir_of(const std::string& path) {
    return path.substr(0, std::max<std::size_t>(path.rfind('/'), 1));
  }
  static std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }
  static Failure missing(const std::string& path) { return fail(ErrorCode::kNotFound, "file_not_found", "no " + path); }
  static Failure exists(const std::string& path) { return fail(ErrorCode::kAlreadyExists, "file_exists", path); }

  void called(const char* what) const {
    if (hook_) hook_(what);
  }
  // After every change of names: a random cut may come back to any of these.
  void changed() { history_.push_back(now_); }
  // A synced directory takes everything before it along, as the journal of a file system does.
  void commit() { history_.assign(1, now_); }

  Result<Names*> names_of(const std::string& path) {
    const auto dir = now_.find(dir_of(path));
    if (dir == now_.end()) return missing(path);
    return &dir->second;
  }
  std::shared_ptr<Inode> find(const std::string& path) const {
    const auto dir = now_.find(dir_of(path));
    if (dir == now_.end()) return nullptr;
    const auto entry = dir->second.find(name_of(path));
    return entry == dir->second.end() ? nullptr : entry->second;
  }

  Status rename(const std::string& from, const std::string& to, bool replaces) {
    called("rename");
    std::lock_guard lock(mutex_);
    const auto inode = find(from);
    if (!inode) return missing(from);
    MLOPS_ASSIGN(auto* names, names_of(to));
    if (names->contains(name_of(to)) && !(replaces && (*names)[name_of(to)])) return exists(to);
    now_[dir_of(from)].erase(name_of(from));
    (*names)[name_of(to)] = inode;
    changed();
    return {};
  }

  template <class CopyInode>
  static Tree reachable(const Tree& from, const CopyInode& copy, const std::string& dir = "/") {
    Tree tree;
    tree[dir];
    const auto names = from.find(dir);
    if (names == from.end()) return tree;
    for (const auto& [name, inode] : names->second) {
      tree[dir][name] = inode ? copy(*inode) : nullptr;
      if (!inode) tree.merge(reachable(from, copy, dir == "/" ? dir + name : dir + "/" + name));
    }
    return tree;
  }

  // After a power cut what is there is there for good.
  static Inode whole(std::string bytes, const Inode& inode) {
    Inode left{std::move(bytes), 0, {}, inode.modified_at_us};
    left.durable = left.bytes.size();
    return left;
  }

  static std::string image(const Inode& inode, Cut cut, std::mt19937_64& random) {
    if (cut == Cut::kKilled) return inode.bytes;
    auto bytes = inode.bytes;
    const auto clear = [&](std::size_t begin, std::size_t end) {
      end = std::min(end, bytes.size());
      if (begin < end)
        std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(begin), bytes.begin() + static_cast<std::ptrdiff_t>(end),
                  '\0');
    };
    if (cut == Cut::kDropAll || cut == Cut::kNamesSurvive) bytes.resize(inode.durable);
    if (cut == Cut::kZeros) clear(inode.durable, bytes.size());
    if (cut == Cut::kRandom && inode.durable < bytes.size()) {
      const auto kind = random() % 3;
      if (kind == 0) bytes.resize(inode.durable + random() % (bytes.size() - inode.durable + 1));
      for (auto page = inode.durable / kPage; page * kPage < bytes.size(); ++page) {
        if (random() % 2 == 0) clear(std::max(inode.durable, page * kPage), (page + 1) * kPage);
      }
    }
    for (const auto& [begin, end] : inode.lost) clear(begin, end);
    return bytes;
  }

  const Clock& clock_;
  std::function<void(const char*)> hook_;
  mutable std::mutex mutex_;
  Tree now_;
  Tree strict_;                // each directory as it was synced last
  std::vector<Tree> history_;  // since the last synced directory, the first: as of then
  int syncs_to_loss_ = 0;
};

}  // namespace mlops::test
