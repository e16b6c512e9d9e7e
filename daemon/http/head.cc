#include "daemon/http/head.h"

#include <array>
#include <string>

namespace mlops::http {
namespace {

constexpr std::string_view kTokenPunctuation = "!#$%&'*+-.^_`|~";

constexpr bool is_token_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         kTokenPunctuation.find(c) != std::string_view::npos;
}

constexpr std::array<bool, 256> make_table(bool (*predicate)(char)) {
  std::array<bool, 256> table{};
  for (int i = 0; i < 256; ++i) table[static_cast<std::size_t>(i)] = predicate(static_cast<char>(i));
  return table;
}

constexpr auto kToken = make_table([](char c) { return is_token_char(c); });
// CR and LF are looked at on their own; everything else below space, and DEL, has no place in a head.
constexpr auto kText = make_table([](char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
});

bool in(const std::array<bool, 256>& table, char c) {
  return table[static_cast<unsigned char>(c)];
}

Failure bad_head(const char* why) {
  return fail(ErrorCode::kInvalid, "bad_head", why);
}

Failure head_too_large(std::string why) {
  return fail(ErrorCode::kInvalid, "head_too_large", std::move(why));
}

}  // namespace

void HeadScanner::reset() {
  at_ = line_start_ = lines_ = 0;
}

Result<std::size_t> HeadScanner::scan(std::string_view buffer) {
  while (at_ < buffer.size()) {
    const char c = buffer[at_];
    if (c == '\n') return bad_head("a line feed without a carriage return");
    if (c != '\r') {
      if (!in(kText, c)) return bad_head("a control byte in the head");
      ++at_;
      MLOPS_TRY(check_sizes());
      continue;
    }
    if (at_ + 1 == buffer.size()) return 0;
    if (buffer[at_ + 1] != '\n') return bad_head("a carriage return without a line feed");
    const auto line = buffer.substr(line_start_, at_ - line_start_);
    at_ += 2;
    line_start_ = at_;
    if (line.empty()) {
      if (lines_ == 0) return bad_head("an empty line in place of the request line");
      return at_;
    }
    if (lines_ > 0) MLOPS_TRY(check_line(line));
    ++lines_;
    MLOPS_TRY(check_sizes());
  }
  return 0;
}

Status HeadScanner::check_sizes() const {
  const std::size_t line_bytes = at_ - line_start_;
  if (lines_ == 0 && line_bytes > limits_.request_line_bytes) {
    return fail(ErrorCode::kInvalid, "uri_too_long",
                "the request line is longer than " + std::to_string(limits_.request_line_bytes) + " bytes");
  }
  if (line_bytes > limits_.header_bytes) {
    return head_too_large("a header is longer than " + std::to_string(limits_.header_bytes) + " bytes");
  }
  if (at_ > limits_.head_bytes) {
    return head_too_large("the head is longer than " + std::to_string(limits_.head_bytes) + " bytes");
  }
  if (lines_ > limits_.header_count + 1) {  // the request line is one of them
    return head_too_large("more than " + std::to_string(limits_.header_count) + " headers");
  }
  return {};
}

Status HeadScanner::check_line(std::string_view line) const {
  if (line.front() == ' ' || line.front() == '\t') return bad_head("a folded header");
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return bad_head("a header without a name and a colon");
  for (const char c : line.substr(0, colon)) {
    if (!in(kToken, c)) return bad_head("a header name has a character it may not have");
  }
  return {};
}

}  // namespace mlops::http
