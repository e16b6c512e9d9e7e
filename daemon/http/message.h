// Requests and responses as handlers see them: validated, bounded, decoded. No Beast type leaves the listener.
//
// Ownership: a Request lives for one handler call. Thread-safety: one thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/model/principal.h"

namespace mlops::http {

enum class Method { kGet, kHead, kPost, kPut, kPatch, kDelete };
std::string_view to_word(Method method);                        // "GET"
std::optional<Method> method_from_word(std::string_view word);  // exact case; nullopt for any other

// A request body that is read as it arrives, with back-pressure to the peer.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  // Blocks for the next bytes; 0 at the end. Errors: kTimeout "slow_body", kExhausted "body_too_large",
  // kInvalid "bad_body", kUnavailable "peer_gone".
  virtual Result<std::size_t> read(std::span<std::uint8_t> into) = 0;
};

// A response body that is produced while it is sent.
class BodySource {
 public:
  virtual ~BodySource() = default;
  virtual std::uint64_t size_bytes() const = 0;
  // Fills up to into.size() bytes; 0 only at the end. An error cuts the connection.
  virtual Result<std::size_t> read(std::span<std::uint8_t> into) = 0;
};

// An answer without an end of its own: what it has to say is sent as it comes, until the peer leaves, the server stops
// or next() fails. Between two pieces nothing waits for it: no thread, no timer.
class EventSource {
 public:
  virtual ~EventSource() = default;
  // Whether next() would give something. Asked every Listener::kTickMs on an I/O thread: microseconds, no waiting.
  virtual bool is_due() = 0;
  // What is to be sent now; empty: nothing. On a thread for streams.
  virtual Result<std::string> next() = 0;
};

struct Request {
  Method method = Method::kGet;
  std::string path;                            // raw, as received, without the query
  std::vector<std::string> params;             // the decoded {…} segments of the route, in order
  std::map<std::string, std::string> query;    // decoded; a repeated key is refused before
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;                            // routes with BodyMode::kBuffered
  BodyReader* stream = nullptr;                // routes with BodyMode::kStreamed
  model::Origin origin;
  model::Principal principal;  // filled when the route needs a token

  std::string_view query_or(const std::string& key, std::string_view fallback) const;
  // The body as a JSON object. Errors: kInvalid; 415 is answered before for another content type.
  Result<Json> json() const;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::unique_ptr<BodySource> source;   // instead of body
  std::unique_ptr<EventSource> events;  // instead of both, with status 200

  static Response json(int status, const Json& value);
};

// problem+json of an error (docs/format/wire.md).
Response problem(const Error& error, std::string_view request_id);

}  // namespace mlops::http
