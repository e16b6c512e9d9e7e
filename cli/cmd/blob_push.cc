#include "cli/cmd/blob_push.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "cli/cmd/ask.h"
#include "cli/cmd/fields.h"
#include "cli/cmd/plain_push.h"
#include "cli/cmd/push_stream.h"
#include "cli/progress.h"
#include "cli/transfer.h"
#include "core/base/env.h"
#include "core/base/text.h"
#include "storage/cas/recipe.h"

namespace mlops::cli {
namespace {

// Bytes that wait for the server's word on what it has.
constexpr std::size_t kAskBytes = 8u << 20;
// What waits holds units, of which the source has few; tiny files fill one with little.
constexpr std::size_t kAskUnits = PushSource::kUnits / 2;
constexpr std::size_t kQueued = 256;
constexpr std::size_t kStreamFiles = 50'000;  // of one stream; the server takes more
constexpr int kTries = 4;

unsigned cores() {
  return std::max(1u, std::thread::hardware_concurrency());
}

class Push {
 public:
  // `done_bytes`: of other files, before these.
  Push(Session& session, const std::vector<PushInput>& inputs, ThreadPool& workers, Progress& progress,
       std::uint64_t done_bytes)
      : session_(session), inputs_(inputs), workers_(workers), progress_(progress), done_bytes_(done_bytes) {
    result_.digests.resize(inputs.size());
  }

  Result<PushResult> run() {
    PushSource source(inputs_, workers_);
    while (true) {
      MLOPS_ASSIGN(auto unit, source.next());
      if (!unit) break;
      for (const auto& chunk : unit->chunks) MLOPS_TRY(take(unit, chunk));
      unit.reset();
      ++waiting_units_;
      if (waiting_bytes_ >= kAskBytes || waiting_units_ >= kAskUnits) {
        // A node is told as one when it can be; only when nothing else waits are its chunks told singly.
        MLOPS_TRY(settle(waiting_bytes_ > open_bytes_));
      }
    }
    MLOPS_TRY(settle(false));
    if (stream_) MLOPS_TRY(finish_stream());
    return std::move(result_);
  }

 private:
  // What waits: a chunk of a long file, a whole file of one chunk, or the end of a long file.
  struct Item {
    enum class Kind { kChunk, kSingle, kEnd };
    Kind kind = Kind::kChunk;
    std::shared_ptr<const PushUnit> unit;
    PushChunk chunk;
    int node = -1;  // of nodes_; -1: of none that is whole
    bool is_here = false;
  };
  struct WaitingNode {
    crypto::Digest digest;
    bool is_here = false;
    bool is_told = false;
  };

  Status take(const std::shared_ptr<const PushUnit>& unit, const PushChunk& chunk) {
    if (chunk.is_first && chunk.is_last) {
      result_.digests[chunk.input] = chunk.digest;
      items_.push_back({Item::Kind::kSingle, unit, chunk, -1, false});
      waiting_bytes_ += chunk.size;
      return {};
    }
    if (chunk.is_first) start_file();
    items_.push_back({Item::Kind::kChunk, unit, chunk, -1, false});
    waiting_bytes_ += chunk.size;
    open_bytes_ += chunk.size;
    MLOPS_TRY(recipe_->add({chunk.digest, chunk.size}));
    if (!chunk.is_last) return {};
    MLOPS_TRY(recipe_->finish());
    recipe_.reset();
    items_.push_back({Item::Kind::kEnd, nullptr, chunk, -1, false});
    open_bytes_ = 0;
    is_open_told_ = false;
    return {};
  }

  void start_file() {
    recipe_.emplace([this](const cas::Node& node, const crypto::Digest& digest, const std::string&) {
      if (node.level == 0) close_node(node, digest);
      return Status{};
    });
  }

