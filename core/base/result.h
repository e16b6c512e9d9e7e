// Result<T>: a value or an Error. Own code throws nothing; foreign exceptions are converted where they enter.
#pragma once

#include <tl/expected.hpp>
#include <utility>

#include "core/base/error.h"

namespace mlops {

template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using Base = tl::expected<T, Error>;
  using Base::Base;
  // Not defaulted: `return {}` would first fill the room of an error with zeros.
  Result() : Base() {}
  Result(Base base) : Base(std::move(base)) {}
};

using Status = Result<void>;
using Failure = tl::unexpected<Error>;

// The way to make an error: `return fail(ErrorCode::kNotFound, "version_not_found", fmt::format(…), "try …");`
inline Failure fail(ErrorCode code, std::string slug, std::string message, std::string hint = {},
                    std::string detail = {}) {
  return Failure(Error{code, std::move(slug), std::move(message), std::move(hint), std::move(detail)});
}
inline Failure fail(Error error) {
  return Failure(std::move(error));
}

}  // namespace mlops

#define MLOPS_CONCAT_INNER(a, b) a##b
#define MLOPS_CONCAT(a, b) MLOPS_CONCAT_INNER(a, b)

// MLOPS_TRY(expr): returns the error of a Status, or goes on.
#define MLOPS_TRY(expr)                                                                                   \
  do {                                                                                                    \
    if (auto mlops_status = (expr); !mlops_status) return ::mlops::fail(std::move(mlops_status.error())); \
  } while (false)

// MLOPS_ASSIGN(auto x, expr): binds the value of a Result, or returns its error.
#define MLOPS_ASSIGN(decl, expr) MLOPS_ASSIGN_IMPL(MLOPS_CONCAT(mlops_result_, __COUNTER__), decl, expr)
#define MLOPS_ASSIGN_IMPL(result, decl, expr)                   \
  auto result = (expr);                                         \
  if (!result) return ::mlops::fail(std::move(result.error())); \
  decl = std::move(*result)
