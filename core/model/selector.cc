#include "core/model/selector.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/base/text.h"
#include "core/model/names.h"

namespace mlops::model {
namespace {

constexpr std::string_view kLabel = "label:";
constexpr std::size_t kMostBytes = 512;

// Which ends of the text the pattern reaches so far, one piece of the pattern after the other.
bool glob_matches(std::string_view pattern, std::string_view text) {
  std::vector<bool> reached(text.size() + 1, false);
  reached[0] = true;
  for (std::size_t p = 0; p < pattern.size(); ++p) {
    if (pattern[p] == '*') {
      const bool crosses = p + 1 < pattern.size() && pattern[p + 1] == '*';
      for (std::size_t t = 0; t < text.size(); ++t) {
        if (reached[t] && (crosses || text[t] != '/')) reached[t + 1] = true;
      }
      p += crosses ? 1 : 0;
      continue;
    }
    for (std::size_t t = text.size(); t > 0; --t) {
      const bool same = pattern[p] == text[t - 1] || (pattern[p] == '?' && text[t - 1] != '/');
      reached[t] = reached[t - 1] && same;
    }
    reached[0] = false;
  }
  return reached[text.size()];
}

Failure bad_selector(std::string_view text, std::string_view why) {
  return fail(ErrorCode::kInvalid, "bad_selector",
              fmt::format("\"{}\" chooses no environments: {}", printable(text.substr(0, 80)), why),
              "for example 'prod/*' or label:tenant=acme");
}

struct Term {
  std::string_view label;  // empty: the name
  std::string_view glob;

  bool matches(const Environment& environment) const {
    if (label.empty()) return glob_matches(glob, environment.name);
    const auto found = environment.labels.find(std::string(label));
    return found != environment.labels.end() && glob_matches(glob, found->second);
  }
};

Result<Term> read_term(std::string_view text) {
  text = trim(text);
  if (text.empty()) return bad_selector(text, "an empty word");
  if (!text.starts_with(kLabel)) return Term{{}, text};
  const auto pair = text.substr(kLabel.size());
  const auto equals = pair.find('=');
  if (equals == std::string_view::npos) return bad_selector(text, "a label is written label:key=value");
  if (!check_key(pair.substr(0, equals), "label")) return bad_selector(text, "the label's key is not one");
  return Term{pair.substr(0, equals), pair.substr(equals + 1)};
}

std::size_t depth_of(const std::string& name, const std::map<std::string, const Environment*>& by_name,
                     std::map<std::string, std::size_t>& known) {
  if (const auto found = known.find(name); found != known.end()) return found->second;
  known[name] = 0;  // a cycle, which applying refuses, would end here
  std::size_t depth = 0;
  for (const auto& before : by_name.at(name)->after) {
    if (by_name.contains(before)) depth = std::max(depth, depth_of(before, by_name, known) + 1);
  }
  return known[name] = depth;
}

Failure bad_waves(std::string_view text) {
  return fail(ErrorCode::kInvalid, "bad_waves",
              fmt::format("\"{}\" is not the size of a wave", printable(text.substr(0, 40))),
              "for example 1,50%,100%; every size is greater than the one before");
}

}  // namespace

bool is_selector(std::string_view text) {
  return text.starts_with(kLabel) || text.find_first_of("*?,") != std::string_view::npos;
}

std::vector<Environment> in_promotion_order(std::vector<Environment> environments) {
  std::map<std::string, const Environment*> by_name;
  for (const auto& environment : environments) by_name[environment.name] = &environment;
  std::map<std::string, std::size_t> depths;
  for (const auto& environment : environments) depth_of(environment.name, by_name, depths);
  std::sort(environments.begin(), environments.end(), [&](const Environment& a, const Environment& b) {
    return std::pair(depths.at(a.name), std::string_view(a.name)) <
           std::pair(depths.at(b.name), std::string_view(b.name));
  });
  return environments;
}

Result<std::vector<Environment>> select_environments(const std::vector<Environment>& all, std::string_view selector) {
  if (selector.size() > kMostBytes) return bad_selector(selector, "it is too long");
  std::vector<Term> terms;
  for (const auto word : split(selector, ',')) {
    MLOPS_ASSIGN(const auto term, read_term(word));
    terms.push_back(term);
  }
  std::vector<Environment> chosen;
  for (auto& environment : in_promotion_order(all)) {
    const bool wanted =
        std::any_of(terms.begin(), terms.end(), [&](const Term& term) { return term.matches(environment); });
    if (wanted) chosen.push_back(std::move(environment));
  }
  return chosen;
}

Result<std::vector<std::size_t>> wave_ends(const std::vector<std::string>& sizes, std::size_t count) {
  std::vector<std::size_t> ends;
  for (const auto& size : sizes) {
    const bool is_share = size.ends_with('%');
    const auto number =
        parse_int(is_share ? std::string_view(size).substr(0, size.size() - 1) : std::string_view(size));
    if (!number || *number < 1 || (is_share && *number > 100) || *number > 1'000'000) return bad_waves(size);
    auto end = static_cast<std::size_t>(*number);
    if (is_share) end = (count * end + 99) / 100;
    end = std::min(end, count);
    // With few environments "1,50%" may be the same one: such a wave is empty and left out.
    if (!ends.empty() && end < ends.back()) return bad_waves(size);
    if (ends.empty() || end > ends.back()) ends.push_back(end);
  }
  if (count > 0 && (ends.empty() || ends.back() < count)) ends.push_back(count);
  return ends;
}

}  // namespace mlops::model
