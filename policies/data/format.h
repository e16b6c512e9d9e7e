// Which kind of file it is, by its name and its first bytes. Thread-safety: free functions without state.
//
// The name decides between tables, JSON and text; the bytes between JSON, JSON Lines and FHIR, about names that say
// nothing, and against a name that lies: what is packed, binary or pictures is kUnknown whatever it is called.
#pragma once

#include <optional>
#include <string_view>

#include "policies/data/record.h"

namespace mlops::data {

// `head`: the file's first bytes as UTF-8, 4 KiB or more when it has them, else all.
Format format_of(std::string_view path, std::string_view head);

inline bool is_table(Format format) {
  return format == Format::kCsv || format == Format::kTsv;
}
inline bool is_fhir(Format format) {
  return format == Format::kFhir || format == Format::kFhirLines;
}

// Begins with what only packed, binary or picture files begin with.
bool has_foreign_magic(std::string_view head);

// "csv", "tsv", "json", "jsonl", "fhir", "fhir-ndjson", "text", "unknown"; total.
std::string_view to_word(Format format);
std::optional<Format> format_from_word(std::string_view word);

}  // namespace mlops::data
