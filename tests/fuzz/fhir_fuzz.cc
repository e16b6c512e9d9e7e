// FHIR bundles, resources and NDJSON.
#include "policies/data/fhir_elements.h"
#include "policies/data/fhir_records.h"
#include "tests/fuzz/records_fuzz.h"

using namespace mlops;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  static_cast<void>(data::fhir_class(text));
  const data::JsonOptions options{.max_record_bytes = 2048, .max_depth = 16, .max_columns = 200};
  for (const auto format : {data::Format::kFhir, data::Format::kFhirLines}) {
    fuzz::check_readable([&](data::Source& source) { return data::open_fhir_records(source, options, format); }, text);
  }
  return 0;
}
