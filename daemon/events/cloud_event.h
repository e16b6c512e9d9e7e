// An event as CloudEvents 1.0 (docs/events.md), in JSON and over HTTP in structured or binary mode.
//
// The same event gives the same bytes whenever it is sent. Thread-safety: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/net/http_client.h"
#include "storage/meta/events.h"

namespace mlops::events {

enum class Mode { kStructured, kBinary };
std::string_view to_word(Mode mode);
std::optional<Mode> mode_from_word(std::string_view word);

// "mlops.release.promote.v1".
std::string type_of(const meta::Event& event);
// The event whole, with its data. REQUIRES: it is complete (meta::complete).
Json cloud_event(const meta::Event& event, std::string_view source);

struct Message {
  std::string content_type;
  std::string body;
  net::HttpHeaders headers;
};
Message message_of(const meta::Event& event, std::string_view source, Mode mode);

// A header's value of binary mode: space, '"', '%' and all but visible ASCII as %XX of their UTF-8.
std::string header_text(std::string_view text);

}  // namespace mlops::events
