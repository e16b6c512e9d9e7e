// Errors as values: the one error type of the whole house and its twelve codes.
//
// An Error says what was wrong (message), what to do next (hint) and carries a stable, machine-readable slug. Messages
// never contain a value of personal data (docs/STYLE.md). Thread-safety: plain values.
#pragma once

#include <string>
#include <string_view>

namespace mlops {

enum class ErrorCode {
  kInvalid,          // the input is wrong; sending it again will not help
  kNotFound,         // the thing named does not exist (or not at that time)
  kAlreadyExists,    // a different thing of that name exists
  kConflict,         // the state moved on since the caller looked
  kDenied,           // authenticated, but not allowed
  kUnauthenticated,  // no valid credential
  kRefused,          // the answer is no: a gate denied, findings, a difference
  kUnavailable,      // try again later
  kTimeout,          // the deadline passed
  kCorrupt,          // stored bytes fail their check
  kExhausted,        // a limit or a resource ran out
  kInternal,         // a defect in this program
};

struct [[nodiscard]] Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string slug;     // stable, snake_case, e.g. "version_not_found"
  std::string message;  // one sentence, what was wrong and where
  std::string hint;     // what to do next; may be empty
  std::string detail;   // canonical JSON with the facts, or empty
};

// The word of a code as it goes over the wire and into logs ("not_found"); total.
std::string_view to_word(ErrorCode code);
// The code of a word; kInternal for an unknown word.
ErrorCode error_code_from_word(std::string_view word);

}  // namespace mlops
