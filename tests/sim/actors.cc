#include "tests/sim/actors.h"

#include <algorithm>

#include "storage/cas/check.h"
#include "storage/cas/collection.h"
#include "storage/cas/ingest.h"

namespace mlops::sim {
namespace {

constexpr int kTries = 4;

bool may_try_again(const Error& error) {
  return error.slug == "object_missing" || error.slug == "store_changed" || error.slug == "cut_off";
}

class Push : public Actor {
 public:
  Push(const SimFile& file, cas::OwnerTag owner) : file_(file), owner_(owner) {}

  bool needs_writer() const override { return stage_ == Stage::kRegister; }

  bool step(Simulation& simulation) override {
    switch (stage_) {
      case Stage::kAsk:
        ask(simulation);
        return true;
      case Stage::kSend:
        return send(simulation);
      case Stage::kRegister:
        if (simulation.register_file(file_, owner_)) return false;
        return again();
    }
    return false;
  }

 private:
  enum class Stage { kAsk, kSend, kRegister };

  bool again() {
    stage_ = Stage::kAsk;
    return ++tries_ < kTries;
  }

  void ask(Simulation& simulation) {
    auto& store = simulation.store();
    if (store.has(file_.digest, file_.content.size(), owner_)) {
      store.lease(file_.digest);
      stage_ = Stage::kRegister;
      return;
    }
    test::Stream stream;
    for (const auto& leaf : file_.leaves) {
      if (store.has_object({cas::ObjectKind::kNode, leaf.digest}, owner_)) {
        stream.known_node(leaf.digest);
        continue;
      }
      for (auto i = leaf.begin; i < leaf.end; ++i) {
        const auto& chunk = file_.chunks[i];
        const bool is_here = store.has_object({cas::ObjectKind::kChunk, chunk.digest}, owner_);
        is_here ? stream.known_chunk(chunk.digest) : stream.chunk(file_.bytes_of(chunk));
      }
    }
    is_named_wrong_ = simulation.chance(3);
    stream.end(is_named_wrong_ ? test::sha("another file") : simulation.chance(50) ? file_.digest : crypto::Digest());
    stream_ = stream.bytes();
    cut_at_ = simulation.chance(15) ? simulation.pick(stream_.size()) : SIZE_MAX;
    stage_ = Stage::kSend;
  }

