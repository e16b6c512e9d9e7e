// What the files of one dataset say about each other.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/base/text.h"
#include "policies/engine/classes.h"
#include "policies/engine/name_words_of.h"
#include "policies/engine/scan_dataset.h"

namespace mlops::policy {
namespace {

constexpr double kDoubtful = 0.6;
constexpr std::string_view kPatientId = "patient_id";
constexpr std::string_view kKey = "identifier";
constexpr std::string_view kOrganizationName = "organization";

bool is_key(const ColumnProfile& column) {
  return column.class_name == kKey || column.class_name == kPatientId;
}

// "DESCRIPTION" of "description2".
std::string stem_of(std::string_view name) {
  auto text = to_lower_ascii(name);
  while (text.size() > 1 && text.back() >= '0' && text.back() <= '9') text.pop_back();
  return text;
}

// The key of a table of people is a person's, and so is every key of which all values are such keys.
void join_keys(std::vector<FileProfile>& files) {
  std::vector<std::pair<const FileProfile*, const ColumnProfile*>> people;
  for (auto& file : files) {
    if (!names_a_subject(name_words_of(file.table))) continue;
    for (auto& column : file.columns) {
      const auto words = name_words_of(column.column);
      const bool is_own_key = words.size() == 1 && words[0] == "id";
      if (!is_own_key || !is_key(column) || !column.stats.is_unique()) continue;
      column.class_name = kPatientId;
      column.because += ", the key of " + file.table;
      people.emplace_back(&file, &column);
    }
  }
  for (auto& file : files) {
    for (auto& column : file.columns) {
      if (column.class_name != kKey || column.stats.filled() == 0) continue;
      for (const auto& [table, key] : people) {
        if (&column == key || !key->stats.has_all_of(column.stats)) continue;
        column.class_name = kPatientId;
        column.because = fmt::format("all its values are keys of {}", table->table);
      }
    }
  }
}

void explain_by_namesakes(std::vector<FileProfile>& files) {
  std::map<std::string, const ColumnProfile*> surest;
  for (const auto& file : files) {
    for (const auto& column : file.columns) {
      if (column.confidence < kDoubtful || column.stats.filled() == 0) continue;
      auto& best = surest[stem_of(column.column)];
      if (!best || column.confidence > best->confidence) best = &column;
    }
  }
  for (auto& file : files) {
    for (auto& column : file.columns) {
      const auto found = surest.find(stem_of(column.column));
      const bool doubtful = column.confidence < kDoubtful;
      const bool settled = !doubtful || column.because == kByStandard;
      if (settled || found == surest.end() || !column.evidence.empty()) continue;
      column.class_name = found->second->class_name;
      column.confidence = kDoubtful;
      column.because = fmt::format("as {} elsewhere", printable(found->second->column));
    }
  }
}

void name_organizations(std::vector<FileProfile>& files) {
  for (auto& file : files) {
    if (!names_an_organization(name_words_of(file.table))) continue;
    for (auto& column : file.columns) {
      // A school has a name; a first name in its table is of somebody there.
      if (column.class_name != "person_name" || names_a_name_of_people(name_words_of(column.column))) continue;
      column.class_name = kOrganizationName;
      column.because = "a name in a table of " + file.table;
    }
  }
}

}  // namespace

void reconcile(std::vector<FileProfile>& files) {
  join_keys(files);
  explain_by_namesakes(files);
  name_organizations(files);
}

}  // namespace mlops::policy
