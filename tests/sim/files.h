// Small files that share chunks and nodes, made once for all simulations. Thread-safety: read only.
#pragma once

#include <string>
#include <vector>

#include "core/crypto/digest.h"

namespace mlops::sim {

struct SimFile {
  struct Chunk {
    crypto::Digest digest;
    std::size_t begin = 0;
    std::size_t size = 0;
  };
  struct Leaf {  // a node of level 0
    crypto::Digest digest;
    std::size_t begin = 0;  // chunk
    std::size_t end = 0;
  };
  std::string_view bytes_of(const Chunk& chunk) const {
    return std::string_view(content).substr(chunk.begin, chunk.size);
  }

  std::string content;
  crypto::Digest digest;
  std::vector<Chunk> chunks;
  std::vector<Leaf> leaves;
};

// Different files, the same ones every time.
const std::vector<SimFile>& all_files();

}  // namespace mlops::sim
