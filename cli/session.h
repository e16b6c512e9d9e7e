// What a command's function works with: its parsed words, the server, and the two streams.
//
// stdout is for data (print_*), stderr for talk (say, warn). Thread-safety: main thread only.
#pragma once

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"
#include "core/base/bytes.h"
#include "core/base/json.h"
#include "core/base/result.h"

namespace mlops::cli {

class ApiClient;

// A column of a table: heading, the JSON pointer or a function that gives the cell, and whether only `-o wide` shows
// it.
struct Column {
  std::string heading;
  std::function<std::string(const Json&)> cell;
  bool wide_only = false;
  bool align_right = false;
};

enum class Tone { kPlain, kGood, kBad, kWarn, kDim, kBold };

class Session {
 public:
  virtual ~Session() = default;

  // Words as parsed. operand(i): "" when absent. REQUIRES of option(): the command declares it.
  virtual std::string operand(std::size_t index) const = 0;
  virtual std::vector<std::string> operands_from(std::size_t index) const = 0;
  virtual std::optional<std::string> option(std::string_view name) const = 0;
  virtual std::vector<std::string> option_all(std::string_view name) const = 0;
  virtual bool flag(std::string_view name) const = 0;
  virtual bool dry_run() const = 0;
  // "&as_of=…"-ready RFC 3339 time of --as-of, normalised on the client ("2h ago", "yesterday", a date); "" when
  // absent.
  virtual std::string as_of() const = 0;
  // Likewise of --known-at: what was recorded by then.
  virtual std::string known_at() const { return {}; }

  virtual ApiClient& api() = 0;
  // Where this person's files of mlopsctl are; "" when there is no such place.
  virtual std::string config_dir() const { return {}; }

  virtual bool wants_json() const = 0;  // -o json or yaml: print_value alone is enough
  virtual bool stdout_is_tty() const = 0;
  virtual bool stderr_is_tty() const = 0;
  virtual bool quiet() const { return false; }  // --quiet: no talk, no progress
  // Colour when stdout is a colour TTY and NO_COLOR is unset; the text unchanged otherwise. What comes back is for the
  // print and say functions and table cells only: they alone turn its marks into terminal sequences (cli/paint.h).
  virtual std::string paint(Tone tone, std::string_view text) const = 0;

  // The answer as -o json|yaml, or by `human` (table/wide), or -o name by `name`.
  virtual void print_list(const Json& items, const std::vector<Column>& columns,
                          const std::function<std::string(const Json&)>& name, std::string_view when_empty) = 0;
  virtual void print_value(const Json& value, const std::function<void()>& human,
                           const std::function<std::string()>& name) = 0;
  virtual void print_line(std::string_view line) = 0;  // stdout, terminal-safe
  virtual void say(std::string_view line) = 0;         // stderr, a sentence for the person
  virtual void warn(std::string_view line) = 0;
  // Prints the error (problem+json on stderr under -o json) and gives its exit code.
  virtual int fail(const Error& error) = 0;
};

// Calls of the native API (docs/format/wire.md). Errors carry the server's code, slug, message, hint and facts
// (detail).
class ApiClient {
 public:
  virtual ~ApiClient() = default;
  virtual Result<Json> get(const std::string& path_and_query) = 0;
  virtual Result<Json> post(const std::string& path, const Json& body) = 0;
  virtual Result<Json> put(const std::string& path, const Json& body) = 0;
  virtual Result<Json> del(const std::string& path, const Json& body) = 0;
  // Any method, body and answer as they are (for `api`).
  struct Raw {
    int status = 0;
    std::string content_type;
    std::string body;
  };
  virtual Result<Raw> raw(const std::string& method, const std::string& path, const std::string& body) = 0;
  // Bytes to and from the store's routes (docs/format/push.md).
  virtual Result<std::string> post_bytes(const std::string& path, std::string_view body) = 0;
  virtual Result<std::string> get_bytes(const std::string& path) = 0;
  // A body in pieces. Of unknown size, an empty piece ends it; of a known one no more are asked for than it has.
  static constexpr std::uint64_t kUnknownSize = ~std::uint64_t{0};
  virtual Result<Json> post_stream(const std::string& path, const std::function<Result<ByteView>()>& next,
                                   std::uint64_t size_bytes = kUnknownSize) = 0;
  // The body of the answer goes to `sink` as it comes; it may be of any size.
  virtual Status get_for_stream(const std::string& path, const std::function<Status(ByteView)>& sink) = 0;
  virtual Status post_for_stream(const std::string& path, std::string_view body,
                                 const std::function<Status(ByteView)>& sink) = 0;
  // The same server over a connection of its own, for another thread.
  virtual Result<std::unique_ptr<ApiClient>> another() const = 0;
  virtual std::string server_url() const = 0;
};

// One path segment or query value, percent-encoded.
std::string url_encode(std::string_view text);

}  // namespace mlops::cli
