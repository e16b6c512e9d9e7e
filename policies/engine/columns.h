// Which column of a file a column of the policy means: one rule for tables, JSON, FHIR and text.
//
// A name means the column of that name, without regard to case and to blanks at the ends. A name with a `*` segment is
// a pattern. Segments lie between '/' when the name begins with '/' or "**/" (JSON pointers, "/name/*/family"), else
// between '.' (FHIR paths, "Patient.name.family"; "patients.dob"). `*` stands for any one segment, `**` for any number
// of them, none included; other segments are compared as names are. A pattern that begins with "**" fits columns of
// both spellings ("**/ssn": "ssn", "/patient/ssn", "Patient.ssn"), any other only its own. Array positions are `*` in a
// JSON file's columns, so a pattern need not name them. A name beats a pattern, the first pattern beats later ones.
// Thread-safety: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mlops::policy {

struct DeclaredColumn;
struct Rule;

// Headers are compared without case and without blanks at the ends, so that "SSN " cannot slip past a rule for "ssn".
std::string fold_column(std::string_view name);
// Has a segment `*` or `**`.
bool is_column_pattern(std::string_view name);
bool column_matches(std::string_view pattern, std::string_view column);
// The declaration of a column: by name, else by the first pattern that fits; nullptr: none.
const DeclaredColumn* find_declared(const std::vector<DeclaredColumn>& columns, std::string_view column);
// The rule among `rules` written for a column, chosen likewise.
const Rule* find_column_rule(const std::vector<Rule>& rules, std::string_view column);

}  // namespace mlops::policy
