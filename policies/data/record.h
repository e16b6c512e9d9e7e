// One face over every kind of file: a reader gives records (a row, a JSON line, an element of a FHIR bundle, a block of
// text) as cells with a column each, and a writer puts the record back byte for byte, except for the cells that were
// replaced or dropped.
//
// A column is a header of a table; of JSON the pointer to the value with `*` for every array position
// ("/name/*/family"); of FHIR the element's path below its resource type ("Patient.name.family"); of plain text "text".
// A table's record has one cell a column, in order; a JSON record may have none or several of one column. Records are
// held one at a time, bounded by the limits of their format. Errors: kInvalid "csv_…", "json_…", "text_…" with
// "line:column" (bytes, from 1), never with a value; those of source and sink pass through.
// Thread-safety: a reader and its writer belong to one thread; sources and sinks are borrowed.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "policies/data/stream.h"

namespace mlops::data {

enum class CellKind { kText, kNumber, kTruth, kNull };

// One value of the current record. Views live until the reader's following next().
struct Cell {
  std::size_t column = 0;  // index into RecordReader::columns()
  std::string_view text;   // decoded: unquoted, unescaped
  std::string_view raw;    // as it stands in the file
  CellKind kind = CellKind::kText;
};

// What becomes of one cell.
struct Change {
  enum class Kind { kKeep, kReplace, kDrop };
  Kind kind = Kind::kKeep;
  std::string text;  // of kReplace: the decoded new value; the writer quotes and escapes
};

class RecordWriter {
 public:
  virtual ~RecordWriter() = default;
  // Writes the reader's current record; one change a cell. REQUIRES: after the reader's next() gave true, once.
  virtual Status write(std::span<const Change> changes) = 0;
  // Writes what is buffered and what follows the last record. REQUIRES: last call; without it records are lost.
  virtual Status finish() = 0;
};

class RecordReader {
 public:
  virtual ~RecordReader() = default;
  // The columns seen so far. Of a table all of them, before the first record; of JSON they grow with the records. An
  // index never changes its meaning.
  virtual const std::vector<std::string>& columns() const = 0;
  // Reads the next record; false at the end.
  virtual Result<bool> next() = 0;
  virtual const std::vector<Cell>& cells() const = 0;
  virtual std::uint64_t line() const = 0;     // where the current record begins, from 1
  virtual std::uint64_t records() const = 0;  // given so far
  // A writer of this reader's records into `sink`. `dropped[i]`: column i leaves every record (shorter than the table:
  // the rest stay). REQUIRES: before the first next(); reader and sink outlive the writer.
  virtual Result<std::unique_ptr<RecordWriter>> writer(Sink& sink, std::vector<bool> dropped) = 0;
};

}  // namespace mlops::data
