// The text form of a token secret: prefix, random part, checksum. Pure but for randomness.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"

namespace mlops::domain {

Result<std::string> new_token_secret();
// Prefix, length, alphabet and checksum are right; says nothing about whether it was ever issued.
bool looks_like_token(std::string_view secret);

}  // namespace mlops::domain