  // The node's chunks are the last ones that wait, unless some of them have been told singly.
  void close_node(const cas::Node& node, const crypto::Digest& digest) {
    if (!is_open_told_) {
      const int index = static_cast<int>(nodes_.size());
      nodes_.push_back({digest, false, false});
      for (auto at = items_.end() - static_cast<std::ptrdiff_t>(node.entries.size()); at != items_.end(); ++at) {
        at->node = index;
      }
    }
    is_open_told_ = false;
    open_bytes_ = 0;
  }

  // Asks about what waits and sends what the server lacks. `keep_open`: the chunks of a node that is not complete wait
  // on.
  Status settle(bool keep_open) {
    std::vector<Item> open;
    if (keep_open) {
      auto first = items_.end();
      while (first != items_.begin() && is_open(*(first - 1))) --first;
      open.assign(std::make_move_iterator(first), std::make_move_iterator(items_.end()));
      items_.erase(first, items_.end());
    } else if (open_bytes_ > 0) {
      is_open_told_ = true;
      open_bytes_ = 0;
    }
    MLOPS_TRY(ask());
    for (auto& item : items_) MLOPS_TRY(send(item));
    // Between two files only: the open part of one waits in `open`.
    if (stream_files_ >= kStreamFiles && !recipe_) MLOPS_TRY(finish_stream());
    items_ = std::move(open);
    nodes_.clear();
    waiting_bytes_ = open_bytes_;
    waiting_units_ = 0;
    // A piece of the stream that is not full would hold its units until more comes, which may need them.
    return !stream_ || stream_->flush() ? Status{} : stream_failure();
  }

  static bool is_open(const Item& item) { return item.kind == Item::Kind::kChunk && item.node < 0; }

  Status ask() {
    std::vector<cas::Question> questions;
    for (const auto& node : nodes_) questions.push_back({cas::RecordType::kKnownNode, node.digest, 0});
    for (const auto& item : items_) {
      if (item.kind == Item::Kind::kSingle) {
        questions.push_back({cas::RecordType::kEnd, item.chunk.digest, item.chunk.size});
      }
    }
    MLOPS_ASSIGN(const auto first, ask_server(session_.api(), questions));
    std::size_t at = 0;
    for (auto& node : nodes_) node.is_here = first[at++];
    for (auto& item : items_) {
      if (item.kind == Item::Kind::kSingle) item.is_here = first[at++];
    }
    questions.clear();
    for (const auto& item : items_) {
      if (needs_question(item)) questions.push_back({cas::RecordType::kKnownChunk, item.chunk.digest, 0});
    }
    MLOPS_ASSIGN(const auto second, ask_server(session_.api(), questions));
    at = 0;
    for (auto& item : items_) {
      if (needs_question(item)) item.is_here = second[at++];
    }
    return {};
  }

  bool needs_question(const Item& item) const {
    return item.kind == Item::Kind::kChunk && (item.node < 0 || !nodes_[static_cast<std::size_t>(item.node)].is_here);
  }

  Status send(const Item& item) {
    done_bytes_ += item.kind == Item::Kind::kEnd ? 0 : item.chunk.size;
    switch (item.kind) {
      case Item::Kind::kEnd:
        unnamed_.push_back(item.chunk.input);
        MLOPS_TRY(send_record(cas::RecordType::kEnd, {}));
        break;
      case Item::Kind::kSingle:
        MLOPS_TRY(send_single(item));
        break;
      case Item::Kind::kChunk:
        MLOPS_TRY(send_chunk(item));
        break;
    }
    progress_.note(fmt::format("{}% known", done_bytes_ == 0 ? 0 : result_.known_bytes * 100 / done_bytes_));
    progress_.update(done_bytes_);
    return {};
  }

  Status send_single(const Item& item) {
    if (item.is_here || !sent_.insert(item.chunk.digest).second) {
      result_.known_bytes += item.chunk.size;
      return {};
    }
    ++result_.sent_files;
    MLOPS_TRY(send_new(item));
    return send_record(cas::RecordType::kEnd, item.chunk.digest);
  }

