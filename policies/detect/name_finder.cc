#include "policies/detect/name_finder.h"

#include <algorithm>
#include <unordered_map>

#include "policies/detect/scan.h"
#include "policies/detect/word_roles.h"

namespace mlops::detect {
namespace {

constexpr unsigned kName = kFirstName | kSurname;
constexpr std::size_t kMostWords = 6;

// Evidence, in points; score_of() turns a sum into a score.
constexpr double kKnownFirst = 2, kKnownSurname = 1.6, kUnknown = 0.9, kOddsWeight = 0.12;
constexpr double kTitleBefore = 3.5, kLabelBefore = 3, kIntroduced = 2, kSpeaks = 1, kOwns = 0.6;
constexpr double kPlaceBefore = -1.2, kDirectionBefore = -0.3, kSentenceWord = -0.8, kListed = 1.2, kTitleCase = -1,
                 kHouseNumber = -0.8, kBetweenNumbers = -3;

// Not names even where a dictionary says so: they end the row.
bool ends_row(const Token& token) {
  if (!token.is_word()) return true;
  if (token.has(kParticle) && !token.capital) return false;
  if (token.has(kTitle | kNationality | kMonth | kDrug) && !token.has(kName)) return true;
  if (token.has(kFirstName | kSurname)) return token.has(kNoName) && token.entry.name_odds() < 0;
  return token.has(kOrdinaryWord | kNoName);
}

double points_of(const Token& token) {
  if (token.initial()) return 0.3;
  if (token.has(kSuffix) && !token.has(kName)) return 0.4;
  if (token.has(kParticle)) return 0.2;
  double points = 0;
  if (token.has(kName)) {
    points = token.has(kFirstName) ? kKnownFirst : kKnownSurname;
    points += kOddsWeight * std::clamp(token.entry.name_odds(), -8, 8);
    if (token.has(kOrdinaryWord)) points -= 0.7;
    if (token.has(kNoName | kMonth | kDrug)) points -= 1;
    if (token.has(kCountry | kRegion)) points -= 1;
    if (token.has(kCity) && token.entry.city_grade() >= 5) points -= 0.6;
  } else if (!token.entry.known()) {
    points = token.letters >= 3 ? kUnknown : 0;
  } else if (token.has(kEponym)) {
    points = 0.3;
  } else {
    points = token.has(kPlace) ? -0.5 : -1.5;
  }
  return points;
}

double score_of(double points) {
  constexpr struct {
    double points;
    double score;
  } kSteps[] = {{6.5, 0.7}, {5, 0.6}, {4, 0.55}, {3.2, 0.5}, {2.5, 0.4}, {1.7, 0.35}, {1.3, 0.3}, {0.9, 0.25}};
  for (const auto& step : kSteps) {
    if (points >= step.points) return step.score;
  }
  return 0;
}

class Finder {
 public:
  Finder(const Reading& reading, std::vector<Span>& out)
      : reading_(reading), tokens_(reading.tokens()), out_(out), first_(out.size()) {}

  void run() {
    for (std::size_t i = 0; i < tokens_.size();) {
      const Token& token = tokens_[i];
      if (!token.is_word() || token.does(role::kNever) || (token.capital && token.does(role::kFirm))) {
        ++i;
      } else if (const std::size_t next = behind_long_place(i); next != i) {
        i = next;
      } else if (token.capital) {
        i = capitals(i);
      } else {
        i = small_letters(i);
      }
    }
    propagate();
  }

 private:
  std::string_view word(std::size_t i) const { return reading_.word(tokens_[i]); }
  bool is_word_at(std::size_t i) const { return i < tokens_.size() && tokens_[i].is_word(); }

  void put(std::size_t begin, std::size_t end, double score) {
    out_.push_back({tokens_[begin].begin, tokens_[end - 1].end, score});
  }

