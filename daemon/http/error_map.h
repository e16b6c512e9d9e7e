// Errors → HTTP: the status of a code and slug, and the problem+json body (docs/format/wire.md).
//
// Thread-safety: pure functions over constant tables.
#pragma once

#include <string_view>

#include "core/base/error.h"

namespace mlops::http {

// The status of an error; a slug with a row of its own wins over the row of its code. Total.
int status_of(const Error& error);

// "Not Found"; "Unknown" for a status this server never sends.
std::string_view reason_phrase(int status);

}  // namespace mlops::http
