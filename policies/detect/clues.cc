#include "policies/detect/clues.h"

#include <algorithm>
#include <string>

#include "policies/detect/name_words.h"
#include "policies/detect/scan.h"
#include "policies/detect/word_roles.h"

namespace mlops::detect {
namespace {

struct FieldRow {
  std::string_view id;
  Field field;
};
constexpr FieldRow kFields[] = {
    {"person_name", Field::kName},
    {"street_address", Field::kStreet},
    {"city_county", Field::kCity},
    {"postcode", Field::kPostcode},
    {"phone", Field::kPhone},
    {"date", Field::kDate},
    {"mrn", Field::kMrn},
    {"account", Field::kAccount},
    {"health_plan_id", Field::kPlan},
    {"labelled_licence", Field::kLicence},
    {"year", Field::kYear},
    {"age_any", Field::kAge},
    {"sex", Field::kSex},
    {"kinship", Field::kKinship},
    {"profession", Field::kProfession},
    {"country", Field::kCountry},
    {"organization", Field::kOrganization},
};

// Everywhere else a part of a labelled or titled name stands, written with a capital.
void propagate_names(const Reading& reading, Clues& out) {
  constexpr std::size_t kMostNames = 64;  // beyond it a text is a list of names
  std::vector<Range> names;
  for (const Clue& clue : out) {
    if (clue.field == Field::kName) names.push_back({clue.span.begin, clue.span.end});
  }
  if (names.empty() || names.size() > kMostNames) return;
  std::sort(names.begin(), names.end(), [](const Range& a, const Range& b) { return a.begin < b.begin; });
  std::vector<std::uint32_t> parts;
  const auto& tokens = reading.tokens();
  const auto is_part = [&](const Token& token) {
    return token.is_word() && token.capital && token.letters > 2 && !token.has(kParticle | kTitle) &&
           (!token.has(kNoName) || token.has(kFirstName | kSurname));
  };
  std::vector<bool> inside(tokens.size(), false);
  for (const Range& name : names) {
    for (std::size_t i = token_at(reading, name.begin); i < tokens.size() && tokens[i].end <= name.end; ++i) {
      inside[i] = true;
      if (is_part(tokens[i])) parts.push_back(tokens[i].key);
    }
  }
  std::sort(parts.begin(), parts.end());
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (!tokens[i].capital || inside[i] || !is_part(tokens[i])) continue;
    if (std::binary_search(parts.begin(), parts.end(), tokens[i].key))
      out.push_back({Field::kName, {tokens[i].begin, tokens[i].end, 0.4}});
  }
}

// A letter, then at most a few signs, then a colon: a label perhaps, and no time of day.
bool has_label(std::string_view text) {
  for (std::size_t colon = text.find(':'); colon != std::string_view::npos; colon = text.find(':', colon + 1)) {
    std::size_t at = colon;
    while (at > 0 && colon - at < 4 && !is_alnum(text[at - 1])) --at;
    if (at > 0 && is_alpha(text[at - 1])) return true;
  }
  return false;
}

// A label and its value, or a phrase, need a few words: most cells of a table end here.
bool may_hold_clues(std::string_view text) {
  if (text.size() >= 12 && text.find(' ') != std::string_view::npos)
    return std::any_of(text.begin(), text.end(), is_alpha);
  return text.size() >= 6 && has_label(text);
}

bool joins_name(std::string_view gap, const Token& before) {
  if (gap == " " || gap == "-" || gap == "  ") return true;
  return (gap == ". " || gap == ".") && before.letters <= 2;
}

bool is_name_word(const Reading& reading, std::size_t i, bool late) {
  const Token& token = reading.tokens()[i];
  if (!token.is_word() || !token.capital || token.has(kLabel) || ends_name(reading.word(token))) return false;
  const char after = at_or_nul(reading.text(), token.end);
  if (after == '/' || after == '\\' || after == ':' || after == '@') return false;  // "C/ Mayor", "Email:"
  if (token.has(kFirstName | kSurname) || (token.initial() && after == '.')) return true;
  if (token.has(kNoName)) return token.has(kMonth) && !token.all_capitals;  // "Mar Ruiz"
  return !late || !token.has(kOrdinaryWord);                                // "Ana Ruiz Urología"
}

}  // namespace

std::optional<Field> field_of(std::string_view detector_id) {
  for (const FieldRow& row : kFields) {
    if (row.id == detector_id) return row.field;
  }
  return std::nullopt;
}

LowerWord::LowerWord(std::string_view word) {
  if (word.size() > kLongest) return;
  for (const char c : word) letters_[size_++] = to_lower(c);
}

std::size_t token_at(const Reading& reading, std::size_t position) {
  const auto& tokens = reading.tokens();
  return static_cast<std::size_t>(
      std::lower_bound(tokens.begin(), tokens.end(), position,
                       [](const Token& token, std::size_t value) { return token.begin < value; }) -
      tokens.begin());
}

std::size_t name_run_end(const Reading& reading, std::size_t first, std::size_t most) {
  const auto& tokens = reading.tokens();
  std::size_t end = first;  // one behind the last word of the name
  for (std::size_t i = first; i < tokens.size() && i - first < most; ++i) {
    if (i > first && !joins_name(reading.gap(i - 1), tokens[i - 1])) break;
    if (is_name_word(reading, i, end - first >= 4)) {  // and "M.a" of María
      end = i + 1;
    } else if (i == first || !(tokens[i].has(kParticle) || (reading.gap(i - 1) == "." && tokens[i].letters == 1))) {
      break;
    }
  }
  return end;
}

// A long text without one everyday word of Spanish need not be read as one; a short one may be only an address.
bool may_be_spanish(const Reading& reading) {
  constexpr std::size_t kFewTokens = 64;
  const auto& tokens = reading.tokens();
  return tokens.size() < kFewTokens ||
         std::any_of(tokens.begin(), tokens.end(), [](const Token& token) { return token.does(role::kSpanish); });
}

void find_clues(const Reading& reading, Clues& out) {
  if (!may_hold_clues(reading.text())) return;
  find_labelled_fields(reading, out);
  if (may_be_spanish(reading)) {
    find_spanish_places(reading, out);
    find_spanish_persons(reading, out);
  }
  propagate_names(reading, out);
}

const Clues& clues_of(std::string_view folded) {
  thread_local std::string last;
  thread_local Clues clues;
  if (folded.empty() || last != folded) {
    clues.clear();
    last.assign(folded);
    if (may_hold_clues(folded)) find_clues(Reading(last), clues);
  }
  return clues;
}

}  // namespace mlops::detect
