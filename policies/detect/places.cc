// us_zip: 5 or 5+4 digits with a column, keyword or address context; geo: latitudes and longitudes by column, or as a
// pair; city_county: by column, and in text (place_names.h).
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string>

#include "policies/detect/family.h"
#include "policies/detect/place_names.h"
#include "policies/detect/reading.h"
#include "policies/detect/scan.h"
#include "policies/detect/zip3.h"

namespace mlops::detect {
namespace {

constexpr HeaderRule kZipHeaders[] = {
    {"zip", HeaderMatch::kAny, 0.95},       {"zipcode", HeaderMatch::kAny, 0.95},
    {"zipcodes", HeaderMatch::kAny, 0.9},   {"postal code", HeaderMatch::kAny, 0.9},
    {"postalcode", HeaderMatch::kAny, 0.9}, {"postcode", HeaderMatch::kAny, 0.8},
    {"post code", HeaderMatch::kAny, 0.8},  {"postal", HeaderMatch::kExact, 0.8},
    {"zcta", HeaderMatch::kAny, 0.8},       {"zip file", HeaderMatch::kAny, 0},
    {"zip archive", HeaderMatch::kAny, 0},
};
constexpr HeaderRule kGeoHeaders[] = {
    {"lat", HeaderMatch::kExact, 0.9},     {"lon", HeaderMatch::kExact, 0.9},
    {"lng", HeaderMatch::kExact, 0.9},     {"long", HeaderMatch::kSole, 0.6},
    {"latitude", HeaderMatch::kAny, 0.95}, {"longitude", HeaderMatch::kAny, 0.95},
    {"gps", HeaderMatch::kAny, 0.9},       {"coordinates", HeaderMatch::kAny, 0.8},
    {"geohash", HeaderMatch::kAny, 0.9},   {"geolocation", HeaderMatch::kAny, 0.9},
    {"latlon", HeaderMatch::kAny, 0.9},    {"latlong", HeaderMatch::kAny, 0.9},
    {"geo", HeaderMatch::kExact, 0.7},     {"geo lat", HeaderMatch::kAny, 0.9},
    {"geo lon", HeaderMatch::kAny, 0.9},
};
constexpr HeaderRule kCityHeaders[] = {
    {"city", HeaderMatch::kExact, 0.9},        {"county", HeaderMatch::kExact, 0.9},
    {"town", HeaderMatch::kExact, 0.8},        {"municipality", HeaderMatch::kAny, 0.8},
    {"birthplace", HeaderMatch::kAny, 0.8},    {"birth place", HeaderMatch::kAny, 0.8},
    {"place birth", HeaderMatch::kAny, 0.8},   {"birth city", HeaderMatch::kAny, 0.9},
    {"precinct", HeaderMatch::kAny, 0.7},      {"city name", HeaderMatch::kExact, 0.9},
    {"county name", HeaderMatch::kExact, 0.9}, {"hometown", HeaderMatch::kAny, 0.8},
};
constexpr std::string_view kZipWords[] = {"zip",     "zipcode", "zip code", "postal",
                                          "address", "lives",   "residing", "resides"};
// Postal abbreviations, two letters each.
constexpr std::string_view kStates =
    "ALAKAZARCACOCTDEDCFLGAHIIDILINIAKSKYLAMEMDMAMIMNMSMOMTNENVNHNJNMNYNCNDOHOKORPARISCSDTNTXUTVTVAWAWVWIWYPRVIGUASMP";

bool follows_state(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end > 0 && (text[end - 1] == ' ' || text[end - 1] == ',' || text[end - 1] == '.')) --end;
  if (end == at || end < 2 || at - end > 3 || is_word(before_or_nul(text, end - 2))) return false;
  for (std::size_t i = 0; i + 1 < kStates.size(); i += 2) {
    if (text.substr(end - 2, 2) != kStates.substr(i, 2)) continue;
    // "PR 98465" is a problem report: the codes of Puerto Rico begin with 00.
    return text.substr(end - 2, 2) != "PR" || text.substr(at, 2) == "00";
  }
  return false;
}

class Zip : public Family {
 public:
  Zip() : Family({"us_zip", kZipHeaders, Needs::kDigit, false, 5}) {}

 protected:
  void search(std::string_view text, double column_score, std::vector<Span>& out) const override {
    const bool column = column_score >= kAgrees;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t digits = digits_at(text, at);
      if (digits == 0) {
        ++at;
        continue;
      }
      const bool plus_four = digits == 5 && at_or_nul(text, at + 5) == '-' && digits_at(text, at + 6) == 4;
      std::size_t end = at + (plus_four ? 10 : digits);
      if (column && has_at(text, end, ".0") && !is_digit(at_or_nul(text, end + 2))) end += 2;  // a float column
      if (number_may_begin(text, at) && number_may_end(text, end)) {
        const double score = rate(text, {at, end}, digits, column, plus_four);
        if (score >= 0.3) out.push_back({at, end, score});
      }
      at = end;
    }
  }

