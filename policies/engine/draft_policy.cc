// Writing down what a scan found as a policy to start from.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/base/text.h"
#include "policies/engine/body.h"
#include "policies/engine/classes.h"
#include "policies/engine/scan_dataset.h"

namespace mlops::policy {
namespace {

constexpr double kLookTwice = 0.6;
constexpr std::string_view kKeyName = "research";
// Keys of records: pseudonyms of one dataset-wide scope keep its tables joinable.
constexpr std::string_view kKeyClasses[] = {"patient_id", "identifier"};

bool is_plain_key(std::string_view name) {
  return !name.empty() &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") ==
             std::string_view::npos &&
         name[0] != '-' && name[0] != '.' && !(name[0] >= '0' && name[0] <= '9');
}

std::string yaml_key(const std::string& name) {
  return is_plain_key(name) ? name : Json(name).dump();
}

// A name that is one class wherever it stands is declared once; one that differs by table is declared with its table.
struct Declared {
  std::string key;
  const ColumnProfile* profile = nullptr;
  std::string tables;
};

std::vector<Declared> declarations(const std::vector<FileProfile>& files) {
  std::map<std::string, std::set<std::string>> classes_of;
  for (const auto& file : files) {
    for (const auto& column : file.columns) classes_of[to_lower_ascii(column.column)].insert(column.class_name);
  }
  std::vector<Declared> list;
  std::map<std::string, std::size_t> shared;
  for (const auto& file : files) {
    for (const auto& column : file.columns) {
      if (column.because == kByStandard) continue;
      const auto folded = to_lower_ascii(column.column);
      if (classes_of[folded].size() > 1) {
        list.push_back({file.table + "." + column.column, &column, file.table});
        continue;
      }
      const auto [known, is_new] = shared.emplace(folded, list.size());
      if (is_new) {
        list.push_back({column.column, &column, file.table});
      } else {
        list[known->second].tables += ", " + file.table;
      }
    }
  }
  return list;
}

std::string reason(const Declared& one, bool several_files) {
  const auto& profile = *one.profile;
  auto text = fmt::format("{:.2f} {}", profile.confidence, profile.because);
  if (several_files) text += "; in " + one.tables;
  if (profile.confidence < kLookTwice) text += "  <- look here";
  return text;
}

// The transform of a key under a pack: a random token where the law wants the code underived, else a keyed pseudonym.
std::string key_transform(const std::string& class_name, bool is_reference, const std::string& pack) {
  if (is_reference) return fmt::format("remap_id: {{key: {}}}", kKeyName);
  const bool underived = pack == "hipaa-safe-harbor" && class_name == "patient_id";
  return underived ? fmt::format("tokenize: {{vault: {}, scope: dataset}}", kKeyName)
                   : fmt::format("pseudonymize: {{key: {}, scope: dataset}}", kKeyName);
}

struct Used {
  std::set<std::string> classes;
  bool has_references = false;  // FHIR: keys stand in references too
};

// Rules for keys, and for classes the pack has none for.
std::string rules_text(const Used& used, const std::string& pack, const Policy* loaded) {
  std::string text;
  for (const auto& name : used.classes) {
    const bool is_key = std::find(std::begin(kKeyClasses), std::end(kKeyClasses), name) != std::end(kKeyClasses);
    if (is_key) {
      text += fmt::format("      - {{match: {{class: {}}}, apply: {{{}}}}}\n", name,
                          key_transform(name, used.has_references, pack));
      continue;
    }
    const auto kind = class_of(name).kind;
    if (kind == ClassKind::kPlain || (loaded && loaded->body().rule_for_class(name))) continue;
    text += fmt::format("      - {{match: {{class: {}}}, apply: {{redact: {}}}}}\n", name,
                        kind == ClassKind::kText ? "{spans: detected}" : "{}");
  }
  return text;
}

Used used_in(const std::vector<FileProfile>& files) {
  Used used;
  for (const auto& file : files) {
    for (const auto& column : file.columns) {
      used.classes.insert(column.class_name);
      used.has_references |= column.because == kByStandard;
    }
  }
  return used;
}

}  // namespace

std::string draft_policy(const std::string& name, const std::string& pack, const std::vector<FileProfile>& files) {
  std::optional<Policy> loaded;
  for (const auto& one : packs()) {
    if (one.name != pack) continue;
    if (auto policy = load_policy(one.yaml, pack + ".yaml")) loaded = std::move(*policy);
  }
  std::string text =
      "# A draft by `mlopsctl policy scan`: every class below is a proposal, with how sure it is and why. Read each "
      "line,\n"
      "# correct what is wrong, then lint, test and try it. Nothing is masked by what nobody has read.\n"
      "apiVersion: mlops/v1\nkind: PrivacyPolicy\nmetadata:\n";
  text += fmt::format("  name: {}\n  version: 0.1.0\n", name);
  if (!pack.empty()) text += fmt::format("  extends: [pack/{}]\n", pack);
  text += "spec:\n  select: {kinds: [dataset]}\n  classification:\n    unknown_column: quarantine\n";
  const auto list = declarations(files);
  if (!list.empty()) text += "    columns:\n";
  std::size_t widest = 0;
  std::vector<std::string> lines;
  for (const auto& one : list) {
    lines.push_back(fmt::format("      {}: {{class: {}}}", yaml_key(one.key), one.profile->class_name));
    widest = std::max(widest, lines.back().size());
  }
  for (std::size_t i = 0; i < lines.size(); ++i) {
    text += fmt::format("{:<{}}  # {}\n", lines[i], widest, reason(list[i], files.size() > 1));
  }
  const auto rules = rules_text(used_in(files), pack, loaded ? &*loaded : nullptr);
  if (rules.empty()) return text;
  text += "  transforms:\n";
  if (rules.find(kKeyName) != std::string::npos) {
    text += fmt::format("    keys: {{{}: {{purpose: pseudonymisation}}}}\n", kKeyName);
  }
  return text + "    rules:\n" + rules;
}

}  // namespace mlops::policy
