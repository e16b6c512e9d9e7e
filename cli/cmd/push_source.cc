#include "cli/cmd/push_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "core/base/env.h"
#include "core/base/text.h"
#include "core/crypto/digest_batch.h"
#include "storage/cas/chunker.h"

namespace mlops::cli {
namespace {

constexpr std::uint64_t kSmallBytes = 1u << 20;
constexpr std::size_t kSmallFiles = 512;  // of one unit
constexpr std::size_t kPieceBytes = 256u << 10;
constexpr std::size_t kGuessedPieceBytes = 1u << 20;

void hash_chunks(PushUnit& unit) {
  const auto chunks = std::span(unit.chunks).subspan(unit.hashed_chunks);
  std::vector<ByteView> views;
  views.reserve(chunks.size());
  for (const auto& chunk : chunks) views.push_back(unit.bytes_of(chunk));
  std::vector<crypto::Digest> digests(views.size());
  crypto::sha256_batch(views, digests);
  for (std::size_t i = 0; i < digests.size(); ++i) chunks[i].digest = digests[i];
}

// Reads on from one file or from memory.
class InputReader {
 public:
  static Result<InputReader> open(const PushInput& input) {
    InputReader reader(input);
    if (input.memory) return reader;
    MLOPS_ASSIGN(reader.file_, posix_env().open_readable(input.source));
    if (reader.file_->size_bytes() != input.size_bytes) return file_changed(input);
    return reader;
  }

  // Exactly that many, or the file has changed.
  Status read(std::span<std::uint8_t> into) {
    if (input_->memory) {
      std::memcpy(into.data(), input_->memory->data() + offset_, into.size());
    } else {
      MLOPS_ASSIGN(const auto got, file_->read_at(offset_, into));
      if (got != into.size()) return file_changed(*input_);
    }
    offset_ += into.size();
    return {};
  }
  std::uint64_t left() const { return input_->size_bytes - offset_; }

 private:
  explicit InputReader(const PushInput& input) : input_(&input) {}
  const PushInput* input_;
  std::unique_ptr<ReadableFile> file_;
  std::uint64_t offset_ = 0;
};

}  // namespace

Failure file_changed(const PushInput& input) {
  return fail(ErrorCode::kConflict, "file_changed", fmt::format("{} changed while it was read", printable(input.path)),
              "register it again once nothing writes to it");
}

struct PushSource::Slot {
  std::shared_ptr<PushUnit> unit;
  Status status;
  bool is_ready = false;
};

// Held by every unit too, so that one may outlive the source.
struct PushSource::Gate {
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t alive = 0;
  std::vector<RawBytes> spare;
  bool is_closed = false;
};

PushSource::PushSource(const std::vector<PushInput>& inputs, ThreadPool& workers)
    : inputs_(inputs), workers_(workers), gate_(std::make_shared<Gate>()), reader_([this] { read_all(); }) {}

PushSource::~PushSource() {
  {
    const std::lock_guard lock(gate_->mutex);
    gate_->is_closed = true;
  }
  gate_->changed.notify_all();
  reader_.join();
  // Workers still refer to this while they have work of it.
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] {
    return std::all_of(slots_.begin(), slots_.end(), [](const auto& slot) { return slot->is_ready; });
  });
}

std::shared_ptr<PushUnit> PushSource::new_unit() {
  std::unique_lock lock(gate_->mutex);
  gate_->changed.wait(lock, [this] { return gate_->is_closed || gate_->alive < kUnits; });
  if (gate_->is_closed) return nullptr;
  ++gate_->alive;
  auto unit = std::make_unique<PushUnit>();
  if (!gate_->spare.empty()) {
    unit->bytes = std::move(gate_->spare.back());
    gate_->spare.pop_back();
  }
  // Its memory goes round: fresh pages for each unit would cost as much as reading into them.
  return {unit.release(), [gate = gate_](PushUnit* done) {
            {
              const std::lock_guard inner(gate->mutex);
              gate->spare.push_back(std::move(done->bytes));
              --gate->alive;
            }
            delete done;
            gate->changed.notify_all();
          }};
}

// False when nobody wants more.
bool PushSource::hand_out(std::shared_ptr<PushUnit> unit, std::function<Status(PushUnit&)> work) {
  auto slot = std::make_shared<Slot>();
  slot->unit = std::move(unit);
  {
    const std::lock_guard lock(mutex_);
    slots_.push_back(slot);
  }
  const auto job = [this, slot, work = std::move(work)] {
    auto status = work(*slot->unit);
    if (status) hash_chunks(*slot->unit);
    // Told under the lock: the source may be gone as soon as it is released.
    const std::lock_guard lock(mutex_);
    slot->status = std::move(status);
    slot->is_ready = true;
    changed_.notify_all();
  };
  if (!workers_.try_post(job)) job();
  return true;
}

void PushSource::read_all() {
  std::size_t at = 0;
  Status status;
  while (status && at < inputs_.size()) {
    if (inputs_[at].size_bytes > kSmallBytes) {
      status = read_large(at++);
      continue;
    }
    std::vector<std::size_t> small;
    at = gather_small(at, small);
    auto unit = new_unit();
    if (!unit) break;
    hand_out(std::move(unit), [this, small = std::move(small)](PushUnit& into) { return read_small(small, into); });
  }
  end(std::move(status));
}

