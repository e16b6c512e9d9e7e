// One face over every kind of file: a reader gives records (a row, a JSON line, an element of a FHIR bundle, a block of
// text) as cells with a column each, and a writer puts the record back byte for byte, except for the cells that were
// replaced or dropped.
//
// A column is a header of a table; of JSON the pointer to the value with `*` for every array position
// ("/name/*/family"); of FHIR the element's path below its resource type ("Patient.name.family"); of plain text "text".
// A table's record has one cell a column, in order (a ragged row that is read all the same: fewer, or more of columns
// "extra_N"); a JSON record may have none or several of one column. Records are held one at a time, bounded by the
// limits of their format. Errors: kInvalid "csv_…", "json_…", "fhir_…", "text_…" with "line:column" (bytes, from 1),
// never with a value; those of source and sink pass through.
// Thread-safety: a reader and its writer belong to one thread; sources and sinks are borrowed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "policies/data/stream.h"

namespace mlops::data {

enum class Format { kCsv, kTsv, kJson, kJsonLines, kFhir, kFhirLines, kText, kUnknown };

enum class CellKind { kText, kNumber, kTruth, kNull };

// What a column's values are besides text. kReference: the key of a record or a link to one, of which equal
// keys must stay equal after masking. kMarkup: XHTML, tags must survive.
enum class ColumnKind { kPlain, kReference, kMarkup };

// One value of the current record. Views live until the reader's following next().
struct Cell {
  std::size_t column = 0;  // index into RecordReader::columns()
  std::string_view text;   // decoded: unquoted, unescaped; empty of kNull
  std::string_view raw;    // as it stands in the file, in UTF-8
  CellKind kind = CellKind::kText;
};

// What becomes of one cell. Dropped, a table's cell is left empty, a member of an object goes with its name and comma,
// an element of an array becomes null (the others keep their places), and an object or array of which nothing is left
// goes as well. A null is never replaced.
struct Change {
  enum class Kind { kKeep, kReplace, kDrop };
  Kind kind = Kind::kKeep;
  std::string text;  // of kReplace: the decoded new value; the writer quotes and escapes. Equal to the cell's: kept raw
  std::optional<std::string_view> lent;  // in place of `text`, from somebody who keeps it until it is written
  bool is_plain = false;                 // as RecordWriter::is_plain() has said of it, or of more

  std::string_view value() const { return lent ? *lent : std::string_view(text); }
};

// A record that stays while the reader goes on (RecordReader::keeps_records).
struct KeptRecord {
  std::span<const Cell> cells;
  std::string_view lead;   // what stands between the record before and this one
  std::string_view bytes;  // the record itself
  std::string_view end;    // its line end, where that is part of it
};

class RecordWriter {
 public:
  virtual ~RecordWriter() = default;
  // Writes the reader's current record; one change a cell, fewer: the rest are kept.
  // REQUIRES: after the reader's next() gave true, once.
  virtual Status write(std::span<const Change> changes) = 0;
  // The same of a record the reader has left. REQUIRES: in the order of the records, the reader keeps them.
  virtual Status write(const KeptRecord& record, std::span<const Change> changes);
  // Can a value of some of these bytes be written as it is, without quotes? False: that is looked at for each.
  virtual bool is_plain(std::string_view) const { return false; }
  // Leaves the reader's current record out, in place of write(); what separated it from the others goes with it. Of a
  // bundle only entries can be left out.
  virtual void skip() {}
  virtual void skip(const KeptRecord&) { skip(); }
  // Writes what is buffered and what follows the last record. REQUIRES: last call; without it records are lost.
  virtual Status finish() = 0;
};

class RecordReader;

// Some consecutive records of a file, to be read by themselves.
struct RecordPart {
  std::string bytes;
  std::uint64_t first_line = 1;    // of the file
  std::uint64_t first_record = 0;  // of the file
};

// A file cut into parts between its records, so that several threads can read it. The parts together are the file
// without what stands before its first record.
class RecordParts {
 public:
  virtual ~RecordParts() = default;
  // The following part; nullopt at the end. `memory`: the bytes of a part that is done with, whose memory is used
  // again. Errors: of the source, and of a format that cannot be cut there.
  virtual Result<std::optional<RecordPart>> next(std::string memory) = 0;
  Result<std::optional<RecordPart>> next() { return next(std::string()); }
  // A reader of one part, whose lines count as the file's, and whose writer writes the part alone. Its columns are
  // those of the part: of a table all of them, of JSON those it has. The part outlives the reader. Thread-safe.
  virtual Result<std::unique_ptr<RecordReader>> open(const RecordPart& part) const = 0;
};

class RecordReader {
 public:
  virtual ~RecordReader() = default;
  virtual Format format() const = 0;
  // The columns seen so far. Of a table all of them, before the first record; of JSON they grow with the records. An
  // index never changes its meaning, and the same file gives the same indices again.
  virtual const std::vector<std::string>& columns() const = 0;
  virtual ColumnKind column_kind(std::size_t) const { return ColumnKind::kPlain; }
  // Reads the next record; false at the end.
  virtual Result<bool> next() = 0;
  virtual const std::vector<Cell>& cells() const = 0;
  // Texts inside the current record that name its columns and were not seen before (keys of objects, of FHIR also the
  // urls of extensions), decoded. They are written as they stand and can hold personal data: scan them.
  virtual const std::vector<std::string>& new_keys() const;
  // True: whatever next() does, the views into records stay while the reader is there. Of parts.
  virtual bool keeps_records() const { return false; }
  // The current record, without its cells. REQUIRES: keeps_records().
  virtual KeptRecord kept() const { return {}; }
  virtual std::uint64_t line() const = 0;     // where the current record begins, from 1
  virtual std::uint64_t records() const = 0;  // given so far
  // A writer of this reader's records into `sink`. `dropped[i]`: column i leaves every record (shorter than the table:
  // the rest stay). REQUIRES: before the first next(); reader and sink outlive the writer.
  virtual Result<std::unique_ptr<RecordWriter>> writer(Sink& sink, std::vector<bool> dropped) = 0;
  // The records in parts instead of by next(); nullptr when this file cannot be cut. A writer made before still writes
  // what stands before the first record. REQUIRES: before the first next(), which is not called afterwards; the reader
  // outlives the parts.
  virtual std::unique_ptr<RecordParts> parts() { return nullptr; }
};

}  // namespace mlops::data
