// purpose: what data is for, on which legal ground, and whose consent that takes.
#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "policies/engine/document.h"
#include "policies/engine/section.h"

namespace mlops::policy {
namespace {

using Words = std::vector<std::string>;

// GDPR 6(1)(a) to (f) and 9(2)(a) to (j).
const Words kBases{"art6_1_a", "art6_1_b", "art6_1_c", "art6_1_d", "art6_1_e", "art6_1_f"};
const Words kSpecialBases{"art9_2_a", "art9_2_b", "art9_2_c", "art9_2_d", "art9_2_e",
                          "art9_2_f", "art9_2_g", "art9_2_h", "art9_2_i", "art9_2_j"};
const Words kAudiences{"general", "mixed", "child_directed"};
const Words kOnMissing{"exclude_record", "deny"};

// A data use: words of a-z, 0-9, '_' and '.', as "train_ai_system" or "marketing.advertising".
bool is_use(std::string_view text) {
  const auto good = [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), good);
}

void read_uses(Section& section, std::string_view key, std::vector<std::string>& out) {
  std::vector<Marked<std::string>> list;
  section.texts(key, list);
  for (auto& use : list) {
    if (is_use(use.value)) {
      out.push_back(std::move(use.value));
    } else {
      section.reader().findings().error(use.mark, "bad_use",
                                        fmt::format("{} takes words of a-z, 0-9, '_' and '.'", key), "train_ai_system");
    }
  }
}

void read_consent(const YamlNode& node, Purpose& purpose, Findings& findings) {
  Section section(node, "purpose.consent", findings,
                  {"field", "required_for", "separate", "min_age", "age_field", "on_missing"});
  if (!section) return;
  constexpr std::int64_t kMostAge = 21;
  Consent consent;
  section.text("field", consent.field);
  section.need("field", consent.field.value);
  read_uses(section, "required_for", consent.required_for);
  read_uses(section, "separate", consent.separate);
  section.integer("min_age", 1, kMostAge, consent.min_age);
  section.text("age_field", consent.age_field);
  std::optional<OnMissingConsent> on_missing;
  section.word("on_missing", kOnMissing, on_missing);
  consent.on_missing = on_missing.value_or(OnMissingConsent::kDeny);
  purpose.consent = std::move(consent);
}

void read_basis(const YamlNode& node, Purpose& purpose, Findings& findings) {
  Section section(node, "purpose.lawful_basis", findings, {"default", "special"});
  section.word_text("default", kBases, purpose.lawful_basis);
  section.word_text("special", kSpecialBases, purpose.lawful_basis_special);
  section.need("default", purpose.lawful_basis);
}

}  // namespace

std::string_view to_word(OnMissingConsent word) {
  return kOnMissing[static_cast<std::size_t>(word)];
}

bool permits_use(const Purpose& purpose, std::string_view use) {
  return std::find(purpose.declared.begin(), purpose.declared.end(), use) != purpose.declared.end();
}

void read_purpose(const YamlNode& node, Document& document, Findings& findings) {
  Section section(
      node, "purpose", findings,
      {"declared", "lawful_basis", "special_category_condition", "dpia", "controller", "audience", "consent"});
  if (!section) return;
  auto& purpose = document.purpose;
  read_uses(section, "declared", purpose.declared);
  if (const auto* basis = section.find("lawful_basis")) read_basis(*basis, purpose, findings);
  section.text("special_category_condition", purpose.special_category_condition);
  section.text("dpia", purpose.dpia);
  section.text("controller", purpose.controller);
  section.word_text("audience", kAudiences, purpose.audience);
  if (const auto* consent = section.find("consent")) read_consent(*consent, purpose, findings);
}

}  // namespace mlops::policy
