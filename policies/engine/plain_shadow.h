// A text as it is searched for a row's own identifiers. Private to policies/engine. Thread-safety: values.
#pragma once

#include <optional>
#include <string_view>

#include "policies/detect/fold.h"

namespace mlops::policy {

// The text, or its plain shadow (policies/detect/fold.h, capitals of other alphabets made small) where Unicode may hide
// something in it. The text outlives it.
class PlainShadow {
 public:
  explicit PlainShadow(std::string_view text);
  std::string_view text() const { return folded_ ? std::string_view(folded_->text) : text_; }
  // Leads from a place in text() to the bytes behind it. REQUIRES: begin < end.
  void to_original(std::size_t& begin, std::size_t& end) const;

 private:
  std::string_view text_;
  std::optional<detect::Folded> folded_;
};

}  // namespace mlops::policy
