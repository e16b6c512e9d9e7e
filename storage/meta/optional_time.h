// Moments that may be missing: NULL in a row. Private to storage/meta. Thread-safety: pure functions.
#pragma once

#include <optional>

#include "core/base/clock.h"
#include "storage/sql/connection.h"

namespace mlops::meta {

inline std::optional<TimestampUs> time_or_none(const sql::Cursor& cursor, int column) {
  if (cursor.is_null(column)) return std::nullopt;
  return cursor.integer(column);
}

inline sql::Value time_or_null(const std::optional<TimestampUs>& time) {
  if (!time) return sql::Null{};
  return *time;
}

}  // namespace mlops::meta
