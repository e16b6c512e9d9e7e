// A row's own identifiers, looked for in the row's other cells: the patient's name in her note, her record number in a
// column nobody thought of. Private to policies/engine. Thread-safety: belongs to one thread.
//
// Matching ignores ASCII case and whatever policies/detect/fold.h reads alike, and stands on word boundaries. Names
// also match by their parts and, in texts, in the plural and with one wrong letter; numbers also match digit by digit
// with other separators in between. A look at a text costs its length, however many values there are: they are found by
// how they begin.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policies/data/record.h"
#include "policies/engine/classes.h"

namespace mlops::policy {

inline constexpr std::size_t kGlanceBits = 4096;
// Characters of the shortest cell that stand_in() may say true of.
inline constexpr std::size_t kShortestStanding = 4;
// Digits of the shortest bare number that stand_in() may say true of, unless has_number_names().
inline constexpr std::size_t kShortestNumberStanding = 6;

class RowValues {
 public:
  // What is known of the values of a column.
  struct Kind {
    Spread spread = Spread::kNone;
    bool is_name = false;
  };
  static Kind kind_of(const ClassRow& row);

  RowValues() { heads_.fill(kNone); }
  void clear();
  // Adds what identifies in `cell` of a column; `placeholder` is what is written in its place and outlives this object;
  // the cell lives until clear().
  void add(std::string_view cell, Kind kind, std::string_view placeholder);
  // A column whose values are to be added: the place of its cell in a record, and the rest as of add().
  struct Source {
    std::size_t place = 0;
    Kind kind;
    std::string_view placeholder;
  };
  // The same of the cells of one record. REQUIRES: nothing was added since clear(); both live until clear().
  void add_record(std::span<const data::Cell> cells, std::span<const Source> sources);
  bool empty() const;

  // `text` with every occurrence replaced by its placeholder; of overlapping ones the union.
  std::string cut_from(std::string_view text) const;
  // Does a value that spreads everywhere stand in the cell of a kept column? A single name that is an everyday word,
  // and written like one ("Rose ward", "a rose garden"), does not.
  bool stand_in(std::string_view cell) const;
  // False when stand_in() is, for a glance at how the cell's words begin.
  bool may_stand_in(std::string_view cell) const;
  // Is there a name with a word that begins with a digit?
  bool has_number_names() const { return has_number_names_ || sees_all_; }
  // Does the text name the row's person: by a number, a whole name, or two words of it? One word alone may be chance.
  bool name_in(std::string_view text) const;

 private:
  static constexpr std::int32_t kNone = -1;
  static constexpr std::size_t kBuckets = 4096;

  struct Needle {
    std::string text;  // lower case; of digits only when `is_number`
    std::string_view placeholder;
    bool is_number = false;
    bool is_exact = false;  // two-letter names: only with their capital
    bool is_everywhere = false;
    bool is_word = false;  // one word of letters
    std::uint32_t bucket = 0;
    std::int32_t next = kNone;  // of its bucket
  };
  struct Match {
    std::size_t begin = 0;
    std::size_t end = 0;
    const Needle* needle = nullptr;
    bool is_variant = false;  // the plural, or one letter away: enough to be cut out, not to refuse
    bool is_joined = false;   // two of the row's names as one word
  };
  // A text and itself in lower case.
  struct Text {
    std::string_view raw;
    std::string_view lower;
  };

  // Cleared for every row, in which few are marked.
  template <std::size_t kBits>
  class Bits {
   public:
    void clear() {
      if (marks_ > touched_.size()) words_.fill(0);
      for (std::size_t i = 0; i < std::min(marks_, touched_.size()); ++i) words_[touched_[i]] = 0;
      marks_ = 0;
    }
    void mark(std::uint32_t bit) {
      words_[bit / 64] |= std::uint64_t{1} << bit % 64;
      if (marks_ < touched_.size()) touched_[marks_] = static_cast<std::uint8_t>(bit / 64);
      ++marks_;
    }
    bool is_marked(std::uint32_t bit) const { return (words_[bit / 64] >> bit % 64 & 1) != 0; }

   private:
    static_assert(kBits / 64 <= 256);
    std::array<std::uint64_t, kBits / 64> words_{};
    std::array<std::uint8_t, 24> touched_{};  // words, of the first marks
    std::size_t marks_ = 0;
  };
  struct Added {
    std::string_view cell;
    std::string_view placeholder;
    Kind kind;
  };

  // What was added becomes needles when somebody asks for more than a glance.
  void thread() const {
    if (threaded_ < added_.size() || !sources_.empty()) const_cast<RowValues*>(this)->thread_all();
  }
  void thread_all();
  void thread_one(const Added& added);
  void see(std::string_view cell, Kind kind);
  void see_beginnings(std::string_view value);
  void see_words(std::string_view name);
  void see_beginning(std::string_view text, std::size_t at);
  bool may_begin_at(std::string_view cell, std::size_t at) const;
  void add_text(std::string_view text, std::string_view placeholder, bool everywhere);
  void add_name(std::string_view cell, std::string_view placeholder);
  void add_number(std::string_view cell, std::string_view placeholder, Spread spread);
  Needle& next_needle();
  void keep(std::uint32_t bucket);
  std::size_t joined_end(const Text& text, const Needle& needle, std::size_t at) const;
  bool is_everyday(const Text& text, const Match& match) const;
  Text lowered(std::string_view text) const;
  template <typename Take>
  void visit_bucket(std::int32_t head, const Text& text, std::size_t at, bool& go_on, const Take& take) const;
  template <typename Take>
  void visit(const Text& text, const Take& take) const;

  std::vector<Added> added_;
  std::span<const data::Cell> cells_;  // of a record, not among those added yet,
  std::span<const Source> sources_;    // from these
  bool has_any_ = false;               // something was added
  std::size_t threaded_ = 0;           // so many of them are needles
  bool is_certain_ = false;            // one of them is sure to become a needle
  bool sees_all_ = false;              // a glance tells nothing: letters beyond ASCII
  bool has_number_names_ = false;
  Bits<kGlanceBits> beginnings_;         // of three characters
  Bits<kGlanceBits> number_beginnings_;  // of four digits
  Bits<128> odd_beginnings_;             // ASCII signs
  std::vector<Needle> needles_;          // the first size_ of them; the rest keep their memory
  std::size_t size_ = 0;
  std::array<std::int32_t, kBuckets> heads_{};
  std::int32_t odd_ = kNone;  // those that begin with a sign
  mutable std::string lower_;
  mutable std::vector<Match> matches_;
};

}  // namespace mlops::policy
