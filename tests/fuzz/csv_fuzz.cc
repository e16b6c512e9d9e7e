// Tables: every dialect, ragged rows included.
#include "policies/data/csv_records.h"
#include "tests/fuzz/records_fuzz.h"

using namespace mlops;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  data::CsvOptions options;
  options.max_row_bytes = 1024;
  options.max_cell_bytes = 512;
  options.max_columns = 64;
  options.ragged = size % 2 == 0 ? data::Ragged::kPad : data::Ragged::kError;
  // The delimiter is fixed: a replaced cell may not make another one look likelier.
  options.delimiter = size % 3 == 0 ? ';' : ',';
  fuzz::check_records([&](data::Source& source) { return data::open_csv_records(source, options); },
                      fuzz::text_of(data, size));
  options.delimiter.reset();
  data::StringSource source(fuzz::text_of(data, size));
  if (const auto reader = data::open_csv_records(source, options); !reader) fuzz::check_error(reader.error());
  return 0;
}
