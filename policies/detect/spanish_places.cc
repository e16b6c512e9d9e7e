// Hospitals and other institutions, addresses, telephones and countries as Spanish letters give them:
// "Servicio de Urología. Hospital de Cruces. Plaza de Cruces, s/n. 48903 Baracaldo (Vizcaya). España. Tfno: 94 …".
//
// An institution begins with one of kHouses, a street with one of kStreets or right before a postcode; a postcode is
// five digits with a street before or a place behind them. Places further on come from the dictionary.
#include <algorithm>
#include <array>
#include <span>

#include "policies/detect/clues.h"
#include "policies/detect/dictionary.h"
#include "policies/detect/letterhead_words.h"
#include "policies/detect/scan.h"

namespace mlops::detect {
namespace {

constexpr std::size_t kMostStreetBytes = 90;
constexpr double kQuasi = 0.45;    // an organization identifies only with other things (optional_detectors)
constexpr double kCertain = 0.75;  // more than a person's name in the name of a street or hospital

class Finder {
 public:
  Finder(const Reading& reading, Clues& out)
      : reading_(reading), text_(reading.text()), tokens_(reading.tokens()), out_(out) {}

  void run() {
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      const Token& token = tokens_[i];
      if (token.is_number()) {
        if (token.letters == 5) postcode(i);
      } else if (token.capital || kGate.may_be(reading_.word(token))) {
        word(i);
      }
    }
  }

 private:
  void put(Field field, std::size_t begin, std::size_t end, double score) {
    out_.push_back({field, {begin, end, score}});
  }
  std::string_view word_of(std::size_t i) const {
    return i < tokens_.size() ? reading_.word(tokens_[i]) : std::string_view();
  }

  // "C/", "c\\"
  bool begins_street(std::size_t i) const {
    const std::string_view word = word_of(i);
    if (word.size() != 1) return false;
    const char after = at_or_nul(text_, tokens_[i].end);
    return to_lower(word[0]) == 'c' && (after == '/' || after == '\\');
  }

  void word(std::size_t i) {
    const std::string_view word = word_of(i);
    const bool capital = tokens_[i].capital;
    if (begins_street(i)) return street(i, false);
    if (kGate.may_be(word)) {
      if (is_one_of(word, kPhones)) return phone(i);
      if (tokens_[i].begin < done_) return;
      if (capital && is_one_of(word, kHouses)) return house(i);
      const bool plain = is_one_of(word, kPlainStreets) && !(tokens_[i].all_capitals && word.size() < 4);
      if (plain || (capital && is_one_of(word, kStreets))) return street(i, plain);
    }
    if (!capital || tokens_[i].begin < done_) return;
    if (tokens_[i].has(kCountry | kPlaceStart) || word == "EE" || word == "U") country(i);
    if (tokens_[i].has(kCity | kRegion | kPlaceStart)) home(i);
  }

  bool ends_run(std::size_t i) const {
    const Token& token = tokens_[i];
    if (token.is_number()) return true;
    const std::string_view word = reading_.word(token);
    if (begins_street(i)) return true;
    // "Facultad de Medicina", "Virgen del Camino"
    const bool joined = i > 0 && tokens_[i - 1].has(kParticle) && reading_.gap(i - 1) == " ";
    if (!joined && (is_one_of(word, kStops) || (token.capital && is_one_of(word, kStreets)))) return true;
    if (is_one_of(word, kPhones)) return true;
    const char after = at_or_nul(text_, token.end);
    return after == ':' || after == '@';
  }
  static bool is_small_joiner(const Token& token, std::string_view word) {
    return !token.capital && (token.has(kParticle) || is_one_of(word, kJoiners));
  }

  // Capitalised words and the small ones between them, from token `first` on; one behind the last.
  std::size_t run_end(std::size_t first, std::size_t most) const {
    std::size_t end = first;
    for (std::size_t i = first; i < tokens_.size() && i - first < most; ++i) {
      if (i > first) {
        const auto gap = reading_.gap(i - 1);
        const bool abbreviated = (gap == ". " || gap == ".") && is_one_of(word_of(i - 1), kAbbreviations);
        if (gap.size() > 2 || (gap != " " && gap != "-" && gap != "  " && gap != " \"" && gap != "\" " && gap != "'" &&
                               gap != "/" && !abbreviated))
          break;
      }
      if (i > first && ends_run(i) && !is_day_of_name(i)) break;
      const std::string_view word = word_of(i);
      if (tokens_[i].capital || is_day_of_name(i)) {
        end = i + 1;
      } else if (!is_small_joiner(tokens_[i], word) || i == first) {
        break;
      }
    }
    return end;
  }
  // "12 de Octubre", "9 d'Octubre"
  bool is_day_of_name(std::size_t i) const {
    if (!tokens_[i].is_number() || tokens_[i].letters > 2 || i + 2 >= tokens_.size()) return false;
    return (word_of(i + 1) == "de" || word_of(i + 1) == "d") && tokens_[i + 2].has(kMonth);
  }