  // "Dr. ", "Mr ", "MS " before token i.
  bool title_before(std::size_t i) const {
    if (i == 0 || !tokens_[i - 1].has(kTitle)) return false;
    const auto between = reading_.gap(i - 1);
    if (between != ". " && between != "." && between != " ") return false;
    return tokens_[i - 1].capital || !tokens_[i].capital;
  }
  // "Pt: ", "Name - "
  bool label_before(std::size_t i) const {
    if (i == 0 || !tokens_[i - 1].has(kLabel)) return false;
    const auto between = reading_.gap(i - 1);
    const std::size_t colon = between.find_first_not_of(" \t");
    if (colon == std::string_view::npos) return false;
    return between[colon] == ':' ? between.find('\n') == std::string_view::npos : between == " - ";
  }
  bool introduced(std::size_t i) const {
    if (i == 0 || !tokens_[i - 1].is_word()) return false;
    const auto between = reading_.gap(i - 1);
    if (between != " " && between != ", " && between != ": " && between != ",\n") return false;
    if (tokens_[i - 1].does(role::kIntroduces)) return true;
    if (!equals_ignoring_case(word(i - 1), "is") || i < 2 || between != " ") return false;
    return tokens_[i - 2].does(role::kBeforeIs);
  }
  double preposition(std::size_t i) const {
    if (i == 0 || !tokens_[i - 1].is_word() || tokens_[i - 1].letters > 7 || !reading_.blank(i - 1)) return 0;
    if (tokens_[i - 1].does(role::kInPlace)) return kPlaceBefore;
    return tokens_[i - 1].does(role::kDirection) ? kDirectionBefore : 0;
  }
  // "Ann, Bob and April": what stands in a row of names is one.
  bool listed(std::size_t i) const {
    if (last_end_ == 0 || i < last_end_) return false;
    if (i == last_end_) return reading_.gap(i - 1) == ", ";
    return i == last_end_ + 1 && tokens_[i - 1].is_word() && tokens_[i - 1].letters <= 3 &&
           (equals_ignoring_case(word(i - 1), "and") || equals_ignoring_case(word(i - 1), "or"));
  }
  // "Cautionary Tales", "Open Data Nation": capitals of a heading or of a thing's name.
  bool in_title_case(std::size_t begin, std::size_t end) const {
    const auto plain = [&](std::size_t k) {
      const Token& token = tokens_[k];
      return token.is_word() && token.capital && token.letters > 2 && token.has(kOrdinaryWord) &&
             !token.has(kName | kTitle | kLabel);
    };
    if (begin > 0 && reading_.blank(begin - 1) && plain(begin - 1) && !reading_.begins_sentence(begin - 1)) return true;
    return end < tokens_.size() && reading_.blank(end - 1) && plain(end);
  }
  // A street's name: "07 Celso Ferreiro 23".
  double numbers_around(std::size_t begin, std::size_t end) const {
    if (begin == 0 || !tokens_[begin - 1].is_number() || !reading_.blank(begin - 1)) return 0;
    const bool behind = end < tokens_.size() && tokens_[end].is_number() && reading_.blank(end - 1);
    return behind ? kBetweenNumbers : kHouseNumber;
  }
  // Behind "United Arab Emirates", "San Luis", "Marshall Islands"; i when no such place begins here.
  std::size_t behind_long_place(std::size_t i) const {
    const Token& token = tokens_[i];
    if (!token.has(kPlaceStart)) return i;
    const PlaceMatch place = reading_.place_at(i);
    if (place.words < 2) return i;
    const bool led_by_name = token.has(kFirstName) && !token.has(kNoName | kParticle) && token.entry.name_odds() > 3;
    const bool goes_on = i + place.words < tokens_.size() && reading_.joined(i + place.words - 1) &&
                         tokens_[i + place.words].capital && tokens_[i + place.words].has(kSurname);
    return place.word.has(kCountry) || (!led_by_name && !goes_on) ? i + place.words : i;
  }
  bool speaks_after(std::size_t end) const {
    return is_word_at(end) && reading_.blank(end - 1) && tokens_[end].does(role::kSpeaks);
  }
  bool no_person_follows(std::size_t end) const {
    const auto between = reading_.gap(end - 1);
    if (between == " & ") return true;
    if (!is_word_at(end) || (between != " " && between != ", " && !tokens_[end - 1].possessive)) return false;
    return tokens_[end].does(role::kNotPeople) && (tokens_[end].capital || !tokens_[end - 1].capital ||
                                                   tokens_[end - 1].has(kEponym) || tokens_[end - 1].possessive);
  }

