#include "policies/detect/weekdays.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "policies/detect/clues.h"
#include "policies/detect/scan.h"

namespace mlops::detect {
namespace {

// How a language writes its days: German ones as nouns, Spanish and French ones small, English ones either way; short
// ones are words and names as well, and stand in rows only.
constexpr unsigned kEnglish = 1u << 0;
constexpr unsigned kShort = 1u << 1;
constexpr unsigned kNoun = 1u << 2;
constexpr unsigned kSmall = 1u << 3;
constexpr unsigned kDay = kEnglish | kShort | kNoun | kSmall;
// What words do beside a day.
constexpr unsigned kBefore = 1u << 4;  // a preposition or "next": the day is an event's
constexpr unsigned kVerb = 1u << 5;    // … written small: "seen Monday"
constexpr unsigned kBehind = 1u << 6;  // "Monday morning"
constexpr unsigned kRecurs = 1u << 7;  // "every Monday"
constexpr unsigned kJoins = 1u << 8;   // "Monday to Friday"

struct Words {
  unsigned bit;
  std::string_view words;  // separated by one blank, without accents
};
constexpr Words kWords[] = {
    {kEnglish, "monday tuesday wednesday thursday friday saturday sunday"},
    {kShort, "mon tue tues wed thu thur thurs fri sat sun"},
    {kNoun, "montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag"},
    {kSmall,
     "lunes martes miercoles jueves viernes sabado domingo lundi mardi mercredi jeudi vendredi samedi dimanche"},
    {kBefore,
     "on next last this by until till til from since before after past coming following through thru for early late "
     "el este proximo pasado desde hasta del al ayer hoy manana "
     "am nachsten letzten diesen diesem kommenden vergangenen bis vom ab seit zum ce le au du depuis avant apres"},
    {kVerb,
     "meet met see saw seen admitted discharged return returns returned arrive arrives arrived arriving left leave "
     "leaves transferred scheduled rescheduled due presented examined operated visit visits visited come comes came "
     "start starts started end ends died"},
    {kBehind,
     "morning afternoon evening night noon midday midnight at next last pasado proximo siguiente por "
     "morgen vormittag mittag nachmittag abend nacht um matin soir midi prochain dernier"},
    {kRecurs, "every each any most todos cada jeden jeder tous chaque"},
    {kJoins, "and or to through thru until till y o a hasta und oder bis et ou au"},
};

std::unordered_map<std::string_view, unsigned> make_table() {
  std::unordered_map<std::string_view, unsigned> table;
  for (const Words& row : kWords) {
    for (std::string_view words = row.words; !words.empty();) {
      const std::size_t blank = std::min(words.find(' '), words.size());
      table[words.substr(0, blank)] |= row.bit;
      words.remove_prefix(std::min(blank + 1, words.size()));
    }
  }
  return table;
}

unsigned bits_of(std::string_view word) {
  static const auto kTable = make_table();
  const auto row = kTable.find(LowerWord(word).text());
  return row == kTable.end() ? 0 : row->second;
}

bool does(std::string_view word, unsigned bits) {
  return (bits_of(word) & bits) != 0;
}

class Place {
 public:
  Place(const Reading& reading, std::size_t i) : reading_(reading), tokens_(reading.tokens()), i_(i) {}

  bool is_event(unsigned day) const {
    const Token& token = tokens_[i_];
    const bool small = !token.capital || token.all_capitals;
    if (day == kSmall && !small) return false;
    if ((day == kNoun || day == kShort) && !token.capital) return false;
    if (recurs() || is_of_a_name(day)) return false;
    if (in_row()) return true;
    if (day == kShort) return false;
    return led() || followed() || (token.possessive && next_is_small());
  }

 private:
  std::string_view word(std::size_t k) const { return reading_.word(tokens_[k]); }
  bool is_word_at(std::size_t k) const { return k < tokens_.size() && tokens_[k].is_word(); }
  // … in the line before as well: notes are wrapped.
  bool has_previous() const {
    return i_ > 0 && tokens_[i_ - 1].is_word() && (reading_.blank(i_ - 1) || reading_.gap(i_ - 1) == "\n");
  }
  bool next_is_small() const { return is_word_at(i_ + 1) && !tokens_[i_ + 1].capital; }

