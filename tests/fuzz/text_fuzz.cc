// Plain text in small blocks.
#include "policies/data/text_records.h"
#include "tests/fuzz/records_fuzz.h"

using namespace mlops;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const data::TextOptions options{.whole_bytes = 64, .block_bytes = 32};
  fuzz::check_kept([&](data::Source& source) { return data::open_text_records(source, options); },
                   fuzz::text_of(data, size));
  return 0;
}
