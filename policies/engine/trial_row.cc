// A test of one row: what the columns of the masked row must hold.
#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "policies/data/records.h"
#include "policies/engine/body.h"
#include "policies/engine/trial.h"
#include "policies/engine/trial_table.h"

namespace mlops::policy {
namespace {

constexpr std::string_view kRefuse = "refuse";
constexpr std::string_view kConsents = "yes";

std::string csv_cell(std::string_view text) {
  std::string cell = "\"";
  for (const char c : text) {
    if (c == '"') cell += '"';
    cell += c;
  }
  return cell + "\"";
}

// A name that the pattern fits.
std::string column_of(const std::string& declared) {
  if (!is_column_pattern(declared)) return declared;
  std::string name = declared;
  for (auto star = name.find('*'); star != std::string::npos; star = name.find('*')) {
    name.replace(star, name.compare(star, 2, "**") == 0 ? 2 : 1, "x");
  }
  return name;
}

struct Row {
  std::vector<std::string> columns;
  std::vector<std::string> cells;
};

Row row_of(const Policy::Body& body, const YamlNode& given) {
  const auto& consent = body.terms.purpose.consent;
  Row row;
  for (const auto& [key, value] : given.entries) {
    row.columns.push_back(key.scalar);
    row.cells.push_back(value.scalar);
  }
  for (const auto& declared : body.columns) {
    const auto& name = declared.name.value;
    const bool there = std::any_of(row.columns.begin(), row.columns.end(),
                                   [&](const std::string& column) { return column_matches(name, column); });
    if (there || body.is_optional(declared)) continue;
    row.columns.push_back(column_of(name));
    // A test that does not speak about consent is a test of a record that has it.
    const bool is_consent = consent && fold_column(consent->field.value) == fold_column(name);
    row.cells.emplace_back(is_consent ? kConsents : std::string_view());
  }
  return row;
}

TrialTable table_of(const Row& row) {
  std::vector<std::string> names, cells;
  for (const auto& column : row.columns) names.push_back(csv_cell(column));
  for (const auto& cell : row.cells) cells.push_back(csv_cell(cell));
  return {join(names, ",") + "\n" + join(cells, ",") + "\n", "row.csv"};
}

Result<Row> read_row(const std::string& csv) {
  data::StringSource source(csv);
  MLOPS_ASSIGN(const auto reader, data::open_records(source, {.path = "row.csv"}));
  Row row;
  row.columns = reader->columns();
  MLOPS_ASSIGN(const bool more, reader->next());
  row.cells.resize(row.columns.size());
  for (const auto& cell : more ? reader->cells() : std::vector<data::Cell>{}) row.cells[cell.column] = cell.text;
  return row;
}

const std::string* cell_in(const Row& row, std::string_view column) {
  for (std::size_t i = 0; i < row.columns.size(); ++i) {
    if (fold_column(row.columns[i]) == fold_column(column)) return &row.cells[i];
  }
  return nullptr;
}

// `expect: {zip: "021"}`; null: the column is gone; {not: TEXT}; {changed: true}.
void compare_cell(const YamlNode& key, const YamlNode& want, const std::string* got, const std::string& given,
                  TestResult& result) {
  const auto said = got ? fmt::format("'{}'", *got) : std::string("no such column");
  const auto problem = [&](const std::string& expected) {
    result.problems.push_back(fmt::format("{}: expected {}, got {}", key.scalar, expected, said));
  };
  if (want.is_null()) {
    if (got) problem("no such column");
  } else if (want.is_scalar()) {
    if (!got || *got != want.scalar) problem(fmt::format("'{}'", want.scalar));
  } else if (const auto* other = want.find("not")) {
    if (!got || got->find(other->scalar) != std::string::npos)
      problem(fmt::format("a cell without '{}'", other->scalar));
  } else if (const auto* changed = want.find("changed")) {
    const bool wanted = changed->scalar == "true";
    if (!got || (*got != given) != wanted) problem(wanted ? "another value" : fmt::format("'{}'", given));
  }
}

void expect_refusal(const InlineTest& test, const Result<std::string>& out, TestResult& result) {
  if (out) {
    result.problems.push_back("expected a refusal, got a masked row");
  } else if (!test.because.empty() && out.error().slug != test.because) {
    result.problems.push_back(fmt::format("expected refusal {}, got {}", test.because, out.error().slug));
  }
}

}  // namespace

void try_row(const Policy& policy, const InlineTest& test, TestResult& result) {
  const auto& given = *test.given.find("row");
  const auto in = row_of(policy.body(), given);
  const auto out = mask_trial(policy, table_of(in));
  if (test.expect.is_scalar() && test.expect.scalar == kRefuse) return expect_refusal(test, out, result);
  if (!out) {
    result.problems.push_back(fmt::format("refused: {} ({})", out.error().message, out.error().slug));
    return;
  }
  const auto row = read_row(*out);
  if (!row) {
    result.problems.push_back("the masked row cannot be read: " + row.error().message);
    return;
  }
  for (const auto& [key, want] : test.expect.entries) {
    const auto* before = cell_in(in, key.scalar);
    compare_cell(key, want, cell_in(*row, key.scalar), before ? *before : std::string{}, result);
  }
}

}  // namespace mlops::policy