  Status send_chunk(const Item& item) {
    auto* const node = item.node < 0 ? nullptr : &nodes_[static_cast<std::size_t>(item.node)];
    if (node && node->is_here) {
      result_.known_bytes += item.chunk.size;
      if (std::exchange(node->is_told, true)) return {};
      return send_record(cas::RecordType::kKnownNode, node->digest);
    }
    if (item.is_here || !sent_.insert(item.chunk.digest).second) {
      result_.known_bytes += item.chunk.size;
      return send_record(cas::RecordType::kKnownChunk, item.chunk.digest);
    }
    if (counted_ != item.chunk.input) ++result_.sent_files;
    counted_ = item.chunk.input;
    return send_new(item);
  }

  Status send_new(const Item& item) {
    MLOPS_TRY(start_stream());
    return stream_->add_chunk(item.unit, item.chunk) ? Status{} : stream_failure();
  }

  Status send_record(cas::RecordType type, const crypto::Digest& digest) {
    MLOPS_TRY(start_stream());
    if (type == cas::RecordType::kEnd) ++stream_files_;
    return stream_->add_record(type, digest) ? Status{} : stream_failure();
  }

  Status start_stream() {
    if (stream_) return {};
    MLOPS_ASSIGN(auto api, session_.api().another());
    stream_ = std::make_unique<PushStream>(std::move(api), workers_);
    return {};
  }

  Status stream_failure() {
    auto answer = stream_->finish();
    if (!answer) return fail(std::move(answer.error()));
    return fail(ErrorCode::kInternal, "bad_answer", "the server answered before it had everything");
  }

  Status finish_stream() {
    MLOPS_ASSIGN(const auto answer, stream_->finish());
    const auto& files = array_of(answer, "files");
    if (files.size() != unnamed_.size()) {
      return fail(ErrorCode::kInternal, "bad_answer", "the server tells of another number of files than were sent");
    }
    for (std::size_t i = 0; i < unnamed_.size(); ++i) {
      MLOPS_ASSIGN(const auto digest, crypto::Digest::parse(text_of(files[i], "digest")));
      if (static_cast<std::uint64_t>(int_of(files[i], "size_bytes")) != inputs_[unnamed_[i]].size_bytes) {
        return fail(ErrorCode::kCorrupt, "bad_answer", "the server received a file of another size");
      }
      result_.digests[unnamed_[i]] = digest;
    }
    result_.sent_bytes += stream_->sent_bytes();
    result_.stored_bytes += static_cast<std::uint64_t>(int_of(answer, "new_bytes"));
    stream_.reset();
    stream_files_ = 0;
    unnamed_.clear();
    return {};
  }

  Session& session_;
  const std::vector<PushInput>& inputs_;
  ThreadPool& workers_;
  Progress& progress_;
  PushResult result_;
  std::unique_ptr<PushStream> stream_;
  std::size_t stream_files_ = 0;

