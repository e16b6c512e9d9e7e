#include "policies/engine/part_runner.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

namespace mlops::policy {
namespace {

constexpr std::size_t kMostWorkers = 8;
constexpr std::size_t kPartsPerWorker = 2;  // in memory

Result<std::string> run_one(const data::RecordParts& parts, const PartWork& work, std::size_t worker,
                            const data::RecordPart& part) {
  MLOPS_ASSIGN(const auto reader, parts.open(part));
  return work.run(worker, part, *reader);
}

// Parts on their way: given in order, worked on by whoever is free, taken in order.
class Belt {
 public:
  Belt(const data::RecordParts& parts, const PartWork& work) : parts_(parts), work_(work) {}
  ~Belt() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    given_.notify_all();
    for (auto& thread : threads_) thread.join();
  }

  Status start(std::size_t workers) {
    for (std::size_t i = 0; i < workers; ++i) {
      try {
        threads_.emplace_back([this, i] { serve(i); });
      } catch (const std::system_error& error) {
        if (threads_.empty())
          return fail(ErrorCode::kUnavailable, "no_thread", "no thread can be started", error.what());
        return {};
      }
    }
    return {};
  }

  std::size_t size() const { return slots_.size(); }
  // The bytes of a part that was worked on; none when there is none yet.
  std::string spare() {
    const std::lock_guard lock(mutex_);
    if (spare_.empty()) return {};
    auto bytes = std::move(spare_.back());
    spare_.pop_back();
    return bytes;
  }
  void give(data::RecordPart part) {
    const std::lock_guard lock(mutex_);
    slots_.push_back({std::move(part), std::nullopt, false});
    given_.notify_one();
  }
  // Waits for the earliest part. REQUIRES: size() > 0.
  Result<std::string> take() {
    std::unique_lock lock(mutex_);
    done_.wait(lock, [&] { return slots_.front().result.has_value(); });
    auto result = std::move(*slots_.front().result);
    slots_.pop_front();
    return result;
  }

 private:
  struct Slot {
    data::RecordPart part;
    std::optional<Result<std::string>> result;
    bool begun = false;
  };

  // The earliest part nobody works on; nullptr when the belt stops. Slots of a deque do not move.
  Slot* next_slot() {
    std::unique_lock lock(mutex_);
    Slot* found = nullptr;
    given_.wait(lock, [&] {
      const auto free = std::find_if(slots_.begin(), slots_.end(), [](const Slot& slot) { return !slot.begun; });
      found = free == slots_.end() ? nullptr : &*free;
      return stopped_ || found;
    });
    if (stopped_) return nullptr;
    found->begun = true;
    return found;
  }

  void serve(std::size_t worker) {
    while (Slot* slot = next_slot()) {
      auto result = run_one(parts_, work_, worker, slot->part);
      const std::lock_guard lock(mutex_);
      slot->result = std::move(result);
      spare_.push_back(std::move(slot->part.bytes));
      if (slot == &slots_.front()) done_.notify_one();
    }
  }

  const data::RecordParts& parts_;
  const PartWork& work_;
  std::mutex mutex_;
  std::condition_variable given_;  // to workers
  std::condition_variable done_;   // the earliest part, to who takes it
  std::deque<Slot> slots_;
  std::vector<std::string> spare_;  // no more of them than parts were on their way at once
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

Status take_one(Belt& belt, const PartWork& work) {
  MLOPS_ASSIGN(auto result, belt.take());
  return work.take(std::move(result));
}

}  // namespace

std::size_t part_workers() {
  // Asked once: the C library reads a file for it.
  static const auto kWorkers = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, kMostWorkers);
  return kWorkers;
}

Status run_parts(data::RecordParts& parts, const PartWork& work) {
  MLOPS_ASSIGN(auto first, parts.next());
  if (!first) return {};
  auto second = parts.next();
  if (!second || !*second) {
    MLOPS_ASSIGN(auto result, run_one(parts, work, 0, *first));
    if (!second) return fail(second.error());
    return work.take(std::move(result));
  }
  Belt belt(parts, work);
  MLOPS_TRY(belt.start(part_workers()));
  belt.give(std::move(*first));
  belt.give(std::move(**second));
  while (true) {
    auto part = parts.next(belt.spare());
    if (part && *part) {
      belt.give(std::move(**part));
      if (belt.size() > part_workers() * kPartsPerWorker) MLOPS_TRY(take_one(belt, work));
      continue;
    }
    while (belt.size() > 0) MLOPS_TRY(take_one(belt, work));
    return part ? Status() : Status(fail(part.error()));
  }
}

}  // namespace mlops::policy
