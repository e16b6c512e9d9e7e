#include "policies/detect/address_finder.h"

#include <algorithm>

#include "policies/detect/family.h"
#include "policies/detect/scan.h"
#include "policies/detect/word_roles.h"

namespace mlops::detect {
namespace {

constexpr std::size_t kMostStreetWords = 6;
constexpr int kMostTailParts = 6;
constexpr std::size_t kMostPlaceWords = 5;

// Evidence in points; kAccepted makes an address.
constexpr double kHouseNumber = 1, kSuffix = 1.2, kSure = 2, kPrefix = 2, kEnding = 1.6, kNumberBehind = 1, kUnit = 2.5,
                 kBox = 3, kPostcode = 1, kState = 1, kCountryName = 1.2, kKnownPlace = 0.8, kCorner = 3;
constexpr double kAccepted = 2;
constexpr std::uint32_t kSuffixes = role::kStreetSuffix | role::kSureSuffix;

constexpr std::string_view kContextWords[] = {"address", "lives", "resides", "residing",
                                              "street",  "home",  "located", "moved"};
double score_of(double points) {
  if (points >= 4) return 0.75;
  if (points >= 3) return 0.6;
  if (points >= 2.5) return 0.5;
  return 0.35;
}

// A word that streets and towns are not called by, in whatever letters.
bool is_everyday(const Token& token) {
  if (token.has(kMonth)) return true;
  if (token.has(kPlace | kFirstName | kSurname)) return false;
  return token.has(kOrdinaryWord | kNoName | kTitle | kLabel | kDrug) && !token.has(kParticle);
}

class Finder {
 public:
  Finder(const Reading& reading, std::vector<Span>& out) : reading_(reading), tokens_(reading.tokens()), out_(out) {}

  void run() {
    for (std::size_t i = 0; i < tokens_.size();) {
      points_ = 0;
      const std::size_t end = address(i);
      if (end == i || points_ < kAccepted) {
        ++i;
        continue;
      }
      const std::size_t begin = tokens_[i].begin;
      double score = score_of(points_);
      if (score >= 0.35 && keyword_before(reading_.text(), begin, kContextWords)) score = std::max(score, 0.6);
      out_.push_back({begin, tokens_[end - 1].end, score});
      i = end;
    }
  }

 private:
  std::string_view word(std::size_t i) const { return reading_.word(tokens_[i]); }
  bool is_word_at(std::size_t i) const { return i < tokens_.size() && tokens_[i].is_word(); }
  bool is_number_at(std::size_t i) const { return i < tokens_.size() && tokens_[i].is_number(); }
  bool says(std::size_t i, std::string_view lower) const {
    return is_word_at(i) && equals_ignoring_case(word(i), lower);
  }
  bool gap_is(std::size_t i, std::string_view bytes) const {  // only these bytes, at least one, before the next token
    const auto between = reading_.gap(i);
    return i + 1 < tokens_.size() && !between.empty() && between.find_first_not_of(bytes) == std::string_view::npos;
  }
  // … or the dot of an ordinal before the line end: "u. 79.\n".
  bool part_behind(std::size_t i) const {
    if (gap_is(i, " ,\n")) return true;
    const auto between = reading_.gap(i);
    return i + 1 < tokens_.size() && tokens_[i].is_number() && between.size() > 1 && between[0] == '.' &&
           (between[1] == '\n' || between[1] == ',') && between.find_first_not_of(" ,\n", 1) == std::string_view::npos;
  }
  bool blank_behind(std::size_t i) const { return gap_is(i, " ") && reading_.gap(i).size() <= 2; }
  unsigned street_bits(std::size_t i) const {
    return i < tokens_.size() ? tokens_[i].roles & (kSuffixes | role::kStreetPrefix | role::kWeakPrefix | role::kUnit)
                              : 0;
  }
  // The number is one by itself: no decimal, date, time, money or further groups.
  bool stands_alone(std::size_t i) const {
    const std::string_view text = reading_.text();
    const Token& token = tokens_[i];
    if (!number_may_begin(text, token.begin)) return false;
    const char before = before_or_nul(text, token.begin), after = at_or_nul(text, token.end);
    if (before == '$' || before == '#' || before == '.' || before == ':' || before == '/' || after == '%') return false;
    if (after == '.' || after == ',' || after == ':' || after == '/' || after == '-')
      return !is_digit(at_or_nul(text, token.end + 1));
    return true;
  }
  bool is_house_number(std::size_t i) const { return is_number_at(i) && tokens_[i].letters <= 5 && stands_alone(i); }

