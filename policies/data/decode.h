// What a cell says once its encodings are taken off: base64 (also base64url, in lines, inside text), gzip and zlib in
// it, percent and quoted-printable, HTML entities, JSON. Every layer is text to be scanned like the cell itself.
//
// Bounded: depth, bytes of all layers together, the growth of what is inflated, the number of layers. What goes beyond,
// or is a container that cannot be looked into (ZIP, PDF, pictures, other compressions), is `refused`: the cell cannot
// be read whole, and must be treated as holding something. An ordinary cell costs one look at each of its bytes.
// Thread-safety: free function without state. Source: RFC 4648, 1950, 1952, 3986, 2045 section 6.7, 8259; HTML 5.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mlops::data {

enum class LayerKind { kBase64, kGzip, kZlib, kPercent, kQuotedPrintable, kEntities, kJson };

struct Layer {
  LayerKind kind = LayerKind::kBase64;
  std::string text;       // UTF-8; of JSON a line "key: value" a value
  std::size_t depth = 1;  // encodings taken off
  std::size_t begin = 0;  // the bytes of the cell that it was made of
  std::size_t end = 0;
};

struct DecodeLimits {
  std::size_t max_depth = 4;
  std::size_t max_ratio = 100;  // inflated to deflated bytes, beyond the first 4 KiB
  std::size_t max_bytes = 16u << 20;
  std::size_t max_layers = 64;
};

struct Decoded {
  std::vector<Layer> layers;
  bool refused = false;
};

Decoded decode_layers(std::string_view text, const DecodeLimits& limits = {});

// False: decode_layers would find nothing. Cheap.
bool may_hold_layers(std::string_view text);

// "base64", "gzip", "zlib", "percent", "quoted-printable", "entities", "json"; total.
std::string_view to_word(LayerKind kind);

}  // namespace mlops::data