  void house(std::size_t i) {
    const std::size_t end = before_street(i, run_end(i, 14));
    if (end < i + 2) return;
    std::size_t to = tokens_[end - 1].end;
    if (at_or_nul(text_, to) == '"') ++to;
    put(Field::kOrganization, tokens_[i].begin, to, kQuasi);
    done_ = to;
    place_behind(end, 2);
  }
  // "Hospital de León Altos de Nava, s/n": the street begins behind the place that the hospital is of.
  std::size_t before_street(std::size_t i, std::size_t end) const {
    if (end >= tokens_.size() || reading_.gap(end - 1).size() > 2) return end;
    if (!(tokens_[end].is_number() && tokens_[end].letters < 5) && !equals_ignoring_case(word_of(end), "s")) return end;
    for (std::size_t k = i + 2; k < end; ++k) {
      if (!tokens_[k - 1].has(kParticle)) continue;
      const std::size_t words = place_words(k);
      if (words > 0 && k + words < end && tokens_[k + words].capital) return k + words;
    }
    for (std::size_t k = end + 1; k < tokens_.size() && k < end + 5; ++k) {
      if (is_postcode(k)) return end > i + 2 ? end - 1 : end;  // at least the last word is the street's
    }
    return end;
  }

  // From the street's word to its number, floor and door.
  // `plain`: its name may be written small.
  void street(std::size_t i, bool plain) {
    const std::size_t begin = tokens_[i].begin;
    const std::size_t line = std::min({text_.find('\n', begin), begin + kMostStreetBytes, text_.size()});
    std::size_t k = i + 1, end = i + 1;
    bool name = false, number = false;
    std::size_t to = tokens_[i].end;
    if (at_or_nul(text_, to) == '/' || at_or_nul(text_, to) == '\\') {  // "C/Mayor": the word is no token
      to += at_or_nul(text_, to + 1) == '.' ? 2 : 1;
      name = is_alpha(at_or_nul(text_, to)) || is_high(at_or_nul(text_, to));
      while (is_alpha(at_or_nul(text_, to)) || is_high(at_or_nul(text_, to))) ++to;
    }
    for (; k < tokens_.size() && tokens_[k].end <= line; ++k) {
      const auto gap = text_.substr(to, tokens_[k].begin - to);
      if (gap.find_first_of("()@:;") != std::string_view::npos) break;
      if (k - i > 9 || (k == i + 1 && !plain && !tokens_[k].capital && !tokens_[k].has(kParticle) && !name)) break;
      if (!part_of_street(k, gap, name, number)) break;
      name = name || plain;
      to = tokens_[k].end;
      end = k + 1;
    }
    to = behind_number(to);
    if (!name || !number) return;
    put(Field::kStreet, begin, to, kCertain);
    done_ = to;
    if (end < tokens_.size() && !is_postcode(end)) place_behind(end, 2);
  }
  bool part_of_street(std::size_t k, std::string_view gap, bool& name, bool& number) const {
    const Token& token = tokens_[k];
    if (token.is_number()) {
      if (token.letters >= 5) return false;
      number = number || !is_day_of_name(k);
      return true;
    }
    const std::string_view word = reading_.word(token);
    if (number) {
      return is_one_of(word, kFloors) || (token.letters <= 2 && gap.find(". ") == std::string_view::npos);
    }
    if (equals_ignoring_case(word, "s") && has_at(text_, token.end, "/n")) return number = true;
    if (is_one_of(word, kFloors)) return true;
    const bool stops = gap.find('.') != std::string_view::npos && name && tokens_[k - 1].letters > 4;
    if (stops || is_one_of(word, kStops)) return false;
    name = name || token.capital;
    return true;
  }
  // "s/n" loses its n as a token, "2º-1ª" its signs.
  std::size_t behind_number(std::size_t to) const {
    if ((has_at(text_, to, "/n") || has_at(text_, to, "/ n")) && to > 0 && to_lower(text_[to - 1]) == 's')
      to = text_.find_first_of("nN", to) + 1;
    if (at_or_nul(text_, to) == '/' && is_digit(at_or_nul(text_, to + 1))) to += 1 + digits_at(text_, to + 1);
    while (to < text_.size() && is_high(text_[to])) ++to;
    std::size_t letters = 0;  // "2B", "1ºA"
    while (is_alpha(at_or_nul(text_, to + letters))) ++letters;
    if (letters <= 2 && to > 0 && (is_digit(text_[to - 1]) || is_high(text_[to - 1]))) to += letters;
    return to;
  }
  bool is_postcode(std::size_t i) const {
    if (!tokens_[i].is_number() || tokens_[i].letters != 5) return false;
    const std::string_view digits = reading_.word(tokens_[i]);
    return to_int(digits.substr(0, 2)) >= 1 && to_int(digits.substr(0, 2)) <= 52 &&
           number_may_end(text_, tokens_[i].end);
  }

