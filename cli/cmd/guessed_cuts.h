// Cuts a file that is mostly an older one: where the older one was cut, this one is too, as long as the chunks are the
// same, which their digests tell. So what is unchanged is hashed only, not looked through for cuts.
//
// A chunk's end depends on its own bytes alone, except that of a file's last one: the same bytes at the same beginning
// have the same end. The result is therefore that of cut_chunk when the older file was cut by it; whether it was is
// looked at now and then, and all guessing ends when it was not. Thread-safety: one thread.
#pragma once

#include <unordered_map>
#include <vector>

#include "core/base/bytes.h"
#include "storage/cas/recipe.h"

namespace mlops::cli {

class GuessedCuts {
 public:
  enum class Behind { kMore, kNothing };

  // REQUIRES: `older`, the older file's chunks, outlives this.
  explicit GuessedCuts(const std::vector<cas::RecipeEntry>& older);

  // Chunks from the beginning of `bytes`, as far as they can be told; none when more bytes are needed. `behind`: what
  // follows `bytes` in the file.
  std::vector<cas::RecipeEntry> next(ByteView bytes, Behind behind);
  // For long, nothing was as in the older file, or that was cut otherwise: guessing costs more than it saves.
  bool is_hopeless() const;

 private:
  std::vector<ByteView> guess(ByteView bytes, Behind behind) const;
  std::vector<ByteView> cut(ByteView bytes, Behind behind) const;

  const std::vector<cas::RecipeEntry>& older_;
  struct HashDigest {
    std::size_t operator()(const crypto::Digest& digest) const;
  };
  std::unordered_map<crypto::Digest, std::size_t, HashDigest> places_;  // in older_
  std::size_t expected_;     // of older_, that should come next; its size: nothing is expected
  std::size_t unknown_ = 0;  // chunks since the last one of the older file
  std::size_t hits_ = 0;     // groups of which the first was right
  bool is_by_rule_ = true;   // the older file's cuts, as far as looked
};

}  // namespace mlops::cli