void PushSource::end(Status status) {
  const std::lock_guard lock(mutex_);
  is_ended_ = true;
  ended_with_ = std::move(status);
  changed_.notify_all();
}

std::size_t PushSource::gather_small(std::size_t from, std::vector<std::size_t>& inputs) const {
  std::uint64_t bytes = 0;
  while (from < inputs_.size() && inputs_[from].size_bytes <= kSmallBytes && inputs.size() < kSmallFiles) {
    if (!inputs.empty() && bytes + inputs_[from].size_bytes > kUnitBytes) break;
    bytes += inputs_[from].size_bytes;
    inputs.push_back(from++);
  }
  return from;
}

Status PushSource::read_small(const std::vector<std::size_t>& inputs, PushUnit& unit) const {
  std::size_t total = 0;
  for (const auto i : inputs) total += inputs_[i].size_bytes;
  unit.bytes.resize(total);
  std::size_t begin = 0;
  for (const auto i : inputs) {
    const auto size = static_cast<std::size_t>(inputs_[i].size_bytes);
    MLOPS_ASSIGN(auto reader, InputReader::open(inputs_[i]));
    MLOPS_TRY(reader.read(std::span(unit.bytes).subspan(begin, size)));
    std::size_t done = 0;
    do {
      const auto cut = cas::cut_chunk(ByteView(unit.bytes).subspan(begin + done, size - done));
      unit.chunks.push_back({i, begin + done, cut, {}, done == 0, done + cut == size});
      done += cut;
    } while (done < size);
    begin += size;
  }
  return {};
}

// Cuts a large file, unit by unit.
class PushSource::Cutter {
 public:
  Cutter(const PushInput& input, std::size_t index) : index_(index) {
    if (input.older_chunks) older_ = input.older_chunks();
    if (!older_.empty()) guessed_.emplace(older_);
  }

  // Bytes to read before cutting goes on, so that what is cut is still in the processor's cache; guesses are hashed
  // several at a time.
  std::size_t piece_bytes() const { return guessed_ ? kGuessedPieceBytes : kPieceBytes; }

  // Cuts the unit's bytes from `begin` to `end` as far as possible; returns the end of the last chunk.
  std::size_t cut(PushUnit& unit, std::size_t begin, std::size_t end, GuessedCuts::Behind behind) {
    while (guessed_) {
      const auto chunks = guessed_->next(ByteView(unit.bytes).subspan(begin, end - begin), behind);
      if (chunks.empty()) return begin;
      for (const auto& chunk : chunks) {
        add(unit, begin, chunk.size_bytes, chunk.digest);
        begin += chunk.size_bytes;
      }
      unit.hashed_chunks = unit.chunks.size();
      if (guessed_->is_hopeless()) guessed_.reset();
    }
    const std::size_t least = behind == GuessedCuts::Behind::kNothing ? 1 : cas::kChunkMaxBytes;
    while (end - begin >= least) {
      const auto size = cas::cut_chunk(ByteView(unit.bytes).subspan(begin, end - begin));
      add(unit, begin, size, {});
      begin += size;
    }
    return begin;
  }

 private:
  void add(PushUnit& unit, std::size_t begin, std::size_t size, const crypto::Digest& digest) {
    unit.chunks.push_back({index_, begin, size, digest, is_first_, false});
    is_first_ = false;
  }

  const std::size_t index_;
  std::vector<cas::RecipeEntry> older_;
  std::optional<GuessedCuts> guessed_;
  bool is_first_ = true;
};

// One window after the other; what is left behind the last cut begins the next.
Status PushSource::read_large(std::size_t input) {
  MLOPS_ASSIGN(auto reader, InputReader::open(inputs_[input]));
  Cutter cutter(inputs_[input], input);
  std::vector<std::uint8_t> rest;
  while (reader.left() > 0 || !rest.empty()) {
    auto unit = new_unit();
    if (!unit) return {};
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(reader.left(), kUnitBytes - rest.size()));
    unit->bytes.resize(rest.size() + wanted);
    std::memcpy(unit->bytes.data(), rest.data(), rest.size());
    std::size_t read = rest.size();
    std::size_t done = 0;
    do {
      const auto piece = std::min(unit->bytes.size() - read, cutter.piece_bytes());
      MLOPS_TRY(reader.read(std::span(unit->bytes).subspan(read, piece)));
      read += piece;
      done = cutter.cut(*unit, done, read,
                        reader.left() == 0 ? GuessedCuts::Behind::kNothing : GuessedCuts::Behind::kMore);
    } while (read < unit->bytes.size());
    rest.assign(unit->bytes.begin() + static_cast<std::ptrdiff_t>(done), unit->bytes.end());
    if (reader.left() == 0) unit->chunks.back().is_last = true;
    hand_out(std::move(unit), [](PushUnit&) { return Status{}; });
  }
  return {};
}

Result<std::shared_ptr<const PushUnit>> PushSource::next() {
  std::shared_ptr<Slot> slot;
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !slots_.empty() ? slots_.front()->is_ready : is_ended_; });
    if (slots_.empty()) {
      MLOPS_TRY(std::move(ended_with_));
      return std::shared_ptr<const PushUnit>();
    }
    slot = std::move(slots_.front());
    slots_.pop_front();
  }
  MLOPS_TRY(std::move(slot->status));
  return std::shared_ptr<const PushUnit>(std::move(slot->unit));
}

}  // namespace mlops::cli
