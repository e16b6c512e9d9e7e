// person_name: whole cells of a column named so; in text, names after a title or a label ("Dr.", "Pt:"), dictionary
// names beside capitalised words ("Maria Gonzalez", "Smith, John Q.", "J. Smith"), and every repeat of a part of a name
// found in the same cell. Trailing digits as in synthetic records ("Curt84") belong to a name.
#include <algorithm>
#include <string>
#include <unordered_set>

#include "policies/detect/family.h"
#include "policies/detect/name_words.h"
#include "policies/detect/reading.h"
#include "policies/detect/scan.h"

namespace mlops::detect {
namespace {

constexpr HeaderRule kHeaders[] = {
    {"first", HeaderMatch::kSole, 0.8},
    {"last", HeaderMatch::kSole, 0.8},
    {"middle", HeaderMatch::kSole, 0.8},
    {"maiden", HeaderMatch::kSole, 0.9},
    {"prefix", HeaderMatch::kSole, 0.6},
    {"suffix", HeaderMatch::kSole, 0.5},
    {"name", HeaderMatch::kExact, 0.8},
    {"names", HeaderMatch::kExact, 0.7},
    {"surname", HeaderMatch::kAny, 0.95},
    {"forename", HeaderMatch::kAny, 0.95},
    {"firstname", HeaderMatch::kAny, 0.95},
    {"lastname", HeaderMatch::kAny, 0.95},
    {"middlename", HeaderMatch::kAny, 0.95},
    {"maidenname", HeaderMatch::kAny, 0.95},
    {"fullname", HeaderMatch::kAny, 0.95},
    {"patientname", HeaderMatch::kAny, 0.95},
    {"fname", HeaderMatch::kAny, 0.9},
    {"lname", HeaderMatch::kAny, 0.9},
    {"mname", HeaderMatch::kAny, 0.9},
    {"given name", HeaderMatch::kAny, 0.95},
    {"family name", HeaderMatch::kAny, 0.95},
    {"first name", HeaderMatch::kAny, 0.95},
    {"last name", HeaderMatch::kAny, 0.95},
    {"maiden name", HeaderMatch::kAny, 0.95},
    {"middle name", HeaderMatch::kAny, 0.95},
    {"full name", HeaderMatch::kAny, 0.95},
    {"nickname", HeaderMatch::kAny, 0.8},
    {"alias", HeaderMatch::kSole, 0.6},
    {"initials", HeaderMatch::kExact, 0.7},
    {"middle initial", HeaderMatch::kAny, 0.8},
    {"given", HeaderMatch::kSole, 0.6},
    {"patient", HeaderMatch::kSole, 0.4},
    {"physician", HeaderMatch::kSole, 0.5},
    {"doctor", HeaderMatch::kSole, 0.5},
    {"attending physician", HeaderMatch::kExact, 0.6},
    {"username", HeaderMatch::kAny, 0.6},
    {"next kin", HeaderMatch::kExact, 0.7},
    {"emergency contact", HeaderMatch::kExact, 0.6},
    {"maiden surname", HeaderMatch::kAny, 0.9},
};

bool may_be_name(const Token& token) {  // written like a name and not known as something else
  return token.is_word() && token.capital && (!token.has(kNoName) || token.has(kFirstName | kSurname));
}

class Finder {
 public:
  Finder(const Reading& reading, std::vector<Span>& out)
      : text_(reading.text()), tokens_(reading.tokens()), reading_(reading), out_(out) {}

  void run() {
    const std::size_t before = out_.size();
    for (std::size_t i = 0; i < tokens_.size();) {
      const std::size_t next = after_title(i);
      i = next != i ? next : by_dictionary(i);
    }
    propagate(before);
  }

 private:
  std::string_view gap(std::size_t i) const { return reading_.gap(i); }
  bool joined(std::size_t i) const {
    const auto between = gap(i);
    return between == " " || between == "  " || ((between == ". " || between == ".") && tokens_[i].letters <= 2);
  }
  // The tokens of one name from i on: capitalised words, initials, and particles before a capitalised word.
  std::size_t run_end(std::size_t i, std::size_t most) const {
    std::size_t end = i;
    while (end < tokens_.size() && end - i < most) {
      const Token& token = tokens_[end];
      if (!may_be_name(token) && !token.has(kParticle)) break;
      ++end;
      if (end == tokens_.size() || !joined(end - 1)) break;
    }
    while (end > i && !may_be_name(tokens_[end - 1])) --end;  // particles that lead to no name
    return end;
  }
  void put(std::size_t first, std::size_t last, double score) {
    out_.push_back({tokens_[first].begin, tokens_[last - 1].end, score});
  }

  // "Mr. Obi Wan", "Pt: Jane Roe", "Patient Jane Roe": returns where to go on, i when there is no title.
  std::size_t after_title(std::size_t i) {
    const Token& token = tokens_[i];
    const auto between = gap(i);
    const bool title = token.has(kTitle) && token.capital && (between == ". " || between == "." || between == " ");
    const bool label = token.has(kLabel) && (between == ": " || between == ":" || between == " - ");
    if (!title && !label) return i;
    const std::size_t end = run_end(i + 1, 4);
    if (end == i + 1) return i;
    std::size_t last = end;
    if (label && gap(end - 1) == ", " && end < tokens_.size() && may_be_name(tokens_[end]))
      last = end + 1;  // Roe, Jane
    put(i + 1, last, title ? 0.7 : 0.6);
    return last;
  }

