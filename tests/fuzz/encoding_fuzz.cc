// Any file by the one door: format and encoding detected, or the encoding declared.
#include "policies/data/format.h"
#include "policies/data/records.h"
#include "tests/fuzz/records_fuzz.h"

using namespace mlops;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  constexpr const char* kPaths[] = {"", "t.csv", "t.json", "t.jsonl", "t.txt", "t.tsv"};
  data::RecordOptions options{.path = kPaths[size % std::size(kPaths)]};
  options.csv.ragged = data::Ragged::kPad;
  const auto open = [&](data::Source& source) { return data::open_records(source, options); };
  fuzz::check_kept(open, text);
  for (const auto encoding :
       {data::Encoding::kUtf16Le, data::Encoding::kUtf16Be, data::Encoding::kLatin1, data::Encoding::kCp1252}) {
    options.encoding = encoding;
    fuzz::check_kept(open, text);
  }
  return 0;
}