  std::size_t address(std::size_t i) {
    const Token& token = tokens_[i];
    std::size_t end = i;
    if (token.is_number()) {
      end = numbered_street(i);
    } else {
      if (token.does(role::kCorner)) end = corner(i);
      if (end == i && token.does(role::kBox)) end = box(i);
      if (end == i && (street_bits(i) & role::kUnit) != 0) end = unit(i);
      if (end == i && (token.capital || street_bits(i) != 0)) end = named_street(i);
    }
    if (end == i) return i;
    end = more(end);
    return points_ >= 1.5 ? tail(end) : i;
  }

  // A second street ("Lozerlaan 172 Sangi Street") and the unit, behind the street that ends before `i`.
  std::size_t more(std::size_t i) {
    if (is_word_at(i) && blank_behind(i - 1) && tokens_[i].capital && (street_bits(i) & role::kUnit) == 0) {
      const double before = points_;
      const std::size_t end = words(i, Letters::kCapital);
      if (end == i || points_ < before + kSuffix)
        points_ = before;
      else
        i = end;
    }
    if (is_word_at(i) && (part_behind(i - 1) || reading_.gap(i - 1) == ". ") && (street_bits(i) & role::kUnit) != 0)
      return unit(i);
    return i;
  }

  std::size_t numbered_street(std::size_t i) {
    if (!is_house_number(i)) return i;
    std::size_t first = i + 1;
    const bool two = is_house_number(first) && blank_behind(i);  // flat and house
    if (two) ++first;
    if (reading_.gap(first - 1) == "-" && is_house_number(first)) ++first;  // 12-34
    if (!is_word_at(first) || !(blank_behind(first - 1) || gap_is(first - 1, " ,"))) return i;
    points_ = two ? kHouseNumber + 0.6 : kHouseNumber;
    const std::size_t start = first;
    std::size_t end = words(first, tokens_[first].capital ? Letters::kCapital : Letters::kSmall);
    if (end == start) {
      if (const std::size_t boxed = box(start); boxed != start) return boxed;
      return i;
    }
    return end;
  }

  std::size_t named_street(std::size_t i) {
    if (is_everyday(tokens_[i]) && street_bits(i) == 0) return i;
    return words(i, tokens_[i].capital ? Letters::kCapital : Letters::kSmall);
  }

  enum class Letters { kCapital, kSmall };
  struct Street {
    std::size_t suffix_end = 0;  // behind the last suffix; 0 without one
    bool sure = false;
    bool prefix = false;
    bool weak_prefix = false;
    bool ending = false;
    bool everyday = false;
    std::size_t end = 0;
  };

  // The words of a street's name and the number behind; `i` when there are none. Adds what they are worth.
  std::size_t words(std::size_t i, Letters letters) {
    const Street street = read_street(i, letters);
    if (street.end == i) return i;
    const bool number = number_behind(street.end);
    double points = 0;
    std::size_t end = street.end;
    if (street.prefix && street.end > i + 1) points += kPrefix;
    if (street.weak_prefix && number) points += 0.5;
    if (street.ending) points += kEnding;
    if (street.suffix_end > i + 1) {
      points += street.sure ? kSure : kSuffix;
      if (!number) end = street.suffix_end;
    }
    if (letters == Letters::kSmall && points < kEnding && !unit_follows(street.end)) return i;
    if (number && (street_bits(street.end + 1) & role::kSureSuffix) != 0 && blank_behind(street.end)) points += kSure;
    if (points == 0 && !unit_follows(street.end)) {
      // A house number and unknown words: what follows has to make it an address.
      const bool bare =
          points_ > 0 && street.end - i <= 4 && gap_is(street.end - 1, ",\n ") && !blank_behind(street.end - 1);
      const bool row = number && street.end - i == 1 && tokens_[i].entry.frequency_grade() < 4 &&
                       !tokens_[i].has(kMonth | kLabel | kTitle | kDrug) && part_behind(street.end) &&
                       !blank_behind(street.end);
      if ((street.everyday && !row) || !(number || bare)) return i;
    }
    if (number && end == street.end) {
      points += kNumberBehind;
      ++end;
    }
    points_ += points;
    return end;
  }

