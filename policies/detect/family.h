// Private to policies/detect: what all built-in detectors share, so that a family only writes its search.
//
// Scores: the prior of a shape whose check lets more than 1 % of random strings pass stays at 0.6 or below; a keyword
// within 30 characters, or a column whose name agrees (kAgrees), lifts it above. 0.3 is where free-text redaction
// begins. Thread-safety: immutable; the column-name cache is per thread.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "policies/detect/clues.h"
#include "policies/detect/detector.h"
#include "policies/detect/header_words.h"

namespace mlops::detect {

class Reading;  // reading.h

// A column's name agrees with a family from this score on.
inline constexpr double kAgrees = 0.5;
// Characters between a keyword and a value.
inline constexpr std::size_t kKeywordWindow = 30;

// What a cell must hold to be searched, and what a long text is searched around (landmarks.h): a family that needs a
// digit sees only the surroundings of numbers, so the narrower its need, the less it costs. kAt: "@" or "dot";
// kDotOrColon: a dot, a colon or the dash of a hardware address inside a word.
enum class Needs { kNothing, kDigit, kLetter, kAt, kDotOrColon };

// Does a family that is searched in windows also look at the words of the whole text (search_reading)?
enum class Reads { kNo, kToo };

struct FamilySpec {
  std::string_view id;
  std::span<const HeaderRule> headers;
  Needs needs = Needs::kDigit;
  bool decides_by_value = true;
  // kDigit: fewest digits a value has in a row of groups with at most three other bytes between; 1 is always right.
  unsigned min_digits = 1;
  Reads reads = Reads::kNo;
};

class Family : public Detector {
 public:
  // Families there can be in a process: each has a slot in the column-name cache.
  static constexpr std::size_t kMostFamilies = 64;

  // REQUIRES: at most kMostFamilies are ever made (they are static: one an id).
  explicit Family(const FamilySpec& spec);
  std::string_view id() const final { return spec_.id; }
  void find(std::string_view cell, const Context& context, std::vector<Span>& out) const final;
  double column_name_score(std::string_view column) const final { return header_score(spec_.headers, column); }
  bool decides_by_value() const final { return spec_.decides_by_value; }

  const FamilySpec& spec() const { return spec_; }
  // Whose clues are findings of this family too.
  std::optional<Field> field() const { return field_; }
  // For TextScanner: `window` is folded text, a part of a document without a column.
  void search_window(std::string_view window, std::vector<Span>& out) const { search(window, 0, out); }
  // … the whole document, cut into words once for all families. Families that need letters or nothing are
  // asked, and those that read too.
  virtual void search_reading(const Reading& reading, std::vector<Span>& out) const;

 protected:
  // `text` is folded (fold.h). `column_score` is this family's score of the column's name.
  virtual void search(std::string_view text, double column_score, std::vector<Span>& out) const = 0;

 private:
  void find_folded(std::string_view text, double column_score, std::vector<Span>& out) const;

  FamilySpec spec_;
  std::optional<Field> field_;
  std::size_t ordinal_ = 0;
};

// Is one of the lower-case keywords, as a whole word, within kKeywordWindow before `begin` or after `end`?
bool keyword_near(std::string_view text, std::size_t begin, std::size_t end,
                  std::span<const std::string_view> keywords);
// … before `begin` only.
bool keyword_before(std::string_view text, std::size_t begin, std::span<const std::string_view> keywords);

// Nothing left to find: only blanks, punctuation and placeholders such as "[NAME]".
bool is_masked_already(std::string_view text);

// The families, one accessor each; the table of all is in table.cc.
const Detector& us_ssn();
const Detector& email();
const Detector& phone();
const Detector& fax();
const Detector& date();
const Detector& birth_date();
const Detector& age();
const Detector& us_zip();
const Detector& geo();
const Detector& person_name();
const Detector& street_address();
const Detector& city_county();
const Detector& mrn();
const Detector& account();
const Detector& health_plan_id();
const Detector& drivers_license();
const Detector& passport();
const Detector& url();
const Detector& ipv4();
const Detector& ipv6();
const Detector& mac();
const Detector& credit_card();
const Detector& iban();
const Detector& postcode();
const Detector& certificate();

}  // namespace mlops::detect
