// What a column's values say together: is a pass rate chance, or is this a column of the identifier?
//
// One value that passes a check digit is weak evidence, two hundred are strong. Under chance each value passes with
// probability fp; a column of the identifier passes nearly always, with typing errors, blanks written as zeros and
// other people's numbers between. Compared are the binomial likelihoods of both, from prior odds of 1 to 99: 9 % of
// 200 values passing a modulus of eleven is a column of integers, 97 % is one of the identifier. A check that most
// strings pass (fp near 1) never decides alone. Thread-safety: pure function.
#pragma once

#include <cstdint>

namespace mlops::detect {

// Probability, 0–1, that the column holds the identifier. `values` are the DISTINCT filled ones that have its shape
// (a repeated value is one trial), `passes` those whose check holds, `false_positive` as in score.h.
// REQUIRES: passes ≤ values, 0 < false_positive ≤ 1. No values: 0.
double column_probability(std::uint64_t values, std::uint64_t passes, double false_positive);

}  // namespace mlops::detect
