#include "daemon/http/target.h"

#include "core/base/text.h"

namespace mlops::http {
namespace {

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

// The byte that text[at..at+2] escapes, or -1.
int escaped_byte(std::string_view text, std::size_t at) {
  if (at + 2 >= text.size() || text[at] != '%') return -1;
  const int high = hex_value(text[at + 1]);
  const int low = hex_value(text[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool has_control_byte(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return true;
  }
  return false;
}

bool has_escape(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (escaped_byte(text, i) >= 0) return true;
  }
  return false;
}

bool has_dot_step(std::string_view text) {
  for (const auto step : split(text, '/')) {
    if (step == "." || step == "..") return true;
  }
  return false;
}

Failure bad_path(std::string why) {
  return fail(ErrorCode::kInvalid, "bad_path", std::move(why), "percent-encode a reference once, into one segment");
}

}  // namespace

Result<std::string> percent_decode(std::string_view text, PlusSign plus) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus == PlusSign::kSpace) {
      out.push_back(' ');
    } else if (text[i] != '%') {
      out.push_back(text[i]);
    } else {
      const int byte = escaped_byte(text, i);
      if (byte < 0) return fail(ErrorCode::kInvalid, "bad_target", "a '%' is not followed by two hex digits");
      out.push_back(static_cast<char>(byte));
      i += 2;
    }
  }
  if (has_control_byte(out)) return fail(ErrorCode::kInvalid, "bad_target", "a control byte in the target");
  if (!is_valid_utf8(out)) return fail(ErrorCode::kInvalid, "bad_target", "the target is not valid UTF-8");
  return out;
}

Result<std::string> decode_segment(std::string_view segment) {
  auto decoded = percent_decode(segment, PlusSign::kLiteral);
  if (!decoded) return bad_path(std::move(decoded.error().message));
  if (decoded->find('\\') != std::string::npos) return bad_path("a backslash in the path");
  if (has_dot_step(*decoded)) return bad_path("a '.' or '..' step in the path");
  if (has_escape(*decoded)) return bad_path("the path is percent-encoded twice");
  return std::move(*decoded);
}

Result<std::map<std::string, std::string>> parse_query(std::string_view query, std::size_t limit) {
  std::map<std::string, std::string> out;
  if (query.empty()) return out;
  std::size_t count = 0;
  for (const auto pair : split(query, '&')) {
    if (pair.empty()) continue;
    if (++count > limit) {
      return fail(ErrorCode::kInvalid, "bad_query", "more than " + std::to_string(limit) + " query parameters");
    }
    const auto equals = pair.find('=');
    auto key = percent_decode(pair.substr(0, equals), PlusSign::kSpace);
    auto value = percent_decode(equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1),
                                PlusSign::kSpace);
    if (!key || !value) {
      return fail(ErrorCode::kInvalid, "bad_query", (key ? value : key).error().message);
    }
    if (!out.emplace(std::move(*key), std::move(*value)).second) {
      return fail(ErrorCode::kInvalid, "bad_query", "a query parameter is given twice", "give each parameter once");
    }
  }
  return out;
}

}  // namespace mlops::http