  std::size_t by_dictionary(std::size_t i) {
    const Token& first = tokens_[i];
    if (!first.has(kFirstName | kSurname) && !first.initial() && !may_be_name(first)) return i + 1;
    if (first.capital) {
      if (const std::size_t next = full_name(i); next != i) return next;
      if (const std::size_t next = surname_first(i); next != i) return next;
      if (first.has(kFirstName) && !first.has(kOrdinaryWord | kNoName) && first.letters > 2) put(i, i + 1, 0.3);
    } else if (i + 1 < tokens_.size() && joined(i) && !first.has(kOrdinaryWord | kNoName) && first.has(kFirstName) &&
               tokens_[i + 1].has(kSurname) && !tokens_[i + 1].has(kOrdinaryWord | kNoName)) {
      put(i, i + 2, 0.35);  // john smith
      return i + 2;
    }
    return i + 1;
  }

  std::size_t full_name(std::size_t i) {
    const std::size_t end = run_end(i, 5);
    if (end < i + 2) return i;
    const Token& first = tokens_[i];
    std::size_t last = i + 1;  // the rest of the run that still reads as a name
    bool surname = false;
    for (std::size_t k = i + 1; k < end; ++k) {
      const Token& token = tokens_[k];
      if (token.has(kSurname)) surname = true;
      if (token.has(kSurname | kFirstName | kParticle) || token.initial() || k == i + 1)
        last = k + 1;
      else if (tokens_[k - 1].initial() || tokens_[k - 1].has(kParticle))
        last = k + 1;
    }
    if (tokens_[last - 1].initial() && last - i == 2 && !surname) return i;  // "Vitamin D"
    const bool shouted = first.all_capitals || tokens_[last - 1].all_capitals;
    double score = 0;
    if (first.has(kFirstName) && surname)
      score = 0.55;
    else if (first.has(kFirstName) && !shouted && !first.has(kOrdinaryWord))
      score = 0.4;
    else if (first.initial() && surname && !tokens_[last - 1].has(kOrdinaryWord))
      score = 0.45;
    else if (surname && !shouted && !first.has(kNoName | kTitle | kLabel) && tokens_[last - 1].has(kSurname) &&
             !tokens_[last - 1].has(kOrdinaryWord))
      score = 0.35;
    if (score == 0) return i;
    put(i, last, score);
    return last;
  }

  // "Smith, John Q."
  std::size_t surname_first(std::size_t i) {
    if (gap(i) != ", " || i + 1 >= tokens_.size()) return i;
    const Token& second = tokens_[i + 1];
    if (!tokens_[i].has(kSurname) || !second.capital || !second.has(kFirstName)) return i;
    std::size_t end = i + 2;
    if (end < tokens_.size() && joined(i + 1) && tokens_[end].initial()) ++end;
    put(i, end, 0.5);
    return end;
  }

  // Every other place where a part of a found name stands, in any case.
  void propagate(std::size_t from) {
    std::unordered_set<std::string> parts;
    const auto lower = [&](const Token& token) {
      std::string word(text_.substr(token.begin, token.letters));
      std::transform(word.begin(), word.end(), word.begin(), to_lower);
      return word;
    };
    const std::size_t found = out_.size();
    const auto is_inside = [&](const Token& token) {
      return std::any_of(out_.begin() + static_cast<std::ptrdiff_t>(from),
                         out_.begin() + static_cast<std::ptrdiff_t>(found),
                         [&](const Span& span) { return token.begin >= span.begin && token.end <= span.end; });
    };
    if (found == from || found - from > kMostPropagated) return;
    for (const Token& token : tokens_) {
      if (token.letters > 2 && !token.has(kParticle | kNoName | kTitle) && is_inside(token)) parts.insert(lower(token));
    }
    for (const Token& token : tokens_) {
      if (!parts.contains(lower(token)) || is_inside(token)) continue;
      if (token.capital || !token.has(kOrdinaryWord)) out_.push_back({token.begin, token.end, 0.4});
    }
  }

  // Spans are compared with every token; beyond this a cell is a list of names, found one by one anyway.
  static constexpr std::size_t kMostPropagated = 64;

  std::string_view text_;
  const std::vector<Token>& tokens_;
  const Reading& reading_;
  std::vector<Span>& out_;
};

// A key in a column of names ("PATIENT" of an encounter) is none.
bool looks_like_key(std::string_view text) {
  return std::count_if(text.begin(), text.end(), is_digit) > 4;
}

class PersonName : public Family {
 public:
  PersonName() : Family({"person_name", kHeaders, Needs::kLetter, false}) {}

 protected:
  void search(std::string_view text, double column_score, std::vector<Span>& out) const override {
    if (column_score >= kAgrees && text.size() <= 200) {
      const Range whole = trimmed(text);
      if (!is_masked_already(text) && !looks_like_key(text)) out.push_back({whole.begin, whole.end, 0.9});
      return;
    }
    search_reading(Reading(text), out);
  }

 public:
  void search_reading(const Reading& reading, std::vector<Span>& out) const override { Finder(reading, out).run(); }
};

}  // namespace

const Detector& person_name() {
  static const PersonName kDetector;
  return kDetector;
}

}  // namespace mlops::detect