  bool number_behind(std::size_t end) const {
    if (!is_house_number(end) || tokens_[end].letters > 4) return false;
    return blank_behind(end - 1) || reading_.gap(end - 1) == ", " || reading_.gap(end - 1) == ". ";
  }
  bool unit_follows(std::size_t end) const {
    const std::size_t at = number_behind(end) ? end + 1 : end;
    return is_word_at(at) && (part_behind(at - 1) || reading_.gap(at - 1) == ". ") &&
           (street_bits(at) & role::kUnit) != 0 && is_number_at(at + 1);
  }

  Street read_street(std::size_t i, Letters letters) const {
    Street street{.end = i};
    for (std::size_t k = i; k < tokens_.size() && k - i < kMostStreetWords; ++k) {
      const Token& token = tokens_[k];
      const bool ordinal = token.is_number() && token.end - token.begin > token.letters + 1U;
      if (!token.is_word() && !ordinal) break;
      const unsigned bits = street_bits(k);
      if ((bits & role::kUnit) != 0 && is_number_at(k + 1) && k > i) break;
      const bool small = token.is_word() && !token.capital;
      if (letters == Letters::kCapital && small && bits == 0 && !token.has(kParticle) &&
          !(k > i && leads_on(k, street.prefix)))
        break;
      if (small && letters == Letters::kSmall && bits == 0 && token.entry.frequency_grade() >= 6 &&
          !token.has(kParticle | kFirstName | kSurname | kPlace))
        break;
      street.everyday = street.everyday || (is_everyday(token) && bits == 0);
      street.prefix = street.prefix || ((bits & role::kStreetPrefix) != 0 && k <= i + 1);
      street.weak_prefix = street.weak_prefix || ((bits & role::kWeakPrefix) != 0 && k == i);
      street.ending = street.ending || (token.is_word() && token.does(role::kStreetEnding));
      street.end = k + 1;
      const bool counts =
          letters == Letters::kCapital && !small ? (bits & kSuffixes) != 0 : (bits & role::kSureSuffix) != 0;
      if (counts && k > i) {
        street.suffix_end = k + 1;
        street.sure = (bits & role::kSureSuffix) != 0;
      }
      const auto between = reading_.gap(k);
      if (street.sure && !prefix_still_open(k)) break;
      if (between != " " && between != "  " && !(between == ". " && token.letters <= 5) && between != "/ ") break;
    }
    while (street.end > i && is_word_at(street.end - 1) && !tokens_[street.end - 1].capital &&
           tokens_[street.end - 1].has(kParticle) && letters == Letters::kCapital)
      --street.end;
    return street;
  }
  // "Avenue" of "Avenue Mohamed Salah": the sure suffix may be a prefix too.
  bool prefix_still_open(std::size_t k) const {
    return (street_bits(k) & role::kStreetPrefix) != 0 && is_word_at(k + 1) && tokens_[k + 1].capital &&
           (street_bits(k + 1) & role::kUnit) == 0;
  }
  // A small word between capitals: "Trg revolucije 12", "Rue de la Briqueterie".
  bool leads_on(std::size_t k, bool behind_prefix) const {
    const bool link = behind_prefix && tokens_[k].letters <= 5;
    return (link || !tokens_[k].has(kOrdinaryWord | kNoName)) && blank_behind(k) &&
           (is_house_number(k + 1) || (is_word_at(k + 1) && tokens_[k + 1].capital));
  }

  // "Apt. 4B", "Suite C-3"
  std::size_t unit(std::size_t i) {
    const auto between = reading_.gap(i);
    if (between != " " && between != ". " && between != ": " && between != " #" && between != ".") return i;
    std::size_t end = i + 1;
    if (is_word_at(end) && tokens_[end].letters <= 2) {
      ++end;
      if (reading_.gap(end - 1) == "-" && is_number_at(end)) ++end;
    } else if (is_number_at(end) && tokens_[end].letters <= 5) {
      ++end;
    } else {
      return i;
    }
    if (says(i, "unit") && says(end, "box") && is_number_at(end + 1)) {
      points_ += kBox;
      return end + 2;
    }
    const bool digit = std::any_of(tokens_.begin() + static_cast<std::ptrdiff_t>(i),
                                   tokens_.begin() + static_cast<std::ptrdiff_t>(end),
                                   [](const Token& token) { return token.is_number(); });
    const bool weak = tokens_[i].does(role::kWeakUnit);
    points_ += !digit ? 0.5 : weak ? (points_ > 0 ? 1 : 0.5) : points_ > 0 ? kUnit : 2;
    return end;
  }

