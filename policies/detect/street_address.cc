// street_address: number + name + suffix ("784 Stamm Lock Unit 46"), PO boxes, units, with the city, state and ZIP that
// follow; whole cells of a column named so.
#include <algorithm>

#include "policies/detect/family.h"
#include "policies/detect/scan.h"

namespace mlops::detect {
namespace {

constexpr HeaderRule kHeaders[] = {
    {"address", HeaderMatch::kAny, 0.9},        {"addr", HeaderMatch::kAny, 0.85},
    {"street", HeaderMatch::kAny, 0.9},         {"addresses", HeaderMatch::kAny, 0.8},
    {"residence", HeaderMatch::kExact, 0.7},    {"po box", HeaderMatch::kAny, 0.9},
    {"apt", HeaderMatch::kSole, 0.6},           {"apartment", HeaderMatch::kSole, 0.6},
    {"streetaddress", HeaderMatch::kAny, 0.95}, {"email address", HeaderMatch::kAny, 0},
    {"ip address", HeaderMatch::kAny, 0},       {"mac address", HeaderMatch::kAny, 0},
    {"e mail address", HeaderMatch::kAny, 0},   {"web address", HeaderMatch::kAny, 0},
    {"ip addr", HeaderMatch::kAny, 0},          {"mac addr", HeaderMatch::kAny, 0},
    {"homeaddress", HeaderMatch::kAny, 0.95},
};
constexpr std::string_view kWords[] = {"address", "lives", "resides", "residing", "street", "home", "located"};
// Sorted.
constexpr std::string_view kSuffixes[] = {
    "alley",    "av",        "ave",        "avenue",     "bay",       "bayou",   "bend",     "bluff",     "bluffs",
    "blvd",     "boulevard", "branch",     "bridge",     "brook",     "burg",    "bypass",   "camp",      "canyon",
    "cape",     "causeway",  "cir",        "circle",     "cliff",     "cliffs",  "close",    "club",      "commons",
    "corner",   "corners",   "course",     "court",      "cove",      "coves",   "creek",    "crescent",  "crest",
    "crossing", "crossroad", "crossroads", "ct",         "curve",     "dale",    "dam",      "divide",    "dr",
    "drive",    "esplanade", "estate",     "expressway", "extension", "falls",   "ferry",    "fields",    "flats",
    "ford",     "forest",    "forge",      "fork",       "fort",      "freeway", "garden",   "gardens",   "gate",
    "gateway",  "glen",      "glens",      "green",      "greens",    "grove",   "groves",   "harbor",    "haven",
    "heights",  "highway",   "hill",       "hills",      "hollow",    "hwy",     "inlet",    "island",    "isle",
    "junction", "key",       "knoll",      "knolls",     "lake",      "lakes",   "landing",  "lane",      "ln",
    "lock",     "lodge",     "loop",       "mall",       "manor",     "meadow",  "mews",     "mill",      "mills",
    "mission",  "motorway",  "mount",      "mountain",   "neck",      "orchard", "overpass", "park",      "parks",
    "parkway",  "pass",      "passage",    "path",       "pike",      "pine",    "pines",    "pkwy",      "pl",
    "place",    "plain",     "plains",     "plaza",      "point",     "points",  "port",     "prairie",   "promenade",
    "quay",     "ramp",      "ranch",      "rapids",     "rd",        "rest",    "ridge",    "ridges",    "river",
    "road",     "roads",     "route",      "row",        "rue",       "run",     "shoal",    "shoals",    "shore",
    "shores",   "skyway",    "spring",     "springs",    "spur",      "sq",      "square",   "squares",   "st",
    "station",  "stravenue", "stream",     "street",     "streets",   "summit",  "ter",      "terrace",   "throughway",
    "trace",    "track",     "trafficway", "trail",      "trl",       "tunnel",  "turnpike", "underpass", "union",
    "vale",     "valley",    "valleys",    "viaduct",    "view",      "village", "ville",    "vista",     "walk",
    "walks",    "wall",      "way",        "ways",       "wells",     "wy",
};
static_assert(std::is_sorted(std::begin(kSuffixes), std::end(kSuffixes)));
// Suffixes that make an address of lower-case words too.
constexpr std::string_view kSure[] = {"avenue",  "ave",  "blvd",   "boulevard", "drive", "lane",
                                      "parkway", "road", "street", "terrace",   "rd",    "st"};
constexpr std::string_view kUnits[] = {"apartment", "apt",  "building", "bldg",  "floor", "fl",
                                       "lot",       "room", "rm",       "suite", "ste",   "unit"};
constexpr std::size_t kMostWords = 5;

std::size_t word_end(std::string_view text, std::size_t at) {
  while (is_word(at_or_nul(text, at)) || (at_or_nul(text, at) == '\'' && is_alpha(at_or_nul(text, at + 1)))) ++at;
  return at;
}

bool is_suffix(std::string_view word) {
  std::string lower(word);
  std::transform(lower.begin(), lower.end(), lower.begin(), to_lower);
  return std::binary_search(std::begin(kSuffixes), std::end(kSuffixes), std::string_view(lower));
}

template <std::size_t N>
bool is_one_of(std::string_view word, const std::string_view (&list)[N]) {
  return std::any_of(std::begin(list), std::end(list),
                     [&](std::string_view row) { return equals_ignoring_case(word, row); });
}

std::size_t skip(std::string_view text, std::size_t at, std::string_view bytes) {
  while (at < text.size() && bytes.find(text[at]) != std::string_view::npos) ++at;
  return at;
}

// "Apt 4B", "# 12", "Suite C-3" from `at`; `at` when there is none.
std::size_t unit_end(std::string_view text, std::size_t at) {
  const std::size_t begin = skip(text, at, " ,\n");
  std::size_t end = begin;
  if (at_or_nul(text, begin) == '#') {
    end = begin + 1;
  } else {
    end = word_end(text, begin);
    if (!is_one_of(text.substr(begin, end - begin), kUnits)) return at;
    end = skip(text, end, ".");
  }
  end = skip(text, end, " #");
  const std::size_t value = end;
  while (is_alnum(at_or_nul(text, end)) || (at_or_nul(text, end) == '-' && is_alnum(at_or_nul(text, end + 1)))) ++end;
  return end > value && end - value <= 6 ? end : at;
}

// ", Springfield, IL 62704" from `at`; `at` when there is none.
std::size_t city_end(std::string_view text, std::size_t at) {
  std::size_t end = skip(text, at, " ,\n");
  if (end == at || !is_upper(at_or_nul(text, end))) return at;
  for (int words = 0; words < 4; ++words) {
    const std::size_t next = word_end(text, end);
    const std::size_t gap = skip(text, next, " ,");
    const bool state =
        is_upper(at_or_nul(text, gap)) && is_upper(at_or_nul(text, gap + 1)) && !is_word(at_or_nul(text, gap + 2));
    if (state) {
      const std::size_t zip = skip(text, gap + 2, " ,");
      if (digits_at(text, zip) != 5) return gap + 2;
      return at_or_nul(text, zip + 5) == '-' && digits_at(text, zip + 6) == 4 ? zip + 10 : zip + 5;
    }
    if (gap == next || !is_upper(at_or_nul(text, gap))) return at;
    end = gap;
  }
  return at;
}

class StreetAddress : public Family {
 public:
  StreetAddress() : Family({"street_address", kHeaders, Needs::kLetter, true}) {}