  void postcode(std::size_t i) {
    const std::size_t begin = tokens_[i].begin;
    if (!is_postcode(i) && !(i + 1 < tokens_.size() && tokens_[i + 1].has(kCity))) return;
    const bool after_street = done_ > 0 && done_ <= begin && begin - done_ <= 8 &&
                              text_.substr(done_, begin - done_).find('\n') == std::string_view::npos;
    const bool known = is_place_behind(i);
    const bool street = !after_street && street_before(i);
    if (!after_street && !street && !known) return;
    const bool spanish =
        begin >= 2 && (text_[begin - 2] == 'E') && (text_[begin - 1] == '-' || text_[begin - 1] == ' ');
    put(Field::kPostcode, begin - (spanish ? 2 : 0), tokens_[i].end, after_street || street ? kCertain : 0.45);
    done_ = tokens_[i].end;
    place_behind(i + 1, 3);
  }

  bool is_place_behind(std::size_t i) const {
    unsigned bits = 0;
    return i + 1 < tokens_.size() && tokens_[i + 1].capital && reading_.gap(i).size() <= 4 &&
           place_words(i + 1, &bits) > 0 && (bits & (kCity | kRegion)) != 0 &&
           (bits & (kOrdinaryWord | kFirstName)) == 0;
  }

  // The place that begins at token `i`, right behind something: known to the dictionary, or any capitalised words.
  std::size_t city_end(std::size_t i) const {
    if (i == 0 || i >= tokens_.size() || !tokens_[i].capital || ends_run(i)) return i;
    const auto gap = reading_.gap(i - 1);
    if (gap.size() > 4 || gap.find('\n') != std::string_view::npos) return i;
    const std::size_t known = place_words(i);
    const std::size_t run = run_end(i, 6);
    return known > 0 ? std::max(i + known, std::min(run, i + known)) : run;
  }
  std::size_t place_words(std::size_t i, unsigned* bits = nullptr) const {
    if (i >= tokens_.size()) return 0;
    const PlaceMatch match = reading_.place_at(i);
    if (bits) *bits = match.word.bits();
    return match.words;
  }

  // Up to `most` places behind token `i - 1`: "Baracaldo (Vizcaya). España"
  void place_behind(std::size_t i, std::size_t most) {
    for (std::size_t found = 0; found < most && i > 0 && i < tokens_.size(); ++found) {
      const auto gap = reading_.gap(i - 1);
      if (gap.size() > 4 || gap.find_first_of("\n:@") != std::string_view::npos || !tokens_[i].capital) return;
      unsigned bits = 0;
      std::size_t end = i + place_words(i, &bits);
      const bool behind_postcode = found == 0 && tokens_[i - 1].is_number() && tokens_[i - 1].letters == 5;
      if (behind_postcode && !(bits & kCountry)) end = std::max(end, city_end(i));
      if (end == i || ends_run(i)) return;
      if (end < tokens_.size() && tokens_[end].is_number() && tokens_[end].letters < 5 &&
          reading_.gap(end - 1).size() <= 2)
        return;  // a street called after a place
      const bool is_country = (bits & kCountry) != 0 && (bits & kCity) == 0;
      put(is_country ? Field::kCountry : Field::kCity, tokens_[i].begin, tokens_[end - 1].end,
          behind_postcode ? kCertain : 0.45);
      done_ = tokens_[end - 1].end;
      i = end;
      if (i < tokens_.size() && is_postcode(i)) return;  // run() comes to it
    }
  }