  double context(std::size_t begin, std::size_t end) const {
    double points = 0;
    if (title_before(begin)) {
      points += kTitleBefore;
    } else if (label_before(begin)) {
      points += kLabelBefore;
    } else if (introduced(begin)) {
      points += kIntroduced;
    } else {
      points += preposition(begin) + numbers_around(begin, end);
      if (in_title_case(begin, end)) points += kTitleCase;
    }
    if (listed(begin)) points += kListed;
    if (speaks_after(end)) points += kSpeaks;
    if (tokens_[end - 1].possessive) points += kOwns;
    return points;
  }

  // The row of words from i on that one name could be: particles only between, a line end ends it.
  std::size_t row_end(std::size_t i) const {
    std::size_t end = i;
    while (end < tokens_.size() && end - i < kMostWords) {
      const Token& token = tokens_[end];
      if (end > i && token.capital && token.does(role::kFirm)) break;
      const bool fits = token.capital ? !ends_row(token) : token.is_word() && token.has(kParticle) && end > i;
      if (!fits) break;
      ++end;
      if (token.possessive || end == tokens_.size() || !reading_.joined(end - 1)) break;
    }
    while (end > i && !tokens_[end - 1].capital) --end;
    return end;
  }

  std::size_t capitals(std::size_t i) {
    const bool titled = title_before(i) || label_before(i);
    std::size_t end = row_end(i);
    if (end == i) {
      // "Mr. Will": after a title an everyday word is a name as well.
      const bool forced =
          titled && !tokens_[i].has(kTitle | kLabel) && !tokens_[i].has(kNoName) && tokens_[i].letters > 1;
      if (!forced) return i + 1;
      end = i + 1;
    }
    if (names_a_character(i, end)) return end;
    if (const std::size_t next = surname_first(i, end); next != i) return next;
    end = without_place(i, end);
    double points = context(i, end);
    int known = 0;
    bool first = false;
    for (std::size_t k = i; k < end; ++k) {
      points += points_of(tokens_[k]);
      if (tokens_[k].has(kName)) ++known;
      first = first || tokens_[k].has(kFirstName);
    }
    const std::size_t size = end - i;
    if (tokens_[i].initial() && size == 1) return i + 1;
    if (size == 2 && tokens_[i + 1].initial() && !titled && !first) return end;  // "Vitamin D"
    if (!titled && no_person_follows(end)) return end;
    const bool everyday = std::all_of(tokens_.begin() + static_cast<std::ptrdiff_t>(i),
                                      tokens_.begin() + static_cast<std::ptrdiff_t>(end),
                                      [](const Token& token) { return token.has(kOrdinaryWord | kNoName); });
    if (shouted(i, end) && !titled && (known < 2 || everyday)) points -= everyday ? 3 : 1.5;
    if (size == 1) {
      if (!titled && is_acronym(i)) return end;
      points = lone(i, points);
    }
    if (known == 0 && size > 1 && !titled) points = std::min(points, 2.0);
    const double score = std::max(titled && points > 2 ? 0.6 : 0, score_of(points));
    if (score > 0) accept(i, end, score);
    return end;
  }

  // "GREEK SMALL LETTER PHI": how Unicode calls its characters.
  bool names_a_character(std::size_t begin, std::size_t end) const {
    for (std::size_t i = begin + 1; i < end; ++i) {
      if (word(i) == "LETTER" && (word(i - 1) == "SMALL" || word(i - 1) == "CAPITAL")) return true;
    }
    return false;
  }

  // A single word: what may stand where it stands?
  double lone(std::size_t i, double points) const {
    const Token& token = tokens_[i];
    const bool sentence = reading_.begins_sentence(i);
    if (token.has(kEponym) || token.letters < 3) points -= 1;
    if (sentence && (!token.has(kName) || token.has(kOrdinaryWord))) points += kSentenceWord;
    if (!token.has(kFirstName)) points = std::min(points, sentence ? 1.5 : 2.4);
    if (!token.entry.known() && sentence) points -= 0.3;
    const bool person = introduced(i) || title_before(i) || label_before(i) || listed(i);
    if (token.has(kCountry) && !person && !speaks_after(i + 1)) return 0;
    return points;
  }

