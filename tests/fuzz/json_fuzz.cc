// JSON and JSON Lines; what one line holds must be as valid for another parser as for this one.
#include "policies/data/json_records.h"
#include "tests/fuzz/records_fuzz.h"

using namespace mlops;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const data::JsonOptions options{.max_record_bytes = 2048, .max_depth = 16, .max_columns = 200};
  for (const auto format : {data::Format::kJson, data::Format::kJsonLines}) {
    fuzz::check_records([&](data::Source& source) { return data::open_json_records(source, options, format); },
                        fuzz::text_of(data, size));
  }
  return 0;
}
