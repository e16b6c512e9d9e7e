#include "core/model/names.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"

namespace mlops::model {
namespace {

bool is_lower_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
bool is_segment_char(char c) {
  return is_lower_alnum(c) || c == '.' || c == '_' || c == '-';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

Failure bad_name(std::string_view what, std::string_view name, std::string_view why) {
  return fail(ErrorCode::kInvalid, "bad_name", fmt::format("{} \"{}\": {}", what, printable(name.substr(0, 80)), why),
              "use lower-case letters, digits, '.', '_' and '-'; '/' separates namespaces");
}

Status check_segments(std::string_view name, std::string_view what, std::size_t limit_bytes,
                      std::size_t limit_segments) {
  if (name.empty()) return bad_name(what, name, "is empty");
  if (name.size() > limit_bytes) return bad_name(what, name, fmt::format("is longer than {} bytes", limit_bytes));
  const auto segments = split(name, '/');
  if (segments.size() > limit_segments) {
    return bad_name(what, name, fmt::format("has more than {} segments", limit_segments));
  }
  for (const auto segment : segments) {
    if (segment.empty()) return bad_name(what, name, "has an empty segment");
    if (segment.size() > 63) return bad_name(what, name, "has a segment longer than 63 bytes");
    if (!is_lower_alnum(segment.front()) || !is_lower_alnum(segment.back())) {
      return bad_name(what, name, "a segment must begin and end with a lower-case letter or a digit");
    }
    if (!std::all_of(segment.begin(), segment.end(), is_segment_char)) {
      return bad_name(what, name, "has a character that is not allowed");
    }
    if (segment.find("..") != std::string_view::npos) return bad_name(what, name, "contains \"..\"");
  }
  return {};
}

bool is_control(unsigned char c) {
  return c < 0x20 || c == 0x7f;
}

}  // namespace

Status check_artifact_name(std::string_view name) {
  return check_segments(name, "artifact name", 200, 8);
}

Status check_environment_name(std::string_view name) {
  return check_segments(name, "environment name", 100, 4);
}

Status check_alias(std::string_view alias) {
  MLOPS_TRY(check_segments(alias, "alias", 63, 1));
  if (!(alias.front() >= 'a' && alias.front() <= 'z')) return bad_name("alias", alias, "must begin with a letter");
  const auto rest = alias.substr(1);
  if (alias.front() == 'v' && !rest.empty() && std::all_of(rest.begin(), rest.end(), is_digit)) {
    return bad_name("alias", alias, "looks like a version number");
  }
  return {};
}

Status check_principal_name(std::string_view name) {
  if (name.empty() || name.size() > 64) return bad_name("principal", name, "must have 1 to 64 characters");
  const auto allowed = [](char c) { return is_segment_char(c) || c == '@'; };
  if (!std::all_of(name.begin(), name.end(), allowed)) {
    return bad_name("principal", name, "has a character that is not allowed");
  }
  return {};
}

Status check_key(std::string_view key, std::string_view what) {
  if (key.empty() || key.size() > 64) return bad_name(what, key, "must have 1 to 64 characters");
  const auto allowed = [](char c) { return is_segment_char(c) || c == '/' || (c >= 'A' && c <= 'Z'); };
  if (!std::all_of(key.begin(), key.end(), allowed)) {
    return bad_name(what, key, "has a character that is not allowed");
  }
  return {};
}

Status check_metric_name(std::string_view name) {
  const auto brace = name.find('{');
  if (brace == std::string_view::npos) return check_key(name, "metric");
  const auto bad = [&](std::string_view why) {
    return fail(ErrorCode::kInvalid, "bad_name", fmt::format("metric \"{}\": {}", printable(name.substr(0, 80)), why),
                "the metric of a group of people is called auc{sex=F}");
  };
  if (name.size() > 200) return bad("is longer than 200 bytes");
  if (name.back() != '}') return bad("does not end with }");
  const auto inner = name.substr(brace + 1, name.size() - brace - 2);
  const auto equals = inner.find('=');
  if (equals == std::string_view::npos) return bad("names no group");
  MLOPS_TRY(check_key(name.substr(0, brace), "metric"));
  MLOPS_TRY(check_key(inner.substr(0, equals), "what a metric is grouped by"));
  const auto group = inner.substr(equals + 1);
  const auto allowed = [](char c) {
    return is_segment_char(c) || c == '/' || c == '+' || c == '<' || c == '>' || (c >= 'A' && c <= 'Z');
  };
  if (group.empty() || group.size() > 64 || !std::all_of(group.begin(), group.end(), allowed)) {
    return bad("the group has 1 to 64 letters, digits and . _ / - + < >");
  }
  return {};
}

Status check_file_path(std::string_view path) {
  const auto bad = [&](std::string_view why) {
    return fail(ErrorCode::kInvalid, "bad_path",
                fmt::format("file path \"{}\": {}", printable(path.substr(0, 120)), why),
                "paths are relative, separated by '/', without \".\" or \"..\"");
  };
  if (path.empty() || path.size() > 1024) return bad("must have 1 to 1,024 bytes");
  if (!is_valid_utf8(path)) return bad("is not valid UTF-8");
  if (std::any_of(path.begin(), path.end(), [](char c) { return is_control(static_cast<unsigned char>(c)); })) {
    return bad("has a control character");
  }
  if (path.find('\\') != std::string_view::npos) return bad("has a backslash");
  for (const auto segment : split(path, '/')) {
    if (segment.empty() || segment == "." || segment == "..") return bad("has an empty, \".\" or \"..\" segment");
  }
  return {};
}

Status check_free_text(std::string_view text, std::string_view what) {
  if (text.size() > 4096) {
    return fail(ErrorCode::kInvalid, "bad_text", fmt::format("{} is longer than 4,096 bytes", what), "shorten it");
  }
  const auto forbidden = [](char c) { return is_control(static_cast<unsigned char>(c)) && c != '\n' && c != '\t'; };
  if (!is_valid_utf8(text) || std::any_of(text.begin(), text.end(), forbidden)) {
    return fail(ErrorCode::kInvalid, "bad_text", fmt::format("{} has control characters or is not UTF-8", what),
                "use plain text");
  }
  return {};
}

}  // namespace mlops::model
