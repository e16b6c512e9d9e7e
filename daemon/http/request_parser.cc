#include "daemon/http/request_parser.h"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <cstring>
#include <limits>

#include "core/base/text.h"

namespace mlops::http {
namespace {

namespace beast_http = boost::beast::http;
using boost::beast::error_code;

// Room for the head (limited by HeadScanner before) and for trailers, which are read and dropped.
constexpr std::uint32_t kParserHeadLimit = 64u << 10;

// Said twice, each of these can mean two things to two readers.
constexpr std::array<std::string_view, 11> kSingleHeaders{
    "host",     "content-length", "transfer-encoding", "content-type", "content-encoding", "authorization", "range",
    "if-range", "expect",         "x-request-id",      "origin"};

bool all_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_visible_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

// Takes the parser's events; the base class owns the state machine.
class Events final : public beast_http::basic_parser<true> {
 public:
  Events() {
    eager(true);
    header_limit(kParserHeadLimit);
    // Bytes are counted by the connection, which knows the route's limit; `none` would refuse every length in
    // Boost 1.74.
    body_limit(std::numeric_limits<std::uint64_t>::max());
  }

  Head head;
  int version = 11;
  std::string repeated_header;
  bool in_head = true;
  std::span<std::uint8_t> into;
  std::size_t produced = 0;
  std::uint64_t chunk_left = 0;

 private:
  using string_view = boost::beast::string_view;
  using field = beast_http::field;

  static std::string_view view(string_view text) { return {text.data(), text.size()}; }

  void on_request_impl(beast_http::verb, string_view method, string_view target, int http_version,
                       error_code&) override {
    head.method = view(method);
    head.target = view(target);
    version = http_version;
  }

  void on_response_impl(int, string_view, int, error_code&) override {}

  void on_field_impl(field, string_view name, string_view value, error_code&) override {
    if (!in_head) return;  // a trailer, in the versions of Beast that do not tell them apart
    auto key = to_lower_ascii(view(name));
    const auto [it, is_new] = head.headers.try_emplace(std::move(key), view(value));
    if (is_new) return;
    if (std::find(kSingleHeaders.begin(), kSingleHeaders.end(), it->first) != kSingleHeaders.end()) {
      repeated_header = it->first;
    }
    it->second.append(", ").append(view(value));
  }

  // Pure virtual from Boost 1.88 on, absent before.
  virtual void on_trailer_field_impl(field, string_view, string_view, error_code&) {}

  void on_header_impl(error_code&) override { in_head = false; }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view, error_code&) override { return 0; }  // read past this parser
  void on_chunk_header_impl(std::uint64_t size, string_view, error_code&) override { chunk_left = size; }

  std::size_t on_chunk_body_impl(std::uint64_t left, string_view body, error_code& error) override {
    const std::size_t count = std::min(body.size(), into.size() - produced);
    const auto* const from = reinterpret_cast<const std::uint8_t*>(body.data());
    if (from != into.data() + produced) std::memcpy(into.data() + produced, from, count);
    chunk_left = left - count;
    produced += count;
    if (produced == into.size()) error = beast_http::error::need_buffer;
    return count;
  }

  void on_finish_impl(error_code&) override {}
};

Failure bad_framing(const char* why) {
  return fail(ErrorCode::kInvalid, "bad_framing", why);
}

Status check_framing(Events& events) {
  Head& head = events.head;
  if (const auto it = head.headers.find("content-length"); it != head.headers.end()) {
    if (!all_digits(it->second)) return bad_framing("Content-Length is not a plain number");
    const auto length = events.content_length();
    if (!length) return bad_framing("Content-Length cannot be read");
    head.content_length = *length;
  }
  if (const auto it = head.headers.find("transfer-encoding"); it != head.headers.end()) {
    if (to_lower_ascii(it->second) != "chunked") return bad_framing("Transfer-Encoding is not exactly 'chunked'");
    if (head.content_length) return bad_framing("both Content-Length and Transfer-Encoding");
    if (events.version < 11) return bad_framing("Transfer-Encoding needs HTTP/1.1");
    head.chunked = true;
  }
  return {};
}

Status check_head(Events& events) {
  const Head& head = events.head;
  if (!events.repeated_header.empty()) {
    return fail(ErrorCode::kInvalid, "bad_head", "the header '" + events.repeated_header + "' is given twice");
  }
  if (head.header("host").empty()) return fail(ErrorCode::kInvalid, "bad_head", "no Host header");
  if (!head.target.starts_with('/') || !is_visible_ascii(head.target) || head.target.find('#') != std::string::npos) {
    return fail(ErrorCode::kInvalid, "bad_target", "the target is not a path of visible ASCII characters");
  }
  return {};
}

}  // namespace

std::string_view Head::header(std::string_view lower_name) const {
  const auto it = headers.find(std::string(lower_name));
  return it == headers.end() ? std::string_view{} : std::string_view(it->second);
}

class RequestParser::Impl {
 public:
  std::optional<Events> events;
};

RequestParser::RequestParser() : impl_(std::make_unique<Impl>()) {}
RequestParser::~RequestParser() = default;

Result<Head> RequestParser::parse_head(std::string_view raw) {
  Events& events = impl_->events.emplace();
  error_code error;
  events.put(boost::asio::buffer(raw.data(), raw.size()), error);
  // With eager on, a head that announces a body ends in need_more: its body is not in `raw`.
  if (error && error != beast_http::error::need_more) {
    const bool framing =
        error == beast_http::error::bad_content_length || error == beast_http::error::bad_transfer_encoding;
    if (framing) return bad_framing("Content-Length and Transfer-Encoding cannot be read together or alone");
    return fail(ErrorCode::kInvalid, "bad_head", "not an HTTP/1.1 request");
  }
  if (!events.is_header_done()) return fail(ErrorCode::kInvalid, "bad_head", "the head is incomplete");
  MLOPS_TRY(check_head(events));
  MLOPS_TRY(check_framing(events));
  Head& head = events.head;
  head.keep_alive = events.version >= 11 && events.keep_alive();
  if (const auto expect = head.header("expect"); !expect.empty()) {
    if (to_lower_ascii(expect) != "100-continue") {
      return fail(ErrorCode::kInvalid, "unknown_expectation", "only 'Expect: 100-continue' is understood");
    }
    head.expect_continue = events.version >= 11;
  }
  return std::move(head);
}

Result<RequestParser::Decoded> RequestParser::decode_chunks(std::string_view raw, std::span<std::uint8_t> into) {
  Events& events = *impl_->events;
  events.into = into;
  events.produced = 0;
  Decoded out;
  error_code error;
  out.consumed = events.put(boost::asio::buffer(raw.data(), raw.size()), error);
  out.produced = events.produced;
  out.chunk_left = events.chunk_left;
  out.done = events.is_done();
  if (error && error != beast_http::error::need_more && error != beast_http::error::need_buffer) {
    return fail(ErrorCode::kInvalid, "bad_body", "the chunked body is malformed");
  }
  return out;
}

}  // namespace mlops::http