  // "P.O. Box 12", "Postbox 115", "PSC 7004, Box 8380", "USCGC Healy"
  std::size_t box(std::size_t i) {
    std::size_t end = i;
    if (says(i, "p") && says(i + 1, "o") && says(i + 2, "box"))
      end = i + 3;
    else if (says(i, "po") && says(i + 1, "box"))
      end = i + 2;
    else if (says(i, "post") && says(i + 1, "office") && says(i + 2, "box"))
      end = i + 3;
    else if (says(i, "postbox") || says(i, "postfach") || says(i, "postboks") || says(i, "pobox"))
      end = i + 1;
    if (end != i) {
      if (!is_number_at(end)) return i;
      points_ += kBox;
      return end + 1;
    }
    if ((says(i, "psc") || says(i, "cmr")) && is_number_at(i + 1) && says(i + 2, "box") && is_number_at(i + 3)) {
      points_ += kBox;
      return i + 4;
    }
    if (tokens_[i].does(role::kShip) && is_word_at(i + 1) && reading_.gap(i + 1).find('\n') != std::string_view::npos &&
        military(i + 2) != i + 2)
      points_ += kBox, end = i + 2;
    return end;
  }
  // "APO AP 11949"
  std::size_t military(std::size_t i) const {
    const bool office = says(i, "apo") || says(i, "fpo") || says(i, "dpo");
    const bool state = says(i + 1, "aa") || says(i + 1, "ae") || says(i + 1, "ap");
    return office && state && is_number_at(i + 2) && tokens_[i + 2].letters == 5 ? i + 3 : i;
  }

  std::size_t corner(std::size_t i) {
    std::size_t at = i;
    if (says(at, "the")) ++at;
    if (!says(at, "corner") || !says(at + 1, "of")) return i;
    std::size_t end = corner_street(at + 2);
    if (end == at + 2 || !says(end, "and")) return i;
    const std::size_t second = corner_street(end + 1);
    if (second == end + 1) return i;
    points_ = kCorner;
    return second;
  }
  std::size_t corner_street(std::size_t i) {
    std::size_t at = is_house_number(i) ? i + 1 : i;
    if (const std::size_t boxed = is_word_at(at) ? box(at) : at; boxed != at) return boxed;
    std::size_t end = at;
    while (is_word_at(end) && end - at < kMostStreetWords && !says(end, "and")) {
      const bool fits = tokens_[end].capital || tokens_[end].has(kParticle) ||
                        tokens_[end].entry.frequency_grade() < 5 || street_bits(end) != 0;
      if (!fits) break;
      ++end;
      const auto between = reading_.gap(end - 1);
      if (between != " " && between != ". ") break;
    }
    if (end == at) return i;
    if (is_house_number(end) && (blank_behind(end - 1) || reading_.gap(end - 1) == ". ")) ++end;
    return end;
  }

  // What follows the street: places, states, postcodes, countries.
  std::size_t tail(std::size_t i) {
    for (int parts = 0; parts < kMostTailParts; ++parts) {
      if (i >= tokens_.size() || !(part_behind(i - 1) || reading_.gap(i - 1) == ". ")) break;
      const bool sentence = reading_.gap(i - 1) == ". ";
      if (sentence && !(is_number_at(i - 1) && parts == 0)) break;
      const std::size_t end = military(i) != i ? military(i) : part(i, sentence);
      if (end == i) break;
      i = end;
    }
    return i;
  }

