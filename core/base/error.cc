#include "core/base/error.h"

#include <array>
#include <utility>

namespace mlops {
namespace {

constexpr std::array<std::pair<ErrorCode, std::string_view>, 12> kWords{{
    {ErrorCode::kInvalid, "invalid"},
    {ErrorCode::kNotFound, "not_found"},
    {ErrorCode::kAlreadyExists, "already_exists"},
    {ErrorCode::kConflict, "conflict"},
    {ErrorCode::kDenied, "denied"},
    {ErrorCode::kUnauthenticated, "unauthenticated"},
    {ErrorCode::kRefused, "refused"},
    {ErrorCode::kUnavailable, "unavailable"},
    {ErrorCode::kTimeout, "timeout"},
    {ErrorCode::kCorrupt, "corrupt"},
    {ErrorCode::kExhausted, "exhausted"},
    {ErrorCode::kInternal, "internal"},
}};

}  // namespace

std::string_view to_word(ErrorCode code) {
  return kWords[static_cast<std::size_t>(code)].second;
}

ErrorCode error_code_from_word(std::string_view word) {
  for (const auto& [code, name] : kWords) {
    if (name == word) return code;
  }
  return ErrorCode::kInternal;
}

}  // namespace mlops
