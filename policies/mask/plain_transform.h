// Private to policies/mask: a transform whose result follows from the cell alone, so that equal cells of a batch are
// masked once. Thread-safety: immutable, as every transform.
#pragma once

#include <string>
#include <string_view>

#include "policies/mask/transform.h"

namespace mlops::mask {

class PlainTransform : public Transform {
 public:
  virtual void append(std::string_view cell, std::string& out) const = 0;

  bool gains_by_batch() const override { return true; }
  Result<std::string> apply(std::string_view cell, const CellContext&) const override {
    std::string out;
    append(cell, out);
    return out;
  }
  Status append_batch(std::span<const std::string_view> cells, const ColumnKey&, Texts& out) const override {
    out.clear();
    for (const auto cell : cells) {
      append(cell, out.bytes());
      out.end();
    }
    return {};
  }
};

}  // namespace mlops::mask
