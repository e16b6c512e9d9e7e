// The layers of a cell: bounded, and inside the cell.
#include "policies/data/decode.h"
#include "policies/data/utf8.h"
#include "tests/fuzz/fuzz.h"

using namespace mlops;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  const data::DecodeLimits limits{.max_depth = 3, .max_bytes = 64u << 10};
  const auto decoded = data::decode_layers(text, limits);
  std::size_t bytes = 0;
  for (const auto& layer : decoded.layers) {
    bytes += layer.text.size();
    fuzz::must(layer.depth >= 1 && layer.depth <= limits.max_depth, "depth is bounded");
    fuzz::must(layer.begin < layer.end && layer.end <= size, "a layer is of a part of the cell");
  }
  fuzz::must(bytes <= limits.max_bytes && decoded.layers.size() <= limits.max_layers, "layers are bounded");
  fuzz::must(data::may_hold_layers(text) || (decoded.layers.empty() && !decoded.refused),
             "the cheap look misses nothing");
  return 0;
}
