#include "policies/data/fhir_reference.h"

#include <algorithm>

namespace mlops::data {
namespace {

constexpr std::string_view kHistory = "/_history/";
constexpr std::string_view kIdentifierQuery = "identifier=";

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_type(std::string_view word) {
  return word.size() > 2 && word[0] >= 'A' && word[0] <= 'Z' && std::all_of(word.begin(), word.end(), is_letter);
}

// before: the first `at` bytes; after: from `end` on.
ReferenceParts cut(std::string_view text, std::size_t at, std::size_t end) {
  return {text.substr(0, at), text.substr(at, end - at), text.substr(end)};
}

ReferenceParts split_query(std::string_view text, std::size_t question) {
  const auto query = text.substr(question + 1);
  const auto bar = query.find('|');
  const bool is_identifier =
      query.starts_with(kIdentifierQuery) && query.find('&') == std::string_view::npos && bar != std::string_view::npos;
  return cut(text, question + 1 + (is_identifier ? bar + 1 : 0), text.size());
}

}  // namespace

ReferenceParts split_reference(std::string_view text) {
  if (text.starts_with('#')) return cut(text, 1, text.size());
  if (text.starts_with("urn:")) return cut(text, text.rfind(':') + 1, text.size());
  const auto question = text.find('?');
  if (question != std::string_view::npos) return split_query(text, question);
  if (is_type(text)) return {text, {}, {}};
  std::size_t end = text.find(kHistory);
  if (end == std::string_view::npos) end = text.size();
  const auto path = text.substr(0, end);
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos) return cut(text, 0, end);
  const auto parent = path.substr(0, slash);
  const auto type = parent.substr(parent.rfind('/') + 1);
  return cut(text, is_type(type) ? slash + 1 : 0, end);
}

}  // namespace mlops::data