  // "Doctor Esquerdo, 46. 28007": the capitalised words and the number before the postcode.
  bool street_before(std::size_t i) {
    std::size_t k = i;  // one behind the last token of the street
    if (k > 0 && word_of(k - 1).size() == 1 && to_lower(word_of(k - 1)[0]) == 'e') --k;  // E-28015
    const std::size_t last = k;
    std::size_t numbers = 0;
    while (k > 0 && i - k < 8 && reading_.gap(k - 1).find_first_of("\n:@") == std::string_view::npos &&
           (tokens_[k - 1].is_number() ? tokens_[k - 1].letters <= 4 : is_one_of(word_of(k - 1), kFloors))) {
      const std::string_view word = word_of(k - 1);
      numbers += tokens_[k - 1].is_number() || word == "s" || word == "S" ? 1 : 0;
      --k;
    }
    if (numbers == 0 || k == 0) return false;
    const std::size_t name_last = k;
    if (reading_.gap(k - 1).find_first_of("\n:@") != std::string_view::npos) return false;
    while (k > 0 && name_last - k < 6) {
      const Token& token = tokens_[k - 1];
      if (!token.is_word() || token.begin < done_ || reading_.gap(k - 1).size() > 2 ||
          (k < name_last && reading_.gap(k - 1) != " "))
        break;
      if (!token.capital && !token.has(kParticle)) break;
      --k;
    }
    while (k < name_last && !tokens_[k].capital) ++k;
    if (k == name_last) return false;
    put(Field::kStreet, tokens_[k].begin, behind_number(tokens_[last - 1].end), 0.45);
    return true;
  }

  // "Tfno. 948 25 54 00 / 948255401 ext 12"
  void phone(std::size_t i) {
    std::size_t at = tokens_[i].end;
    for (int more = 0; more < 3; ++more) {
      std::size_t begin = at;
      while (begin < text_.size() && begin - at < 8 && !is_digit(text_[begin]) && text_[begin] != '+' &&
             text_[begin] != '(' && text_[begin] != '\n' && (is_high(text_[begin]) || !is_upper(text_[begin])))
        ++begin;
      std::size_t end = begin, digits = 0, to = begin;
      while (end < text_.size() &&
             (is_digit(text_[end]) || std::string_view(" .-()+").find(text_[end]) != std::string_view::npos)) {
        if (text_[end] == ' ' && !is_digit(at_or_nul(text_, end + 1)) && at_or_nul(text_, end + 1) != '(') break;
        if (is_digit(text_[end])) {
          ++digits;
          to = end + 1;
        }
        ++end;
      }
      if (digits < 6 || digits > 15) return;
      put(Field::kPhone, begin, to, 0.7);
      done_ = at = to;
      if (!has_at(text_, at, " / ") && !has_at(text_, at, " y ") && !has_at(text_, at, " - ") &&
          !has_at(text_, at, "/"))
        return;
    }
  }

  void country(std::size_t i) {
    const std::size_t begin = tokens_[i].begin;
    for (const std::string_view states : {"ee.uu.", "ee. uu.", "u.s.a."}) {
      if (has_at(text_, begin, states)) {
        put(Field::kCountry, begin, begin + states.size(), 0.4);
        done_ = begin + states.size();
        return;
      }
    }
    unsigned bits = 0;
    const std::size_t words = place_words(i, &bits);
    if (words == 0 || (bits & kCountry) == 0 || ((bits & kFirstName) != 0 && (bits & kOrdinaryWord) == 0)) return;
    put(Field::kCountry, begin, tokens_[i + words - 1].end, 0.4);
    done_ = tokens_[i + words - 1].end;
    for (std::size_t back = std::min<std::size_t>(i, 3); back > 0; --back) {  // "Fort Worth, Texas", "Girona (España"
      const auto gap = reading_.gap(i - 1);
      if ((gap != ", " && gap != " (") || !tokens_[i - back].capital || place_words(i - back, &bits) != back) continue;
      if ((bits & (kCity | kRegion)) == 0) continue;
      put(Field::kCity, tokens_[i - back].begin, tokens_[i - 1].end, 0.45);
      return;
    }
  }

  // "natural de Casablanca", "vive en Girona"
  void home(std::size_t i) {
    if (i < 2 || reading_.gap(i - 1) != " " || (word_of(i - 1) != "de" && word_of(i - 1) != "en")) return;
    if (!is_one_of(word_of(i - 2), kHomes)) return;
    unsigned bits = 0;
    const std::size_t words = place_words(i, &bits);
    if (words == 0 || (bits & (kCity | kRegion)) == 0) return;
    put(Field::kCity, tokens_[i].begin, tokens_[i + words - 1].end, 0.5);
    done_ = tokens_[i + words - 1].end;
  }

  const Reading& reading_;
  std::string_view text_;
  const std::vector<Token>& tokens_;
  Clues& out_;
  std::size_t done_ = 0;  // where the last find ended
};

}  // namespace

bool ends_name(std::string_view word) {
  return kGate.may_be(word) && (is_one_of(word, kHouses) || is_one_of(word, kStreets) || is_one_of(word, kPhones) ||
                                (word.size() > 3 && is_one_of(word, kStops)));
}

void find_spanish_places(const Reading& reading, Clues& out) {
  Finder(reading, out).run();
}

}  // namespace mlops::detect
