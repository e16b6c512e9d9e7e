// From evidence to a score, written once for every identifier with a structure of its own.
//
//   log-odds = prior of the shape + evidence of the check + context
//   score    = 1 / (1 + e^-log-odds), then held down by the caps below
//
// prior: how seldom the shape is anything else. check: ln(1 / fp) when the check digit holds, fp being the share of
// random strings of that shape that pass; kFailedCheck when it does not (a mistyped number still identifies).
// context: the column's name or a keyword. Caps without context: 0.6 where fp is above 1 % (a valid check digit is
// chance too often), 0.45 for bare digits (whatever passes: a file of numbers holds thousands of each). A finding
// counts from 0.5 on; free text is redacted from 0.3 on. Thread-safety: pure functions.
#pragma once

#include <algorithm>
#include <cmath>

namespace mlops::detect {

enum class Structure { kBareDigits, kGroupedDigits, kMixed, kDistinctive };
enum class CheckOutcome { kNone, kHolds, kFails };
enum class IdContext { kNone, kNear, kLeads, kColumn };

struct IdEvidence {
  Structure structure = Structure::kBareDigits;
  CheckOutcome check = CheckOutcome::kNone;
  double false_positive = 1;  // share of random strings of the shape that pass, (0, 1]
  IdContext context = IdContext::kNone;
};

inline constexpr double kFailedCheck = -2;
inline constexpr double kMostWithoutContext = 0.6;
inline constexpr double kMostOfBareDigits = 0.45;

constexpr double structure_log_odds(Structure structure) {
  constexpr double kLogOdds[] = {-4.6, -2.6, -2.2, 0};
  return kLogOdds[static_cast<int>(structure)];
}
constexpr double context_log_odds(IdContext context) {
  constexpr double kLogOdds[] = {0, 4, 7, 7};
  return kLogOdds[static_cast<int>(context)];
}

inline double id_score(const IdEvidence& evidence) {
  double log_odds = structure_log_odds(evidence.structure) + context_log_odds(evidence.context);
  if (evidence.check == CheckOutcome::kHolds) log_odds += std::log(1 / evidence.false_positive);
  if (evidence.check == CheckOutcome::kFails) log_odds += kFailedCheck;
  const double score = 1 / (1 + std::exp(-log_odds));
  if (evidence.context != IdContext::kNone) return score;
  if (evidence.structure == Structure::kBareDigits) return std::min(score, kMostOfBareDigits);
  return evidence.false_positive > 0.01 ? std::min(score, kMostWithoutContext) : score;
}

}  // namespace mlops::detect
