// Patterns in expressions are RE2: linear in the text, with a bounded program.
#include <re2/re2.h>

#include "policies/cel/functions.h"

namespace mlops::cel {
namespace {

constexpr std::int64_t kMaxProgramBytes = 1 << 20;

}  // namespace

Result<bool> matches_pattern(const std::string& text, const std::string& pattern) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMaxProgramBytes);
  const re2::RE2 regex(pattern, options);
  if (!regex.ok()) {
    return fail(ErrorCode::kInvalid, "cel_bad_pattern", "the pattern does not compile: " + regex.error(),
                "patterns are RE2: no look-around, no back-references");
  }
  return re2::RE2::PartialMatch(text, regex);
}

}  // namespace mlops::cel
