// The bytes of a response head. Private to daemon/http. Thread-safety: pure but for a per-thread cache of the date.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/http/admission.h"
#include "daemon/http/message.h"

namespace mlops::http {

// True when every header of the response is one line of visible text, so that no stored string can end a head early.
bool is_well_formed(const Response& response);

// 1xx, 204 and 304 have neither a body nor a length.
bool may_have_body(int status);

// Of a body without an end that is known: it travels in chunks.
inline constexpr std::uint64_t kUnknownLength = ~std::uint64_t{0};

// Appends the head with the closing empty line. REQUIRES: is_well_formed(response).
void append_head(std::string& out, const Response& response, std::uint64_t content_length, std::string_view request_id,
                 AfterAnswer after);

}  // namespace mlops::http
