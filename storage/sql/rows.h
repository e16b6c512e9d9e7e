// All rows of a query at once, for answers that are known to be short. Errors: those of Cursor, and of `read`.
// Thread-safety: as the cursor's connection.
#pragma once

#include <string>
#include <type_traits>
#include <vector>

#include "storage/sql/connection.h"

namespace mlops::sql {

template <class T>
struct RowOf {
  using Type = T;
};
template <class T>
struct RowOf<Result<T>> {
  using Type = T;
};

// `read` makes a row, or a Result of one, of the cursor's present position.
template <class Read>
auto read_all(Cursor cursor, Read read)
    -> Result<std::vector<typename RowOf<std::invoke_result_t<Read, const Cursor&>>::Type>> {
  using Made = std::invoke_result_t<Read, const Cursor&>;
  using Row = typename RowOf<Made>::Type;
  std::vector<Row> rows;
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return rows;
    if constexpr (std::is_same_v<Made, Row>) {
      rows.push_back(read(cursor));
    } else {
      MLOPS_ASSIGN(auto row, read(cursor));
      rows.push_back(std::move(row));
    }
  }
}

// The first column of each row.
inline Result<std::vector<std::string>> read_texts(Cursor cursor) {
  return read_all(std::move(cursor), [](const Cursor& at) { return at.text(0); });
}

}  // namespace mlops::sql
