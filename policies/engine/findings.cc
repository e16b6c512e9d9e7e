#include "policies/engine/findings.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"

namespace mlops::policy {
namespace {

// "12:7: text" → {12, 7} and the text behind; false when the head is not of that form.
bool cut_position(std::string_view& text, YamlMark& mark) {
  const auto first = text.find(':');
  if (first == std::string_view::npos) return false;
  const auto second = text.find(':', first + 1);
  if (second == std::string_view::npos) return false;
  const auto line = parse_int(text.substr(0, first));
  const auto column = parse_int(text.substr(first + 1, second - first - 1));
  if (!line || !column) return false;
  mark = {static_cast<int>(*line), static_cast<int>(*column)};
  text = trim(text.substr(second + 1));
  return true;
}

}  // namespace

void Findings::error(YamlMark mark, std::string slug, std::string message, std::string hint) {
  list_.push_back({true, mark.line, mark.column, std::move(slug), std::move(message), std::move(hint)});
}

void Findings::warning(YamlMark mark, std::string slug, std::string message, std::string hint) {
  list_.push_back({false, mark.line, mark.column, std::move(slug), std::move(message), std::move(hint)});
}

void Findings::add(const Error& error, YamlMark fallback) {
  std::string_view message = error.message;
  YamlMark mark = fallback;
  if (message.starts_with(origin_ + ":")) {
    std::string_view rest = message.substr(origin_.size() + 1);
    if (cut_position(rest, mark)) message = rest;
  }
  this->error(mark, error.slug, std::string(message), error.hint);
}

bool Findings::has_errors() const {
  return std::any_of(list_.begin(), list_.end(), [](const LintFinding& finding) { return finding.is_error; });
}

std::vector<LintFinding> Findings::sorted() const {
  auto list = list_;
  std::stable_sort(list.begin(), list.end(), [](const LintFinding& a, const LintFinding& b) {
    return std::pair(a.line, a.column) < std::pair(b.line, b.column);
  });
  return list;
}

Error to_error(const std::vector<LintFinding>& findings, const std::string& origin) {
  Json list = Json::array();
  const LintFinding* first = nullptr;
  int errors = 0;
  for (const auto& finding : findings) {
    list.push_back({{"error", finding.is_error},
                    {"line", finding.line},
                    {"column", finding.column},
                    {"slug", finding.slug},
                    {"message", finding.message},
                    {"hint", finding.hint}});
    if (!finding.is_error) continue;
    ++errors;
    if (!first) first = &finding;
  }
  Error error{ErrorCode::kInvalid, "policy_invalid", "the policy is invalid", {}, canonical_dump({{"findings", list}})};
  if (!first) return error;
  error.message = fmt::format("{}:{}:{}: {}", origin, first->line, first->column, first->message);
  if (errors > 1) error.message += fmt::format(" (and {} more)", errors - 1);
  error.hint = first->hint.empty() ? "`mlopsctl policy lint` shows every finding" : first->hint;
  return error;
}

}  // namespace mlops::policy