  bool send(Simulation& simulation) {
    const auto faults = simulation.faults();
    std::size_t sent = 0;
    const auto received =
        cas::receive_files(simulation.store(), owner_, [&](std::span<std::uint8_t> into) -> Result<std::size_t> {
          simulation.interleave();
          if (sent >= cut_at_) return fail(ErrorCode::kUnavailable, "cut_off", "the connection broke");
          const auto take = std::min({into.size(), stream_.size() - sent, 1 + simulation.pick(20'000)});
          std::copy_n(stream_.begin() + static_cast<std::ptrdiff_t>(sent), take, into.begin());
          sent += take;
          return take;
        });
    if (received) {
      if (is_named_wrong_) simulation.fail("a file was accepted under another file's name");
      const bool was_told = received->files.empty() || received->files[0].digest == file_.digest;
      if (!was_told || received->file_count != 1) simulation.fail("a push was told another digest");
      stage_ = Stage::kRegister;
      return true;
    }
    if (is_named_wrong_ && received.error().slug == "digest_mismatch") return again();
    if (!may_try_again(received.error()) && simulation.faults() == faults) {
      simulation.fail("a push failed: " + received.error().message);
    }
    return again();
  }

  const SimFile& file_;
  const cas::OwnerTag owner_;
  Stage stage_ = Stage::kAsk;
  std::string stream_;
  std::size_t cut_at_ = SIZE_MAX;
  bool is_named_wrong_ = false;
  int tries_ = 0;
};

class PlainUpload : public Actor {
 public:
  PlainUpload(const SimFile& file, cas::OwnerTag owner) : file_(file), owner_(owner) {}

  bool needs_writer() const override { return is_finished_; }

  bool step(Simulation& simulation) override {
    if (is_finished_) {
      if (simulation.register_file(file_, owner_)) return false;
      return again();
    }
    const auto faults = simulation.faults();
    if (!upload_) {
      auto started = simulation.store().start_upload(owner_);
      if (!started) return excused(simulation, started.error(), faults);
      upload_.emplace(std::move(*started));
      return true;
    }
    const auto rest = std::string_view(file_.content).substr(sent_);
    if (!rest.empty()) {
      const auto piece = rest.substr(0, 1 + simulation.pick(rest.size()));
      auto appended = upload_->append(as_bytes(piece));
      if (!appended) return excused(simulation, appended.error(), faults);
      sent_ += piece.size();
      return true;
    }
    const auto stored = upload_->finish(simulation.chance(50) ? std::optional(file_.digest) : std::nullopt);
    if (!stored) return excused(simulation, stored.error(), faults);
    if (stored->digest != file_.digest) simulation.fail("an upload was told another digest");
    is_finished_ = true;
    return true;
  }

 private:
  bool again() {
    upload_.reset();
    sent_ = 0;
    is_finished_ = false;
    return ++tries_ < kTries;
  }
  bool excused(Simulation& simulation, const Error& error, std::uint64_t faults) {
    if (!may_try_again(error) && simulation.faults() == faults) simulation.fail("an upload failed: " + error.message);
    return again();
  }

  const SimFile& file_;
  const cas::OwnerTag owner_;
  std::optional<cas::Upload> upload_;
  std::size_t sent_ = 0;
  bool is_finished_ = false;
  int tries_ = 0;
};

class Pull : public Actor {
 public:
  explicit Pull(const SimFile& file) : file_(file) {}

  bool step(Simulation& simulation) override {
    const auto faults = simulation.faults();
    if (!reader_) {
      registration_ = simulation.registration(file_);
      auto opened = simulation.store().open_blob(file_.digest);
      if (!opened) return missed(simulation, opened.error(), faults);
      reader_ = std::move(*opened);
      return true;
    }
    buffer_.resize(1 + simulation.pick(4000));
    const auto got = reader_->read_at(offset_, buffer_);
    if (!got) return missed(simulation, got.error(), faults);
    const auto wanted = std::string_view(file_.content).substr(offset_, *got);
    if (!std::equal(wanted.begin(), wanted.end(), reinterpret_cast<const char*>(buffer_.data()))) {
      simulation.fail("a pull was given wrong bytes");
    }
    offset_ += *got;
    return *got > 0 && offset_ < file_.content.size();
  }

 private:
  // False: it ends here. A file that was deleted meanwhile need not be there any more.
  bool missed(Simulation& simulation, const Error& error, std::uint64_t faults) const {
    const bool must_be_here = registration_ != 0 && simulation.registration(file_) == registration_;
    if (must_be_here && simulation.faults() == faults) simulation.fail("a pull failed: " + error.message);
    return false;
  }

  const SimFile& file_;
  std::uint64_t registration_ = 0;
  std::unique_ptr<blob::BlobReader> reader_;
  std::vector<std::uint8_t> buffer_;
  std::size_t offset_ = 0;
};

class Collect : public Actor {
 public:
  explicit Collect(std::int64_t min_age_us) : min_age_us_(min_age_us) {}

  bool needs_writer() const override { return stage_ == Stage::kCondemn; }

  bool step(Simulation& simulation) override {
    simulation.set_interleaves_reads(true);
    const bool goes_on = step_on(simulation);
    simulation.set_interleaves_reads(false);
    simulation.set_collecting(goes_on);
    return goes_on;
  }

 private:
  enum class Stage { kStart, kKeep, kPlan, kCondemn, kMove };

  bool step_on(Simulation& simulation) {
    const auto faults = simulation.faults();
    switch (stage_) {
      case Stage::kStart: {
        auto started = cas::Collection::start(simulation.store(), min_age_us_);
        if (!started) return false;
        collection_ = std::move(*started);
        snapshot_ = simulation.registered();
        stage_ = Stage::kKeep;
        return true;
      }
      case Stage::kKeep:
        for (std::size_t i = 0; i < 3 && !snapshot_.empty(); ++i) {
          const auto* file = snapshot_.back();
          snapshot_.pop_back();
          if (!keep(simulation, *file, faults)) return false;
        }
        if (snapshot_.empty()) stage_ = Stage::kPlan;
        return true;
      case Stage::kPlan:
        if (simulation.chance(50)) (void)collection_->summary();
        stage_ = Stage::kCondemn;
        return !simulation.chance(10);  // only a plan
      case Stage::kCondemn: {
        const Simulation::Writer writer(simulation);
        for (const auto* file : simulation.registered()) {
          if (!keep(simulation, *file, faults)) return false;
        }
        collection_->condemn();
        stage_ = Stage::kMove;
        return true;
      }
      case Stage::kMove: {
        const auto moved = collection_->move_to_trash("run");
        const bool is_excused = simulation.faults() != faults || (!moved && moved.error().slug == "store_changed");
        if (!moved && !is_excused) simulation.fail("a collection failed: " + moved.error().message);
        if (moved) simulation.note(fmt::format("moved {} packs, {} objects", moved->packs, moved->removed_objects));
        return false;
      }
    }
    return false;
  }

  // A file that was deleted after the snapshot may be gone; one that is registered may not.
  bool keep(Simulation& simulation, const SimFile& file, std::uint64_t faults) {
    const auto is_here = collection_->keep(file.digest);
    if (is_here && *is_here) return true;
    if (simulation.faults() != faults) return false;
    if (simulation.registration(file) != 0) simulation.fail("a collection does not find what it has to keep");
    return true;
  }

  const std::int64_t min_age_us_;
  Stage stage_ = Stage::kStart;
  std::unique_ptr<cas::Collection> collection_;
  std::vector<const SimFile*> snapshot_;
};

class Check : public Actor {
 public:
  bool step(Simulation& simulation) override {
    const auto faults = simulation.faults();
    simulation.set_interleaves_reads(true);
    const auto report = cas::check_packs(simulation.store(), {});
    simulation.set_interleaves_reads(false);
    if (!report && simulation.faults() == faults) simulation.fail("a check failed: " + report.error().message);
    if (report && !report->problems.empty()) {
      simulation.fail("a check found " + report->problems[0].object + ": " + report->problems[0].problem);
    }
    return false;
  }
};

}  // namespace

std::unique_ptr<Actor> make_push(const SimFile& file, cas::OwnerTag owner) {
  return std::make_unique<Push>(file, owner);
}
std::unique_ptr<Actor> make_upload(const SimFile& file, cas::OwnerTag owner) {
  return std::make_unique<PlainUpload>(file, owner);
}
std::unique_ptr<Actor> make_pull(const SimFile& file) {
  return std::make_unique<Pull>(file);
}
std::unique_ptr<Actor> make_collection(std::int64_t min_age_us) {
  return std::make_unique<Collect>(min_age_us);
}
std::unique_ptr<Actor> make_check() {
  return std::make_unique<Check>();
}

}  // namespace mlops::sim
