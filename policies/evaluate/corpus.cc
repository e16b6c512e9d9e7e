#include "policies/evaluate/corpus.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "core/base/env.h"
#include "core/base/json.h"
#include "core/base/text.h"

namespace mlops::evaluate {
namespace {

constexpr std::size_t kMostCorpusBytes = 256u << 20;

Failure bad(const std::string& where, const std::string& what) {
  return fail(ErrorCode::kInvalid, "bad_corpus", where + ": " + what);
}

// Where each code point begins, and the end of the text behind the last one.
std::vector<std::size_t> code_points(std::string_view text) {
  std::vector<std::size_t> begins;
  begins.reserve(text.size() + 1);
  for (std::size_t at = 0; at < text.size(); ++at) {
    if ((static_cast<unsigned char>(text[at]) & 0xC0) != 0x80) begins.push_back(at);
  }
  begins.push_back(text.size());
  return begins;
}

std::optional<GoldSpan> to_bytes(const std::vector<std::size_t>& begins, std::int64_t begin, std::int64_t end,
                                 std::string type) {
  if (begin < 0 || end <= begin || static_cast<std::size_t>(end) >= begins.size()) return std::nullopt;
  return GoldSpan{begins[static_cast<std::size_t>(begin)], begins[static_cast<std::size_t>(end)], std::move(type)};
}

// The members that say where a span is and what it is, in one corpus's words.
struct SpanWords {
  const char* begin;
  const char* end;
  const char* type;
  const char* value;  // checked against the text; may be absent
};
constexpr SpanWords kResearch{"start_position", "end_position", "entity_type", "entity_value"};
constexpr SpanWords kLines{"start", "end", "type", "value"};

bool is_integer(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_number_integer();
}
bool is_string(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string();
}

Status add_spans(const Json& item, const SpanWords& words, const std::string& where, Document& document) {
  const auto spans = item.find("spans");
  if (spans == item.end() || !spans->is_array()) return bad(where, "spans is no list");
  const auto begins = code_points(document.text);
  for (const Json& span : *spans) {
    if (!span.is_object() || !is_integer(span, words.begin) || !is_integer(span, words.end) ||
        !is_string(span, words.type)) {
      return bad(where, fmt::format("a span needs {}, {} and {}", words.begin, words.end, words.type));
    }
    const auto gold = to_bytes(begins, span.at(words.begin).get<std::int64_t>(), span.at(words.end).get<std::int64_t>(),
                               span.at(words.type).get<std::string>());
    if (!gold) return bad(where, "a span lies outside its text");
    if (is_string(span, words.value) &&
        document.text.compare(gold->begin, gold->end - gold->begin, span.at(words.value).get<std::string>()) != 0) {
      return bad(where, "a span's value is not what its offsets say (they are code points)");
    }
    document.gold.push_back(*gold);
  }
  return {};
}

std::string group_of(const Json& item, const char* key, const std::string& otherwise) {
  const auto it = item.find(key);
  if (it == item.end() || it->is_null()) return otherwise;
  return it->is_string() ? it->get<std::string>() : it->dump();
}

Result<Document> document_of(const Json& item, const char* text, const char* group, const SpanWords& words,
                             const std::string& where) {
  if (!item.is_object() || !is_string(item, text)) return bad(where, fmt::format("{} is missing", text));
  Document document{.name = where, .text = item.at(text).get<std::string>()};
  document.group = group_of(item, group, where);
  MLOPS_TRY(add_spans(item, words, where, document));
  return document;
}

JsonLimits corpus_limits() {
  JsonLimits limits;
  limits.size_bytes = kMostCorpusBytes;
  limits.nodes = 50'000'000;
  limits.string_bytes = 16u << 20;
  return limits;
}

// "10 15;20 25" → one span a piece.
Status add_pieces(std::string_view pieces, const std::string& type, const std::vector<std::size_t>& begins,
                  const std::string& where, Document& document) {
  for (const auto piece : split(pieces, ';')) {
    const auto numbers = split(piece, ' ');
    const auto begin = numbers.size() == 2 ? parse_int(numbers[0]) : std::nullopt;
    const auto end = numbers.size() == 2 ? parse_int(numbers[1]) : std::nullopt;
    auto gold = begin && end ? to_bytes(begins, *begin, *end, type) : std::nullopt;
    if (!gold) return bad(where, "a span lies outside its text");
    document.gold.push_back(std::move(*gold));
  }
  return {};
}

Result<std::vector<Document>> read_brat(const std::string& root) {
  namespace fs = std::filesystem;
  std::error_code error;
  std::vector<fs::path> paths;
  for (fs::recursive_directory_iterator it(root, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".ann") paths.push_back(it->path());
  }
  if (error) return fail(ErrorCode::kUnavailable, "io_error", "cannot list " + printable(root));
  if (paths.empty()) return bad(printable(root), "holds no .ann file with a .txt beside it");
  std::sort(paths.begin(), paths.end());
  std::vector<Document> documents;
  for (auto& path : paths) {
    MLOPS_ASSIGN(const auto annotations, read_file(path.string()));
    MLOPS_ASSIGN(auto text, read_file(fs::path(path).replace_extension(".txt").string()));
    MLOPS_ASSIGN(auto document, parse_brat(path.stem().string(), std::move(text), annotations));
    documents.push_back(std::move(document));
  }
  return documents;
}

}  // namespace

Result<std::vector<Document>> parse_research_json(std::string_view bytes, const std::string& origin) {
  MLOPS_ASSIGN(const Json items, parse_json(bytes, corpus_limits()));
  if (!items.is_array()) return bad(origin, "is no list of texts");
  std::vector<Document> documents;
  for (const Json& item : items) {
    const auto where = fmt::format("{}[{}]", origin, documents.size());
    MLOPS_ASSIGN(auto document, document_of(item, "full_text", "template_id", kResearch, where));
    documents.push_back(std::move(document));
  }
  return documents;
}

Result<std::vector<Document>> parse_json_lines(std::string_view bytes, const std::string& origin) {
  std::vector<Document> documents;
  std::size_t number = 0;
  for (const auto line : split(bytes, '\n')) {
    ++number;
    if (trim(line).empty()) continue;
    const auto where = fmt::format("{}:{}", origin, number);
    MLOPS_ASSIGN(const Json item, parse_json(line, corpus_limits()));
    MLOPS_ASSIGN(auto document, document_of(item, "text", "group", kLines, where));
    documents.push_back(std::move(document));
  }
  return documents;
}

Result<Document> parse_brat(std::string name, std::string text, std::string_view annotations) {
  Document document{.name = name, .group = std::move(name), .text = std::move(text)};
  const auto begins = code_points(document.text);
  for (const auto line : split(annotations, '\n')) {
    if (line.empty() || line[0] != 'T') continue;
    const auto fields = split(line, '\t');
    const auto blank = fields.size() < 2 ? std::string_view::npos : fields[1].find(' ');
    if (blank == std::string_view::npos) return bad(document.name, "an annotation without a type and offsets");
    MLOPS_TRY(add_pieces(fields[1].substr(blank + 1), std::string(fields[1].substr(0, blank)), begins, document.name,
                         document));
  }
  return document;
}

Result<std::vector<Document>> read_corpus(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return read_brat(path);
  MLOPS_ASSIGN(const auto bytes, read_file(path, kMostCorpusBytes));
  const auto origin = std::filesystem::path(path).filename().string();
  return path.ends_with(".jsonl") ? parse_json_lines(bytes, origin) : parse_research_json(bytes, origin);
}

bool is_in(const Document& document, Split split) {
  if (split == Split::kAll) return true;
  // FNV-1a, then the finalizer of MurmurHash3: the low bit of FNV alone depends on the low bits of the bytes alone.
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : document.group) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdu;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53u;
  hash ^= hash >> 33;
  return ((hash & 1) == 1) == (split == Split::kDevelopment);
}

}  // namespace mlops::evaluate
