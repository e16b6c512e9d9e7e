// A life of a store in a few hundred calls of its Env: pushes that share chunks, a broken and a resumed one, restarts,
// a collection that copies, its undoing, another one, a sweep. Every step goes on when something fails; what was
// acknowledged and registered is remembered, and can be compared with what a store holds. Thread-safety: none.
#pragma once

#include <map>
#include <set>
#include <string>

#include "tests/unit/storage/cas/cas_box.h"

namespace mlops::test {

class StoreScenario {
 public:
  StoreScenario(Env& env, FakeClock& clock) : env_(env), clock_(clock) {}

  // False: the store could not be opened even when tried again.
  bool run() {
    if (!open()) return false;
    const auto a = file(0, 30);
    const auto b = file(15, 45);
    push(a);
    push(b);
    upload(random_bytes(500, 3000));
    if (!kill_and_restart()) return false;
    const auto d = file(60, 100);
    push_part(d);
    push(d);
    registered_.erase(sha(a.content));
    const auto run_name = collect(file(120, 130));
    if (!restart()) return false;
    if (!run_name.empty() && cas::restore_trash(*store_, run_name)) register_if_here(sha(a.content), a.content.size());
    if (!kill_and_restart()) return false;
    registered_.erase(sha(b.content));
    collect(file(140, 150));
    push(b);
    clock_.advance_us(kSecondUs);
    (void)cas::sweep_trash(*store_, clock_.now_us());
    store_.reset();
    return true;
  }

  const std::set<crypto::Digest>& registered() const { return registered_; }

  // What a store on that disk lacks of what it must hold, or holds wrongly, now or after a power cut later; empty:
  // nothing.
  std::string verdict(PowerCutEnv& disk) const {
    auto found = verdict_now(disk);
    if (!found.empty()) return found;
    found = verdict_now(*disk.after(Cut::kDropAll));
    return found.empty() ? found : "later " + found;
  }

 private:
  static constexpr std::uint64_t kPackLimit = 4096;

  std::string verdict_now(PowerCutEnv& disk) const {
    auto opened = cas::ContentStore::open(store_options(kPackLimit), disk, clock_);
    if (!opened) return "does not open: " + opened.error().message;
    auto& store = **opened;
    const auto report = cas::check_packs(store, {});
    if (!report) return "check: " + report.error().message;
    if (!report->problems.empty()) return report->problems[0].object + ": " + report->problems[0].problem;
    for (const auto& [digest, content] : contents_) {
      const bool is_here = store.has(digest, content.size());
      if (!is_here && registered_.contains(digest)) return fmt::format("lost: a file of {} bytes", content.size());
      if (!is_here) continue;
      const auto got = read_blob(store, digest);
      if (!got || *got != content) return fmt::format("wrong: a file of {} bytes", content.size());
    }
    // It goes on, and what it takes now is durable.
    const auto more = std::to_string(contents_.size());
    const auto stored = put(store, more);
    if (!stored) return "takes nothing more: " + stored.error().message;
    const auto left = disk.after(Cut::kDropAll);
    auto again = cas::ContentStore::open(store_options(kPackLimit), *left, clock_);
    return again && (*again)->has(stored->digest, more.size()) ? "" : "does not keep what it takes now";
  }

  struct File {
    std::vector<std::string> chunks;
    std::string content;
  };
  static File file(unsigned begin, unsigned end) {
    File file;
    for (unsigned i = begin; i < end; ++i) {
      file.chunks.push_back(random_bytes(i, 100));
      file.content += file.chunks.back();
    }
    return file;
  }

  bool open() {
    for (int i = 0; i < 3 && !store_; ++i) {
      auto opened = cas::ContentStore::open(store_options(kPackLimit), env_, clock_);
      if (opened) store_ = std::move(*opened);
    }
    return store_ != nullptr;
  }
  bool restart() {
    store_.reset();
    return open();
  }

  // The process is killed: what its end would write is not written.
  bool kill_and_restart() {
    env_.fail_when([](const std::string&) { return true; });
    store_.reset();
    env_.fail_when(nullptr);
    return open();
  }

  // As the registry does it: only what is here at that moment.
  void register_if_here(const crypto::Digest& digest, std::size_t size) {
    if (store_->has(digest, size)) registered_.insert(digest);
  }

  // As a client does: asks what is there, sends the rest; tries again when told to.
  void push(const File& file) {
    contents_[sha(file.content)] = file.content;
    for (int i = 0; i < 3; ++i) {
      Stream stream;
      for (const auto& chunk : file.chunks) {
        const bool is_here = store_->has_object({cas::ObjectKind::kChunk, sha(chunk)}, cas::kEveryone);
        is_here ? stream.known_chunk(sha(chunk)) : stream.chunk(chunk);
      }
      if (!receive(*store_, stream.end(sha(file.content)).bytes())) continue;
      register_if_here(sha(file.content), file.content.size());
      return;
    }
  }
  void push_part(const File& file) {
    Stream stream;
    for (const auto& chunk : file.chunks) stream.chunk(chunk);
    (void)receive(*store_, stream.bytes().substr(0, stream.bytes().size() * 2 / 3));
  }
  void upload(const std::string& content) {
    contents_[sha(content)] = content;
    for (int i = 0; i < 3; ++i) {
      if (!put(*store_, content)) continue;
      register_if_here(sha(content), content.size());
      return;
    }
  }

  // With a push before the writer's part and one after it. The trash directory's name comes back.
  std::string collect(const File& pushed) {
    clock_.advance_us(kSecondUs);
    auto collection = cas::Collection::start(*store_, 0);
    if (!collection) return "";
    const auto keep_all = [&] {
      for (const auto& digest : registered_) {
        if (!(*collection)->keep(digest)) return false;
      }
      return true;
    };
    if (!keep_all()) return "";
    push(pushed);
    if (!keep_all()) return "";
    (*collection)->condemn();
    auto moved = (*collection)->move_to_trash("run");
    upload("written after the collection " + std::to_string(clock_.now_us()));
    return moved ? moved->trash_dir : "";
  }

  FaultEnv env_;
  FakeClock& clock_;
  std::unique_ptr<cas::ContentStore> store_;
  std::map<crypto::Digest, std::string> contents_;  // everything that was ever sent as a whole
  std::set<crypto::Digest> registered_;
};

}  // namespace mlops::test
