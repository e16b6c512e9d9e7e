// Whether the bytes of a file are the right ones, told while they pass by in order.
//
// Two ways: by the SHA-256 of the whole file, which the version's digest proves but which one core computes at about 2
// GB/s, whatever the number of cores; or by those of its chunks, as the server lists them for a file that it has hashed
// whole (docs/adr/0011). Thread-safety: one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/crypto/digest.h"
#include "storage/cas/recipe.h"

namespace mlops::cli {

class ContentCheck {
 public:
  virtual ~ContentCheck() = default;
  virtual void take(ByteView bytes) = 0;
  // Whether it was all and all of it was right. REQUIRES: called once, nothing after it.
  virtual bool finish() = 0;
  // For messages: the digest that was expected.
  virtual std::string expected() const = 0;
};

std::unique_ptr<ContentCheck> check_whole(const crypto::Digest& file);
// REQUIRES: `chunks` outlives it; every take() gets whole chunks.
std::unique_ptr<ContentCheck> check_chunks(const crypto::Digest& file, const std::vector<cas::RecipeEntry>& chunks);

}  // namespace mlops::cli