  bool recurs() const {
    if (!has_previous()) return false;
    if (does(word(i_ - 1), kRecurs)) return true;
    return i_ > 1 && tokens_[i_ - 2].is_word() && does(word(i_ - 2), kRecurs) && reading_.blank(i_ - 2);
  }
  // "Black Friday", "Tuesday Weld", "Sunday Times"; not "On Friday", "on Friday Dr. Roe", "on Friday Ann".
  bool is_of_a_name(unsigned day) const {
    const auto names = [&](std::size_t k) {
      const Token& token = tokens_[k];
      return token.capital && !token.all_capitals && !does(word(k), kBefore) && !does(word(k), kBehind) &&
             !token.has(kMonth);
    };
    if (tokens_[i_].all_capitals || !tokens_[i_].capital || day == kNoun) return false;
    const bool beside = has_previous() && reading_.blank(i_ - 1) && names(i_ - 1);
    if (beside && !(reading_.begins_sentence(i_ - 1) && tokens_[i_ - 1].has(kOrdinaryWord))) return true;
    if (!is_word_at(i_ + 1) || !reading_.blank(i_) || !names(i_ + 1)) return false;
    return tokens_[i_ + 1].letters > 1 && !tokens_[i_ + 1].has(kTitle | kFirstName);
  }
  // Another day beside it: "Monday, Tuesday", "Monday to Friday", "Mon - Fri".
  bool in_row() const {
    const auto is_day = [&](std::size_t k) { return is_word_at(k) && tokens_[k].has(kMonth) && does(word(k), kDay); };
    const auto near = [&](std::size_t left) {
      const auto between = reading_.gap(left);
      return between.size() <= 3 && between.find_first_not_of(" ,-/&") == std::string_view::npos && between != " ";
    };
    const auto joins = [&](std::size_t k) {
      return is_word_at(k) && reading_.blank(k - 1) && reading_.blank(k) && does(word(k), kJoins);
    };
    if (is_day(i_ + 1) && near(i_)) return true;
    if (i_ > 0 && is_day(i_ - 1) && near(i_ - 1)) return true;
    if (is_day(i_ + 2) && joins(i_ + 1)) return true;
    return i_ > 1 && is_day(i_ - 2) && joins(i_ - 1);
  }
  bool led() const {
    if (!has_previous()) return false;
    const auto before = word(i_ - 1);
    if (does(before, kBefore)) return true;
    if (!tokens_[i_ - 1].capital && does(before, kVerb)) return true;
    return i_ > 1 && equals_ignoring_case(before, "the") && tokens_[i_ - 2].is_word() && reading_.blank(i_ - 2) &&
           does(word(i_ - 2), kBefore);
  }
  // A part of the day, an hour or a date.
  bool followed() const {
    if (i_ + 1 >= tokens_.size()) return false;
    const auto between = reading_.gap(i_);
    if (between != " " && between != ", ") return false;
    const Token& next = tokens_[i_ + 1];
    if (next.is_word())
      return (between == " " && does(word(i_ + 1), kBehind)) || (next.has(kMonth) && next.letters > 2);
    return next.letters <= 2 && is_hour_or_date(i_ + 1);
  }
  // "9:30", "9 am", "9pm", "5th", "5 March", "5 de marzo".
  bool is_hour_or_date(std::size_t k) const {
    const Token& number = tokens_[k];
    const auto text = reading_.text();
    const std::size_t end = number.begin + number.letters;
    if (number.end > end) return true;  // 5th
    if (at_or_nul(text, end) == ':') return is_digit(at_or_nul(text, end + 1));
    const std::size_t unit = at_or_nul(text, end) == ' ' ? end + 1 : end;
    for (const std::string_view known : {"am", "pm", "a.m", "p.m"}) {
      if (has_at(text, unit, known) && !is_word(at_or_nul(text, unit + known.size()))) return true;
    }
    const bool linked = is_word_at(k + 1) && tokens_[k + 1].letters == 2;  // de, of
    const std::size_t month = linked ? k + 2 : k + 1;
    return is_word_at(month) && tokens_[month].has(kMonth) && tokens_[month].letters > 2;
  }

  const Reading& reading_;
  const std::vector<Token>& tokens_;
  std::size_t i_;
};

}  // namespace

bool is_day_of_event(const Reading& reading, std::size_t i) {
  const Token& token = reading.tokens()[i];
  const auto word = reading.word(token);
  if (token.has(kMonth)) {
    const unsigned day = bits_of(word) & kDay;
    return day != 0 && Place(reading, i).is_event(day);
  }
  constexpr std::size_t kShortestRow = 7;  // "Mon-Fri"
  if (!token.capital || word.size() < kShortestRow) return false;
  const std::size_t dash = word.find('-');
  if (dash == std::string_view::npos) return false;
  return does(word.substr(0, dash), kDay) && does(word.substr(dash + 1), kDay);
}

}  // namespace mlops::detect
