// Texts with labelled personal data, as public corpora publish them.
//
//   FILE.json     a list of {full_text, spans: [{entity_type, entity_value, start_position, end_position}],
//   template_id} FILE.jsonl    a line each: {"text": …, "spans": [{"start": …, "end": …, "type": …}], "group": …}
//   DIRECTORY     brat stand-off: NAME.txt with NAME.ann beside it, in any depth ("T1<TAB>TYPE 10 15;20 25<TAB>text")
// Offsets in all three are Unicode code points; here they are bytes. Only text-bound annotations (T…) are read.
// Errors: kInvalid "bad_corpus" (what is wrong and where, never the text), those of core/base/env.h. Thread-safety:
// free functions, plain values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace mlops::evaluate {

struct GoldSpan {
  std::size_t begin = 0;  // byte offsets into the text, [begin, end)
  std::size_t end = 0;
  std::string type;  // the corpus's own word
};

struct Document {
  std::string name;
  std::string group;  // texts made from one template stay on one side of a split; the document itself without one
  std::string text;
  std::vector<GoldSpan> gold;
};

Result<std::vector<Document>> read_corpus(const std::string& path);

Result<std::vector<Document>> parse_research_json(std::string_view bytes, const std::string& origin);
Result<std::vector<Document>> parse_json_lines(std::string_view bytes, const std::string& origin);
Result<Document> parse_brat(std::string name, std::string text, std::string_view annotations);

// Development texts may be looked at while detectors are tuned, held-out ones only counted. The side is a hash of the
// group's name, so it is the same in every run and on every machine; about half of the groups are on each side.
enum class Split { kAll, kDevelopment, kHeldOut };
bool is_in(const Document& document, Split split);

}  // namespace mlops::evaluate
