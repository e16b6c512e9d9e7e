// All detectors on whatever text, program source and logs included: what is found lies in the text.
#include "policies/detect/text_scanner.h"
#include "tests/fuzz/fuzz.h"

using namespace mlops;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const detect::TextScanner scanner;
  const auto text = fuzz::text_of(data, size);
  std::vector<detect::TypedSpan> spans;
  scanner.scan(text, spans);
  for (const auto& [span, detector] : spans) {
    fuzz::must(detector != nullptr && span.begin < span.end && span.end <= text.size(), "a finding lies in the text");
    fuzz::must(span.score > 0 && span.score <= 1, "a score is one");
  }
  return 0;
}