 protected:
  void search(std::string_view text, double column_score, std::vector<Span>& out) const override {
    if (column_score >= kAgrees && text.size() <= 500) {
      const Range whole = trimmed(text);
      if (!is_masked_already(text) && text.find('@') == std::string_view::npos)
        out.push_back({whole.begin, whole.end, 0.9});
      return;
    }
    for (std::size_t at = 0; at < text.size();) {
      if (is_digit(text[at])) {
        at = numbered(text, at, out);
      } else if (is_word(text[at])) {
        at = worded(text, at, out);
      } else {
        ++at;
      }
    }
  }

 private:
  static std::size_t numbered(std::string_view text, std::size_t at, std::vector<Span>& out) {
    const std::size_t digits = digits_at(text, at);
    std::size_t end = at + digits;
    if (digits > 6 || is_word(before_or_nul(text, at)) || before_or_nul(text, at) == '.') return end;
    if (at_or_nul(text, end) == '-' && digits_at(text, end + 1) > 0)
      end += 1 + digits_at(text, end + 1);                                            // 12-34 5th Ave
    if (is_alpha(at_or_nul(text, end)) && !is_word(at_or_nul(text, end + 1))) ++end;  // 221B
    const std::size_t street = street_end(text, end);
    if (street == end) return at + digits;
    const double score = keyword_near(text, at, street, kWords)                                         ? 0.8
                         : is_upper(text[skip(text, end, " ")]) || is_digit(text[skip(text, end, " ")]) ? 0.6
                                                                                                        : 0.35;
    std::size_t last = unit_end(text, street);
    last = city_end(text, last);
    out.push_back({at, last, score});
    return last;
  }

  // From after the house number to the end of the suffix; `at` when no street stands there.
  static std::size_t street_end(std::string_view text, std::size_t at) {
    std::size_t end = at;
    std::size_t best = at;
    bool lower_case = false;
    for (std::size_t words = 0; words < kMostWords; ++words) {
      const std::size_t begin = skip(text, end, " ");
      if (begin == end || begin - end > 2) break;
      end = word_end(text, begin);
      if (end == begin) break;
      const std::string_view word = text.substr(begin, end - begin);
      const bool sure = is_one_of(word, kSure);
      if (words > 0 && (lower_case || !is_upper(word[0]) ? sure && words <= 2 : is_suffix(word))) {
        best = end;
        if (sure || lower_case) break;
      }
      if (!is_upper(word[0]) && !is_digit(word[0]) && !is_high(word[0])) lower_case = true;
      if (at_or_nul(text, end) == '.' && word.size() <= 2) ++end;  // 12 N. Main St
    }
    return best;
  }

  // PO boxes and lone units.
  static std::size_t worded(std::string_view text, std::size_t at, std::vector<Span>& out) {
    const std::size_t end = word_end(text, at);
    const char first = to_lower(text[at]);
    if (first == 'p') {
      for (const std::string_view box : {"p.o. box", "po box", "p o box", "p.o box", "post office box", "p. o. box"}) {
        if (!has_at(text, at, box)) continue;
        const std::size_t number = skip(text, at + box.size(), " #.");
        const std::size_t digits = digits_at(text, number);
        if (digits == 0) continue;
        const std::size_t last = city_end(text, number + digits);
        out.push_back({at, last, 0.7});
        return last;
      }
    }
    if (is_one_of(text.substr(at, end - at), kUnits) && (first == 'a' || first == 's')) {  // Apt 4B, Suite 210
      const std::size_t last = unit_end(text, at);
      if (last != at && std::any_of(text.begin() + static_cast<std::ptrdiff_t>(end),
                                    text.begin() + static_cast<std::ptrdiff_t>(last), is_digit)) {
        out.push_back({at, last, 0.35});
        return last;
      }
    }
    return end;
  }
};

}  // namespace

const Detector& street_address() {
  static const StreetAddress kDetector;
  return kDetector;
}

}  // namespace mlops::detect