 private:
  static double rate(std::string_view text, Range span, std::size_t digits, bool column, bool plus_four) {
    const bool known = digits >= 3 && zip3_is_populated(to_int(text.substr(span.begin, 3)));
    if (column) {
      if (digits == 5 || digits == 9) return known ? 0.9 : 0.6;
      if (digits == 4) return 0.7;                               // 2155 was 02155
      return digits == 3 && text[span.begin] != '0' ? 0.35 : 0;  // 601 was 00601, or is a generalised prefix
    }
    if (digits != 5) return 0;
    if (follows_state(text, span.begin)) return known ? 0.8 : 0.5;
    if (keyword_before(text, span.begin, kZipWords)) return known ? 0.75 : 0.5;
    return plus_four ? 0.45 : 0;
  }
};

// A decimal degree from `at` on: its end, with the value and the digits after the point.
struct Degree {
  std::size_t end = 0;
  double value = 0;
  std::size_t decimals = 0;
};
std::optional<Degree> degree_at(std::string_view text, std::size_t at) {
  std::size_t from = at;
  if (at_or_nul(text, from) == '-' || at_or_nul(text, from) == '+') ++from;
  const std::size_t whole = digits_at(text, from);
  if (whole == 0 || whole > 3 || at_or_nul(text, from + whole) != '.') return std::nullopt;
  const std::size_t decimals = digits_at(text, from + whole + 1);
  const std::size_t end = from + whole + 1 + decimals;
  if (decimals == 0 || decimals > 20) return std::nullopt;
  const std::string number(text.substr(from, end - from));
  return Degree{end, std::strtod(number.c_str(), nullptr), decimals};
}

// Another number goes before or after: a row of measurements, an embedding.
bool is_part_of_list(std::string_view text, std::size_t begin, std::size_t end) {
  const auto separates = [](char c) { return c == ',' || c == ';' || c == '\t' || c == ' '; };
  std::size_t before = begin;
  while (before > 0 && begin - before < 3 && separates(text[before - 1])) --before;
  std::size_t after = end;
  while (after < text.size() && after - end < 3 && separates(text[after])) ++after;
  const char next = at_or_nul(text, after);
  const bool follows = is_digit(next) || ((next == '-' || next == '+') && is_digit(at_or_nul(text, after + 1)));
  return (before < begin && is_digit(before_or_nul(text, before))) || (after > end && follows);
}

// Any two numbers with decimals look like this: without a word for it, it stays a guess.
constexpr std::string_view kGeoWords[] = {"lat", "latitude",    "lon",      "long",     "longitude",
                                          "gps", "coordinates", "location", "position", "geo"};

class Geo : public Family {
 public:
  Geo() : Family({"geo", kGeoHeaders, Needs::kDigit, false, 8}) {}

 protected:
  void search(std::string_view text, double column_score, std::vector<Span>& out) const override {
    const Range whole = trimmed(text);
    if (column_score >= kAgrees) {
      if (!is_masked_already(text)) out.push_back({whole.begin, whole.end, 0.9});
      return;
    }
    for (std::size_t dot = text.find('.'); dot != std::string_view::npos; dot = text.find('.', dot + 1)) {
      std::size_t at = dot;
      while (at > 0 && dot - at < 3 && is_digit(text[at - 1])) --at;
      if (at > 0 && (text[at - 1] == '-' || text[at - 1] == '+')) --at;
      if (is_word(before_or_nul(text, at)) || before_or_nul(text, at) == '.') continue;
      const auto latitude = degree_at(text, at);
      if (!latitude || latitude->decimals < 3 || latitude->value > 90) continue;
      std::size_t next = latitude->end;
      while (next < text.size() && next - latitude->end < 3 &&
             (text[next] == ',' || text[next] == ' ' || text[next] == ';')) {
        ++next;
      }
      const auto longitude = next == latitude->end ? std::nullopt : degree_at(text, next);
      if (!longitude || longitude->decimals < 3 || longitude->value > 180 || is_word(at_or_nul(text, longitude->end)))
        continue;
      if (is_part_of_list(text, at, longitude->end)) {
        dot = longitude->end - 1;
        continue;
      }
      out.push_back({at, longitude->end, keyword_near(text, at, longitude->end, kGeoWords) ? 0.7 : 0.4});
      dot = longitude->end - 1;
    }
  }
};

class CityCounty : public Family {
 public:
  CityCounty() : Family({"city_county", kCityHeaders, Needs::kLetter, false}) {}

 protected:
  void search(std::string_view text, double column_score, std::vector<Span>& out) const override {
    const Range whole = trimmed(text);
    if (column_score < kAgrees) {
      search_reading(Reading(text), out);
    } else if (!is_masked_already(text)) {
      out.push_back({whole.begin, whole.end, 0.85});
    }
  }

 public:
  void search_reading(const Reading& reading, std::vector<Span>& out) const override { find_places(reading, out); }
};

}  // namespace

const Detector& us_zip() {
  static const Zip kDetector;
  return kDetector;
}
const Detector& geo() {
  static const Geo kDetector;
  return kDetector;
}
const Detector& city_county() {
  static const CityCounty kDetector;
  return kDetector;
}

}  // namespace mlops::detect
