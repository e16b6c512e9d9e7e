#include "cli/cmd/guessed_cuts.h"

#include <cstring>

#include "core/crypto/digest_batch.h"
#include "storage/cas/chunker.h"

namespace mlops::cli {
namespace {

// Hashed side by side. More would be hashed in vain where a change begins.
constexpr std::size_t kAtOnce = 8;
constexpr std::size_t kHopeless = 256;
// Of so many groups of right guesses, one is compared with the rule.
constexpr std::size_t kLookedAt = 8;

std::vector<crypto::Digest> digests_of(const std::vector<ByteView>& views) {
  std::vector<crypto::Digest> digests(views.size());
  crypto::sha256_batch(views, digests);
  return digests;
}

}  // namespace

std::size_t GuessedCuts::HashDigest::operator()(const crypto::Digest& digest) const {
  std::size_t hash = 0;
  std::memcpy(&hash, digest.bytes().data(), sizeof hash);
  return hash;
}

GuessedCuts::GuessedCuts(const std::vector<cas::RecipeEntry>& older) : older_(older), expected_(0) {
  places_.reserve(older.size());
  for (std::size_t i = 0; i < older.size(); ++i) places_.try_emplace(older[i].digest, i);
}

bool GuessedCuts::is_hopeless() const {
  return unknown_ >= kHopeless || !is_by_rule_;
}

std::vector<cas::RecipeEntry> GuessedCuts::next(ByteView bytes, Behind behind) {
  std::vector<cas::RecipeEntry> chunks;
  auto guessed = guess(bytes, behind);
  const auto digests = digests_of(guessed);
  const bool is_hit = !guessed.empty() && digests.front() == older_[expected_].digest;
  if (is_hit && hits_++ % kLookedAt == 0) is_by_rule_ = cas::cut_chunk(bytes) == guessed.front().size();
  if (!is_by_rule_) guessed.clear();
  for (std::size_t i = 0; i < guessed.size() && digests[i] == older_[expected_].digest; ++i, ++expected_) {
    chunks.push_back({digests[i], guessed[i].size()});
  }
  if (!chunks.empty()) {
    unknown_ = 0;
    return chunks;
  }
  const auto cuts = cut(bytes, behind);
  const auto found = digests_of(cuts);
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    const auto place = places_.find(found[i]);
    const bool is_known = place != places_.end();
    expected_ = is_known ? place->second + 1 : older_.size();
    unknown_ = is_known ? 0 : unknown_ + 1;
    chunks.push_back({found[i], cuts[i].size()});
  }
  return chunks;
}

std::vector<ByteView> GuessedCuts::guess(ByteView bytes, Behind behind) const {
  std::vector<ByteView> views;
  for (auto i = is_by_rule_ ? expected_ : older_.size(); i < older_.size() && views.size() < kAtOnce; ++i) {
    const auto size = older_[i].size_bytes;
    if (size == 0 || size > bytes.size()) break;
    // Where the older file ended there need not be a cut, unless this one ends there too.
    const bool ends_here = behind == Behind::kNothing && size == bytes.size();
    if (i + 1 == older_.size() && !ends_here) break;
    views.push_back(bytes.first(size));
    bytes = bytes.subspan(size);
  }
  return views;
}

std::vector<ByteView> GuessedCuts::cut(ByteView bytes, Behind behind) const {
  std::vector<ByteView> views;
  const std::size_t least = behind == Behind::kNothing ? 1 : cas::kChunkMaxBytes;
  while (bytes.size() >= least && views.size() < kAtOnce / 2) {
    views.push_back(bytes.first(cas::cut_chunk(bytes)));
    bytes = bytes.subspan(views.back().size());
  }
  return views;
}

}  // namespace mlops::cli
