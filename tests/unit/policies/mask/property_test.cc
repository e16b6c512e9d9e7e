// What must hold for every transform and any text.
#include <algorithm>
#include <random>

#include "policies/mask/memory_vault.h"
#include "policies/mask/spans.h"
#include "tests/unit/policies/mask/mask_helpers.h"

using namespace mlops;
using namespace mlops::mask;

TEST_CASE("threat 14: of 10^6 random span sets the union goes and the rest stays byte for byte") {
  std::mt19937 random(11);
  constexpr std::size_t kLength = 40;
  std::string text;
  for (std::size_t i = 0; i < kLength; ++i) text.push_back(static_cast<char>('a' + i % 26));
  for (int round = 0; round < 1'000'000; ++round) {
    std::uint64_t covered = 0;
    std::vector<LabelledSpan> spans;
    for (unsigned n = random() % 8; n > 0; --n) {
      const std::size_t begin = random() % kLength;
      const std::size_t end = begin + random() % (kLength + 1 - begin);
      spans.push_back({{begin, end, 0.1 * (random() % 10)}, "#"});
      covered |= ((std::uint64_t{1} << end) - 1) & ~((std::uint64_t{1} << begin) - 1);
    }
    const auto united = unite_spans(std::move(spans));
    std::uint64_t united_cover = 0;
    std::size_t last_end = 0;
    bool disjoint = true;
    for (const auto& one : united) {
      disjoint = disjoint && one.span.begin >= last_end && one.span.begin < one.span.end;
      last_end = one.span.end;
      united_cover |= ((std::uint64_t{1} << one.span.end) - 1) & ~((std::uint64_t{1} << one.span.begin) - 1);
    }
    std::string rest;
    for (std::size_t i = 0; i < kLength; ++i) {
      if ((covered >> i & 1) == 0) rest.push_back(text[i]);
    }
    std::string replaced = replace_spans(text, united);
    replaced.erase(std::remove(replaced.begin(), replaced.end(), '#'), replaced.end());
    if (!disjoint || united_cover != covered || replaced != rest) FAIL("round " << round);
  }
}

namespace {

struct Setting {
  const char* id;
  const char* options;
};
// Every transform that must take a value away; generalize's zip3 and age_cap and date_truncate keep by law what is no
// identifier (an age of 40, a lone year).
constexpr Setting kSettings[] = {
    {"redact", "{}"},
    {"replace", "{with: \"-\"}"},
    {"mask", "{}"},
    {"mask", "{keep_last: 4}"},
    {"suppress", ""},
    {"pseudonymize", "{key: k}"},
    {"pseudonymize", "{key: k, form: plain}"},
    {"tokenize", "{vault: k}"},
    {"remap_id", "{key: k}"},
    {"fpe", "{key: k}"},
    {"fpe", "{key: k, alphabet: alnum}"},
    {"encrypt", "{key: k}"},
    {"encrypt_deterministic", "{key: k}"},
    {"date_shift", "{key: k, subject: \"column:patient\"}"},
    {"generalize", "{bucket: {width: 10}}"},
    {"generalize", "{hierarchy: {values: {alpha: beta}}}"},
    {"perturb", "{key: k, scale: 3}"},
    {"surrogate", "{key: k, type: name}"},
    {"surrogate", "{key: k, type: first_name}"},
    {"surrogate", "{key: k, type: last_name}"},
    {"surrogate", "{key: k, type: city}"},
    {"surrogate", "{key: k, type: street}"},
    {"surrogate", "{key: k, type: phone}"},
    {"surrogate", "{key: k, type: email}"},
    {"surrogate", "{key: k, type: date}"},
};

// Text as it comes: dates, numbers, ids, names, tokens cut short, bytes of no encoding.
std::string any_text(std::mt19937& random) {
  static const std::vector<std::string> kSeeds = {"1954-03-05",
                                                  "3/5/1954",
                                                  "05-Mar-1954",
                                                  "617-555-0123",
                                                  "Jane Roe",
                                                  "Roe, Jane",
                                                  "123-45-6789",
                                                  "40",
                                                  "-1.50",
                                                  "Patient/abc",
                                                  "urn:uuid:3f2504e0-4f89-41d3-9a0c-0305e82c3301",
                                                  "k1-00112233445566778899aabbccddeeff00112233",
                                                  "enc-k1-00",
                                                  "det-k1-ffff",
                                                  "tok-00112233445566778899aabbccddeeff",
                                                  "Boston",
                                                  "a",
                                                  "00000000",
                                                  "jane@example.org",
                                                  "7 Maple Street",
                                                  "[x",
                                                  "x]",
                                                  "\xEF\xBB\xBF",
                                                  "\xFF\xFE",
                                                  "Jos\xC3\xA9",
                                                  "1e5",
                                                  "0x1F",
                                                  "99999999999999999999"};
  std::string text = kSeeds[random() % kSeeds.size()];
  for (unsigned n = random() % 4; n > 0 && !text.empty(); --n) {
    const std::size_t at = random() % text.size();
    switch (random() % 3) {
      case 0:
        text[at] = static_cast<char>(random());
        break;
      case 1:
        text.insert(at, 1, static_cast<char>(random()));
        break;
      default:
        text.erase(at, 1);
    }
  }
  return text;
}

}  // namespace

