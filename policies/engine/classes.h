// The words a column or a rule may be classed with, and what each means to the engine.
//
// kIdentifier: must have a rule. kText: free text that may hold anything: must have a rule. kPlain: data that
// identifies nobody by itself: kept unless a rule says otherwise. The identifier classes follow 45 CFR
// 164.514(b)(2)(i)(A–R). A detector's id is a class too, listed here or not. Thread-safety: static storage, pure
// functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mlops::policy {

enum class ClassKind { kIdentifier, kText, kPlain };

// Where the cell of a masked column is looked for among the other cells of its row (names repeated in a note).
enum class Spread {
  kNone,        // too common a value (an age, a year) to say anything
  kText,        // cut out of free text
  kEverywhere,  // cut out of free text, and a finding when it stands in a kept column
};

struct ClassRow {
  std::string_view name;
  ClassKind kind = ClassKind::kIdentifier;
  Spread spread = Spread::kEverywhere;
  std::string_view summary;
};

inline constexpr std::string_view kFreeText = "free_text";
inline constexpr std::string_view kUnknownClass = "unknown";  // an undeclared column no detector recognised

const std::vector<ClassRow>& classes();
// The row of a class; a word without one (a policy's own detector) is an identifier that spreads everywhere.
ClassRow class_of(std::string_view name);
bool is_listed_class(std::string_view name);
// The class whose rule speaks for `name` where none is written for it: "national_id" for a country's number,
// "identifier" for any other class that only a built-in detector knows; empty: none.
std::string_view broader_class(std::string_view name);

// How much a transform takes away, for "merge toward restriction" (suppress is the strongest); unknown: 0 as keep.
int transform_strength(std::string_view transform);

}  // namespace mlops::policy