  // Nobody is called "Springfield Illinois": a row that ends in a place of several words, or is one, loses it.
  std::size_t without_place(std::size_t i, std::size_t end) const {
    for (std::size_t k = i; k < end; ++k) {
      if (!tokens_[k].has(kPlaceStart | kCountry)) continue;
      const PlaceMatch place = reading_.place_at(k);
      if (place.words == 0 || k + place.words > end) continue;
      const bool sure = place.words > 1 ? place.word.has(kCountry) || place.word.city_grade() >= 3
                                        : place.word.has(kCountry) && !tokens_[k].has(kSurname);
      if (sure && k > i) return k;
    }
    return end;
  }

  // "UCI", "ANA", "ELISA": one short word in capitals among words that are not. In a text all in capitals, and where a
  // person is introduced, it may be anybody.
  bool is_acronym(std::size_t i) const {
    constexpr std::size_t kLongestAcronym = 5;
    const Token& token = tokens_[i];
    if (!token.all_capitals || token.letters > kLongestAcronym || introduced(i) || speaks_after(i + 1)) return false;
    const auto small = [&](std::size_t k) {
      return is_word_at(k) && tokens_[k].letters > 3 && !tokens_[k].all_capitals;
    };
    const std::size_t from = i > kNearWords ? i - kNearWords : 0;
    for (std::size_t k = from; k <= i + kNearWords; ++k) {
      if (k != i && small(k)) return true;
    }
    return false;
  }

  // "SMOKER", "REAL PERSON": capitals all around say nothing.
  bool shouted(std::size_t begin, std::size_t end) const {
    return std::any_of(tokens_.begin() + static_cast<std::ptrdiff_t>(begin),
                       tokens_.begin() + static_cast<std::ptrdiff_t>(end),
                       [](const Token& token) { return token.all_capitals && token.letters > 2; });
  }

  // "Smith, John Q."; not in a list of names.
  std::size_t surname_first(std::size_t i, std::size_t end) {
    if (end != i + 1 || reading_.gap(i) != ", " || !is_word_at(i + 1)) return i;
    const Token& second = tokens_[i + 1];
    if (!tokens_[i].has(kSurname) || !second.capital || !second.has(kFirstName) || second.has(kNoName | kMonth))
      return i;
    if (second.has(kRegion | kCountry) && second.entry.name_odds() < 6) return i;
    const bool listed = i > 0 && (reading_.gap(i - 1) == ", " || reading_.gap(i - 1) == ": ");
    std::size_t last = i + 2;
    while (last < tokens_.size() && last < i + 4 && reading_.joined(last - 1) &&
           (tokens_[last].initial() ||
            (tokens_[last].capital && tokens_[last].has(kFirstName) && !ends_row(tokens_[last]))))
      ++last;
    const bool goes_on =
        reading_.gap(last - 1) == ", " || (is_word_at(last) && equals_ignoring_case(word(last), "and"));
    if ((listed && !label_before(i)) || (goes_on && last == i + 2 && !label_before(i))) return i;
    accept(i, last, label_before(i) ? 0.7 : 0.5);
    return last;
  }

  // A name with the title before it (which alone identifies nobody) and the degree behind it.
  void accept(std::size_t begin, std::size_t end, double score) {
    if (title_before(begin)) out_.push_back({tokens_[begin - 1].begin, tokens_[begin].begin, 0.2});
    if (end < tokens_.size() && tokens_[end].has(kSuffix) && !tokens_[end].has(kName) && end > begin + 1) {
      const auto between = reading_.gap(end - 1);
      if (between == " " || between == ", ") ++end;
    }
    put(begin, end, score);
    last_end_ = end;
  }