  std::vector<Item> items_;
  std::vector<WaitingNode> nodes_;
  std::optional<cas::RecipeBuilder> recipe_;  // of the long file being taken
  std::size_t waiting_bytes_ = 0;
  std::size_t waiting_units_ = 0;  // taken since the last question
  std::size_t open_bytes_ = 0;     // of these, chunks of the node that is not complete
  bool is_open_told_ = false;      // some chunks of that node were told singly
  std::set<crypto::Digest> sent_;  // in this stream
  std::vector<std::size_t> unnamed_;
  std::size_t counted_ = ~std::size_t{0};
  std::uint64_t done_bytes_;
};

bool is_worth_another_try(const Error& error) {
  // What the server had and lost meanwhile, and what got lost on the way; what arrived is not sent again.
  return error.slug == "object_missing" || error.slug == "store_changed" || error.slug == "connection_lost" ||
         error.slug == "server_timeout";
}

std::uint64_t total_bytes(const std::vector<PushInput>& inputs) {
  std::uint64_t total = 0;
  for (const auto& input : inputs) total += input.size_bytes;
  return total;
}

// Long new files first, as they are; then all others in chunks.
Result<PushResult> push_once(Session& session, const std::vector<PushInput>& inputs, const PushGuesses& guesses,
                             ThreadPool& workers, Progress& progress) {
  PushResult result;
  result.digests.resize(inputs.size());
  std::vector<PushInput> rest;
  std::vector<std::size_t> rest_at;
  std::uint64_t done_bytes = 0;
  PlainRoute plain(session);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!plain.takes(inputs[i])) {
      rest.push_back(inputs[i]);
      const bool is_worth_guessing = !inputs[i].memory && inputs[i].size_bytes >= guesses.worth_guessing_bytes;
      if (guesses.versions && is_worth_guessing) {
        rest.back().older_chunks = guesses.versions->chunks_later(inputs[i].path, guesses.worth_guessing_bytes);
      }
      rest_at.push_back(i);
      continue;
    }
    MLOPS_ASSIGN(const auto pushed,
                 plain.push(inputs[i], [&](std::uint64_t bytes) { progress.update(done_bytes + bytes); }));
    result.digests[i] = pushed.digest;
    ++result.sent_files;
    result.sent_bytes += inputs[i].size_bytes;
    result.stored_bytes += pushed.stored_bytes;
    done_bytes += inputs[i].size_bytes;
  }
  if (rest.empty()) return result;
  MLOPS_ASSIGN(const auto pushed, Push(session, rest, workers, progress, done_bytes).run());
  for (std::size_t n = 0; n < rest.size(); ++n) result.digests[rest_at[n]] = pushed.digests[n];
  result.sent_files += pushed.sent_files;
  result.sent_bytes += pushed.sent_bytes;
  result.stored_bytes += pushed.stored_bytes;
  result.known_bytes += pushed.known_bytes;
  return result;
}

}  // namespace

Result<PushResult> push_files(Session& session, const std::vector<PushInput>& inputs, const PushGuesses& guesses) {
  ThreadPool workers(cores(), kQueued);
  for (int i = 1;; ++i) {
    Progress progress(session, "pushing", total_bytes(inputs));
    auto pushed = push_once(session, inputs, guesses, workers, progress);
    if (pushed || i == kTries || !is_worth_another_try(pushed.error())) return pushed;
    session.warn(fmt::format("{}; going on where it stopped", pushed.error().message));
    std::this_thread::sleep_for(std::chrono::milliseconds(250) * i);
  }
}

Result<std::vector<std::size_t>> missing_files(Session& session, const std::vector<PushInput>& inputs,
                                               const std::vector<crypto::Digest>& digests) {
  std::vector<cas::Question> questions;
  questions.reserve(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    questions.push_back({cas::RecordType::kEnd, digests[i], inputs[i].size_bytes});
  }
  MLOPS_ASSIGN(const auto answers, ask_server(session.api(), questions));
  std::vector<std::size_t> missing;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (!answers[i]) missing.push_back(i);
  }
  return missing;
}

Result<PushResult> would_push(Session& session, const std::vector<PushInput>& inputs) {
  PushResult result;
  Progress progress(session, "hashing", total_bytes(inputs));
  for (const auto& input : inputs) {
    const auto told = progress.next_file(input.size_bytes);
    MLOPS_ASSIGN(const auto hashed, hash_file(posix_env(), input.source, told));
    result.digests.push_back(hashed.digest);
  }
  MLOPS_ASSIGN(const auto missing, missing_files(session, inputs, result.digests));
  std::set<crypto::Digest> counted;
  for (const auto i : missing) {
    if (!counted.insert(result.digests[i]).second) continue;
    ++result.sent_files;
    result.sent_bytes += inputs[i].size_bytes;
  }
  return result;
}

}  // namespace mlops::cli