TEST_CASE("threat 25 and 16: no transform gives back what it was given") {
  std::mt19937 random(23);
  const Row row{{"patient", "p1"}};
  MemoryVault vault;
  for (const auto& [id, options] : kSettings) {
    INFO(id << options);
    const auto transform = make(id, options).value();
    const Place place{.vault = &vault};
    const auto key = key_for(*transform, place);
    for (int i = 0; i < 3000; ++i) {
      const auto cell = any_text(random);
      const auto out = transform->apply(cell, {row, key, place.dataset, place.column, 1, &vault, nullptr});
      REQUIRE(out);
      // Blanks say nothing, nor does what could as well be the transform's own constant.
      const bool blank = cell.find_first_not_of(" \t\r\n\f\v*-") == std::string::npos;
      if (*out == cell && !blank) FAIL("a cell of " << cell.size() << " bytes stayed as it was in round " << i);
    }
  }
}

TEST_CASE("apply_batch says what apply says") {
  std::mt19937 random(29);
  const Row row{{"patient", "p1"}};
  for (const auto& [id, options] : kSettings) {
    INFO(id << options);
    const auto transform = make(id, options).value();
    if (std::string_view(id) == "encrypt") continue;  // a nonce of its own for each
    MemoryVault vault;
    const auto key = key_for(*transform, {});
    std::vector<std::string> texts;
    for (int i = 0; i < 200; ++i) texts.push_back(any_text(random));
    const std::vector<std::string_view> cells(texts.begin(), texts.end());
    const std::vector<const RowView*> rows(cells.size(), &row);
    std::vector<std::string> out{"left over"};
    REQUIRE(transform->apply_batch(cells, {key, "patients", "id", 10, rows, &vault}, out));
    REQUIRE(out.size() == cells.size());
    for (std::size_t i = 0; i < cells.size(); ++i) {
      REQUIRE(out[i] == transform->apply(cells[i], {row, key, "patients", "id", 10 + i, &vault}).value());
    }
  }
}

TEST_CASE("transforms that a key is lent write something else under another key") {
  const Row row{{"patient", "p1"}};
  for (const auto& [id, options] : kSettings) {
    const auto transform = make(id, options).value();
    if (transform->key_name().empty()) continue;
    INFO(id << options);
    MemoryVault one, two;
    int differ = 0;
    for (const std::string_view cell : {"1954-03-05", "40", "617-555-0123", "Jane Roe", "1999-12-31"}) {
      differ += run(*transform, cell, row, {.key_versions = 1, .vault = &one}) !=
                run(*transform, cell, row, {.key_versions = 2, .vault = &two});
    }
    CHECK(differ > 0);
  }
}
