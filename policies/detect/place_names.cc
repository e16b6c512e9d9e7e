#include "policies/detect/place_names.h"

#include <algorithm>

#include "policies/detect/scan.h"
#include "policies/detect/word_roles.h"

namespace mlops::detect {
namespace {

constexpr double kWide = 0.25;  // a country or a state
constexpr double kGuess = 0.2;
constexpr double kWithoutContext = 0.3;
constexpr double kInContext = 0.45;

class Finder {
 public:
  Finder(const Reading& reading, std::vector<Span>& out) : reading_(reading), tokens_(reading.tokens()), out_(out) {}

  void run() {
    for (std::size_t i = 0; i < tokens_.size();) {
      const Token& token = tokens_[i];
      const bool possible = token.is_word() && (token.capital || token.has(kPlace | kPlaceStart));
      i = possible ? place(i) : i + 1;
    }
  }

 private:
  std::string_view word(std::size_t i) const { return reading_.word(tokens_[i]); }

  enum class Preposition { kNone, kMaybe, kSurely };
  Preposition preposition_before(std::size_t i) const {
    if (i == 0 || !tokens_[i - 1].is_word() || !reading_.blank(i - 1)) return Preposition::kNone;
    if (tokens_[i - 1].does(role::kPlaceFollows)) return Preposition::kSurely;
    return tokens_[i - 1].does(role::kPlaceMayFollow) ? Preposition::kMaybe : Preposition::kNone;
  }
  bool is_part_of_organisation(std::size_t end) const {
    return end < tokens_.size() && tokens_[end].is_word() && tokens_[end].capital && reading_.blank(end - 1) &&
           tokens_[end].does(role::kOrganisation);
  }
  // "city Perugia", "born in …" two words before.
  bool town_before(std::size_t i) const {
    for (std::size_t back = 1; back <= 2 && back <= i; ++back) {
      if (tokens_[i - back].is_word() && tokens_[i - back].does(role::kTown)) return true;
    }
    return false;
  }
  // ", IL", ", France" behind.
  bool wider_place_behind(std::size_t end) const {
    if (end >= tokens_.size() || reading_.gap(end - 1) != ", " || !tokens_[end].is_word()) return false;
    return tokens_[end].has(kCountry | kRegion) || (tokens_[end].all_capitals && tokens_[end].letters == 2);
  }

  std::size_t long_country(std::size_t i) const {
    const Token& token = tokens_[i];
    const bool form = token.does(role::kCountryForm) && token.letters > 3;
    return form || token.has(kCountry | kNationality | kPlaceStart) ? reading_.country_end(i) : i;
  }

  std::size_t place(std::size_t i) {
    if (const std::size_t country = long_country(i); country > i + 1 && tokens_[i].letters > 2) {
      out_.push_back({tokens_[i].begin, tokens_[country - 1].end, kWide});
      return country;
    }
    const PlaceMatch match = reading_.place_at(i);
    const std::size_t end = match.words == 0 ? i + 1 : i + match.words;
    if (is_part_of_organisation(end)) return end;
    const Preposition preposition = preposition_before(i);
    const bool name = tokens_[i].has(kFirstName);
    const bool context = preposition == Preposition::kSurely || (preposition == Preposition::kMaybe && !name) ||
                         town_before(i) || wider_place_behind(end);
    double score = 0;
    if (match.words == 0)
      score = unknown(i, preposition == Preposition::kSurely);
    else if (match.words == 1)
      score = one_word(i, match.word, context);
    else if (tokens_[i].capital || match.word.has(kCountry))
      score = match.word.has(kCity) && !match.word.has(kCountry) ? (context ? kInContext : 0.35) : kWide;
    if (score == 0) return match.words > 1 ? i + 1 : end;
    std::size_t last = end;
    if (match.words == 0) last = unknown_end(i);
    out_.push_back({tokens_[i].begin, tokens_[last - 1].end, score});
    return last;
  }

  double one_word(std::size_t i, Word entry, bool context) const {
    const Token& token = tokens_[i];
    if (entry.has(kNationality) && !entry.has(kCountry)) return 0;
    const bool everyday = entry.has(kOrdinaryWord | kNoName | kMonth);
    const bool name = entry.has(kFirstName | kSurname) && entry.name_odds() > 0;
    if (!token.capital && (everyday || name || token.letters < 4)) return 0;
    if (entry.has(kCountry)) return everyday && !token.capital ? 0 : kWide;
    if (everyday && !context) return 0;
    if (entry.has(kRegion)) return name && !context ? kGuess : kWide;
    if (!token.capital) return context || entry.city_grade() >= 5 ? kWithoutContext : 0;
    if (context && !everyday) return kInContext;
    if (context) return entry.city_grade() >= 4 ? kWithoutContext : kGuess;
    if (name) return entry.city_grade() >= 5 && !entry.has(kFirstName) ? kWithoutContext : 0;
    return entry.city_grade() >= 4 ? kWithoutContext : kGuess;
  }

  // "in Troubelice": written like a name where a place stands.
  double unknown(std::size_t i, bool preposition) const {
    const Token& token = tokens_[i];
    const bool town = i > 0 && tokens_[i - 1].is_word() && reading_.blank(i - 1) && tokens_[i - 1].does(role::kTown);
    if (!(preposition || town) || !token.capital || token.letters < 3) return 0;
    if (token.all_capitals && token.letters < 5) return 0;
    if (token.has(kFirstName | kOrdinaryWord | kNoName | kTitle | kLabel | kMonth | kDrug | kEponym | kNationality))
      return 0;
    return equals_ignoring_case(word(i - 1), "in") ? kWithoutContext : kWide;
  }
  std::size_t unknown_end(std::size_t i) const {
    std::size_t end = i + 1;
    while (end < tokens_.size() && end - i < 4 && reading_.blank(end - 1)) {
      const Token& token = tokens_[end];
      const bool link = token.has(kParticle) && end + 1 < tokens_.size() && tokens_[end + 1].capital;
      if (!token.is_word() || !(token.capital || link) || token.has(kMonth)) break;
      if (token.has(kOrdinaryWord | kNoName) && !token.has(kSurname | kPlace) && !link) break;
      ++end;
    }
    return end;
  }

  const Reading& reading_;
  const std::vector<Token>& tokens_;
  std::vector<Span>& out_;
};

}  // namespace

void find_places(const Reading& reading, std::vector<Span>& out) {
  Finder(reading, out).run();
}

}  // namespace mlops::detect