  // "john smith", "my name is jane".
  std::size_t small_letters(std::size_t i) {
    const Token& token = tokens_[i];
    if (i > 0 && reading_.gap(i - 1) == "." && reading_.gap(i).starts_with('(')) return i + 1;  // "sig.indexOf(x)"
    const bool labelled = label_before(i) && (tokens_[i - 1].capital || tokens_[i - 1].letters > 4);  // not "to: all"
    const bool told = introduced_by_name(i) || title_before(i) || labelled || (introduced(i) && reading_.blank(i - 1));
    const bool known = token.has(kFirstName) && !token.has(kOrdinaryWord | kNoName | kMonth | kParticle | kDrug);
    if (!(known || (told && may_be_small_name(token))) || token.letters < 3) return i + 1;
    std::size_t end = i + 1;
    while (end < tokens_.size() && end - i < 4 && !tokens_[end - 1].possessive && reading_.blank(end - 1)) {
      const Token& next = tokens_[end];
      if (!next.is_word() || next.capital) break;
      const bool surname = may_be_small_name(next) && (next.has(kName) || next.letters >= 4);
      const bool particle = next.has(kParticle) && end + 1 < tokens_.size() && may_be_small_name(tokens_[end + 1]);
      if (!surname && !particle) break;
      ++end;
    }
    const double odds = token.entry.name_odds();
    double points = context(i, end);
    if (known) points += 0.4 + kOddsWeight * std::clamp(odds, -8.0, 10.0);
    if (end > i + 1) points += tokens_[i + 1].has(kName) ? 1.2 : 0.5;
    if (told) points += 0.5;
    if (no_person_follows(end)) return end;
    const double score = std::min(score_of(points), told ? 0.6 : 0.45);
    if (score > 0) accept(i, end, score);
    return end;
  }
  static bool may_be_small_name(const Token& token) {
    if (!token.is_word() || token.has(kNoName | kMonth | kDrug | kTitle | kNationality)) return false;
    return token.has(kName) ? !token.has(kOrdinaryWord) || token.entry.frequency_grade() < 3
                            : !token.entry.known() && token.letters >= 4;
  }
  bool introduced_by_name(std::size_t i) const {
    return i >= 2 && equals_ignoring_case(word(i - 1), "is") && tokens_[i - 2].is_word() &&
           equals_ignoring_case(word(i - 2), "name") && reading_.blank(i - 1);
  }

  // Every other place where a part of a found name stands, in any case.
  void propagate() {
    const auto begin = out_.begin() + static_cast<std::ptrdiff_t>(first_);
    if (begin == out_.end()) return;
    std::sort(begin, out_.end(), [](const Span& a, const Span& b) { return a.begin < b.begin; });
    const std::size_t found = out_.size();
    std::unordered_map<std::uint32_t, const Token*> parts;
    for_each_word(
        [&](const Token& token, const Span* name) {
          if (name && name->score >= kSurePart && !token.has(kParticle | kNoName | kTitle | kSuffix | kMonth))
            parts.emplace(token.key, &token);
        },
        found);
    if (parts.empty()) return;
    for_each_word(
        [&](const Token& token, const Span* name) {
          if (name || (token.has(kOrdinaryWord | kNoName) && !token.capital)) return;
          const auto part = parts.find(token.key);
          if (part != parts.end() && same_word(*part->second, token)) out_.push_back({token.begin, token.end, 0.4});
        },
        found);
  }
  bool same_word(const Token& a, const Token& b) const {
    const auto x = reading_.word(a), y = reading_.word(b);
    return std::equal(x.begin(), x.end(), y.begin(), y.end(),
                      [](char c, char d) { return to_lower(c) == to_lower(d); });
  }
  // Calls `visit` with each word of three letters and more, and the name it is in (nullptr: in none).
  template <class Visit>
  void for_each_word(const Visit& visit, std::size_t found) {
    std::size_t next = first_;
    for (const Token& token : tokens_) {
      if (!token.is_word() || token.letters < 3) continue;
      while (next < found && out_[next].end <= token.begin) ++next;
      const bool inside = next < found && token.begin >= out_[next].begin;
      const Span name = inside ? out_[next] : Span{};  // a copy: visit() may add to out_
      visit(token, inside ? &name : nullptr);
    }
  }
  static constexpr std::size_t kNearWords = 4;  // either side
  static constexpr double kSurePart = 0.35;

  const Reading& reading_;
  const std::vector<Token>& tokens_;
  std::vector<Span>& out_;
  std::size_t first_;
  std::size_t last_end_ = 0;  // behind the last name put
};

}  // namespace

void find_names(const Reading& reading, std::vector<Span>& out) {
  Finder(reading, out).run();
}

}  // namespace mlops::detect