  std::size_t part(std::size_t i, bool sentence) {
    if (tokens_[i].is_number()) return postcode(i);
    if (tokens_[i].does(role::kEmptyField) && reading_.gap(i - 1) != ". ") return i + 1;
    if (is_state(i)) {
      points_ += is_number_at(i + 1) ? kState : 0;
      return i + 1;
    }
    if (const std::size_t country = reading_.country_end(i); country != i) {
      points_ += kCountryName;
      return country;
    }
    const PlaceMatch place = reading_.place_at(i);
    if (place.words > 0 &&
        (tokens_[i].capital || place.words > 1 || place.word.has(kCountry) || !tokens_[i].has(kOrdinaryWord))) {
      points_ += place.word.has(kCountry) ? kCountryName : kKnownPlace;
      return i + place.words;
    }
    if (sentence) return i;
    return unknown_place(i);
  }

  // "IL 62704", "Calgary AB": capitals, also those of an everyday word where a postcode follows.
  bool is_state(std::size_t i) const {
    const Token& token = tokens_[i];
    if (!token.all_capitals || token.letters > 3 || reading_.gap(i - 1) == ". ") return false;
    return !is_everyday(token) || (token.letters == 2 && is_number_at(i + 1) && blank_behind(i));
  }

  // A town nobody lists: capitals (or small letters no one knows) up to the end of the line, a comma or a postcode.
  std::size_t unknown_place(std::size_t i) {
    if (const std::size_t end = plain_place(i); end != i) return end;
    std::size_t end = i;
    while (is_word_at(end) && end - i < kMostPlaceWords) {
      const Token& token = tokens_[end];
      const bool small_link = !token.capital && is_word_at(end + 1) && tokens_[end + 1].capital &&
                              (token.has(kParticle) || (end > i && token.letters <= 3)) && reading_.blank(end);
      if ((is_everyday(token) && !small_link) || (!token.capital && !small_link && token.entry.known())) break;
      if (end > i && (tokens_[end].has(kCountry) || reading_.place_at(end).word.has(kCountry))) break;
      ++end;
      const auto between = reading_.gap(end - 1);
      if (between != " " && between != "/ " && between != " /") break;
    }
    if (end == i) return i;
    const auto behind = reading_.gap(end - 1);
    const bool line = reading_.gap(i - 1).find('\n') != std::string_view::npos;
    // A new line may be the next field: it belongs to the address only when it ends like a part of one.
    if (line && (behind.find(':') != std::string_view::npos || end - i > 4)) return i;
    return end;
  }

  // "DEEP CREEK", "Iron Springs": everyday words in capitals, when a country or a postcode comes next.
  std::size_t plain_place(std::size_t i) const {
    std::size_t end = i;
    const bool line = i > 0 && reading_.gap(i - 1).find('\n') != std::string_view::npos;
    while (is_word_at(end) && end - i < 3 && (tokens_[end].capital || line) &&
           !tokens_[end].has(kMonth | kLabel | kTitle)) {
      ++end;
      if (!reading_.blank(end - 1)) break;
    }
    if (end == i || end >= tokens_.size() || !gap_is(end - 1, " ,\n")) return i;
    if (!tokens_[i].capital && reading_.gap(end - 1).find('\n') == std::string_view::npos) return i;
    const bool code = tokens_[end].is_number() && tokens_[end].letters == 5 && stands_alone(end);
    return code || reading_.country_end(end) != end || (is_state(end) && is_number_at(end + 1)) ? end : i;
  }

  std::size_t postcode(std::size_t i) {
    const Token& token = tokens_[i];
    if (!stands_alone(i)) return i;
    if (token.letters >= 4 && token.letters <= 6) {
      // Groups of a telephone number follow each other.
      if (is_number_at(i + 1) && reading_.blank(i) && tokens_[i + 1].letters >= 2) return i;
      points_ += kPostcode;
      return i + 1;
    }
    if (token.letters == 3 && is_number_at(i + 1) && tokens_[i + 1].letters == 2 && reading_.blank(i) &&
        !is_number_at(i + 2)) {
      points_ += kPostcode;
      return i + 2;
    }
    const bool district = token.letters <= 2 && reading_.blank(i - 1) && gap_is(i, " ,\n") &&
                          reading_.gap(i).find_first_of(",\n") != std::string_view::npos;
    return district ? i + 1 : i;  // "Budejovice 6, …"
  }

  const Reading& reading_;
  const std::vector<Token>& tokens_;
  std::vector<Span>& out_;
  double points_ = 0;
};

}  // namespace

void find_addresses(const Reading& reading, std::vector<Span>& out) {
  Finder(reading, out).run();
}

}  // namespace mlops::detect
