// Masking from end to end, of whatever table: it is refused, or people's columns are rewritten, nothing a detector
// finds survives in what is cut, and everything else stays as it was; and a table that is masked while it is planned,
// or record by record, comes out as from two passes over parts. The input is cells between "|", rows between line ends:
// what is no table would not get as far as masking.
#include <optional>
#include <string>

#include "core/base/text.h"
#include "policies/data/cell_shape.h"
#include "policies/detect/text_scanner.h"
#include "policies/engine/cell_scan.h"
#include "policies/engine/early_mask.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/policies/engine/mask_run.h"
#include "tests/unit/policies/mask/fixed_keys.h"

using namespace mlops;

namespace {

constexpr double kCounts = 0.5;
const mask::FixedKeys kKeys;

policy::Policy policy_of(const std::string& last_column, const std::string& last_rule) {
  auto policy = policy::load_policy(R"(apiVersion: mlops/v1
kind: PrivacyPolicy
metadata: {name: p, version: 1.0.0}
spec:
  classification:
    columns:
      mrn: {class: mrn}
      name: {class: person_name}
      los: {class: measurement}
      )" + last_column + R"(
  transforms:
    keys: {research: {purpose: pseudonymisation}}
    rules:
      - {match: {class: mrn}, apply: {pseudonymize: {key: research}}}
      - {match: {class: person_name}, apply: {redact: {with: "[NAME]"}}}
)" + last_rule,
                                    "p.yaml");
  fuzz::must(policy.has_value(), "the policy is one");
  return *policy;
}

struct Outcome {
  std::string text;
  std::string error;
  bool operator==(const Outcome&) const = default;
};

Outcome outcome_of(const Error& error) {
  fuzz::must(error.code == ErrorCode::kInvalid || error.code == ErrorCode::kRefused, "an error is one of the table");
  return {{}, error.message};
}

Outcome in_two_passes(const policy::Policy& policy, const Result<policy::FilePlan>& plan, const std::string& table,
                      const data::CsvOptions& csv = {}) {
  if (!plan) return outcome_of(plan.error());
  std::string out;
  const auto evidence = policy::mask_text(policy, *plan, table, out, {kKeys}, "d", "t.csv", csv);
  return evidence ? Outcome{std::move(out), {}} : outcome_of(evidence.error());
}

// nullopt: it has to be masked in two passes.
std::optional<Outcome> in_one_pass(const policy::Policy& policy, const std::string& table) {
  data::StringSource source(table);
  data::StringSink sink;
  const auto reader = data::open_records(source, {.path = "t.csv"});
  if (!reader) return std::nullopt;
  auto early = policy::EarlyMask::try_run(policy, {"t", "t", {kKeys}, "d"}, **reader, sink);
  if (!early) return std::nullopt;
  policy::DatasetPlanner planner(policy);
  const auto plan = planner.plan(*early);
  if (const auto done = planner.finish(); !done) return outcome_of(done.error());
  if (!plan) return outcome_of(plan.error());
  const auto evidence = early->conclude(*plan);
  if (!evidence) return std::nullopt;
  return *evidence ? Outcome{std::move(sink.text), {}} : outcome_of(evidence->error());
}

void check_nothing_survives(const std::string& text) {
  if (policy::is_placeholder(text) || data::number_shape(text) != data::NumberShape::kNone) return;
  std::vector<detect::TypedSpan> spans;
  detect::TextScanner().scan(text, spans);
  for (const auto& [span, detector] : spans) {
    const bool counts = span.score >= kCounts && detector->identifies() && detector->decides_by_value();
    fuzz::must(!counts, "nothing a detector finds survives");
  }
}

bool is_placeholder_byte(char c) {
  return (c >= 'A' && c <= 'Z') || c == '_';
}

// The next "[WORD]" from `at` on: where it begins and ends; twice the end of the text: there is none.
std::pair<std::size_t, std::size_t> next_placeholder(std::string_view text, std::size_t at) {
  for (auto begin = text.find('[', at); begin != std::string_view::npos; begin = text.find('[', begin + 1)) {
    auto end = begin + 1;
    while (end < text.size() && is_placeholder_byte(text[end])) ++end;
    if (end > begin + 1 && end < text.size() && text[end] == ']') return {begin, end + 1};
  }
  return {text.size(), text.size()};
}

// What stands between the placeholders stands in the original, in this order.
void check_rest_is_kept(std::string_view original, std::string_view masked) {
  std::size_t at = 0;
  for (std::size_t from = 0; from <= masked.size();) {
    const auto [begin, end] = next_placeholder(masked, from);
    const auto kept = masked.substr(from, begin - from);
    const auto found = original.find(kept, at);
    const bool fits = found != std::string_view::npos && (from > 0 || found == 0) &&
                      (end < masked.size() || begin < end || original.ends_with(kept));
    fuzz::must(fits, "everything else stays as it was");
    at = found + kept.size();
    if (begin == end) break;
    from = end;
  }
}

void check_masked(const policy::FilePlan& plan, const std::string& table, const std::string& masked) {
  data::StringSource before(table), after(masked);
  const auto original = data::open_records(before, {.path = "t.csv"});
  const auto result = data::open_records(after, {.path = "t.csv"});
  fuzz::must(original && result, "what was masked can be read");
  while (true) {
    const auto more = (*original)->next(), more_after = (*result)->next();
    fuzz::must(more && more_after && *more == *more_after, "no record comes or goes");
    if (!*more) return;
    const auto &cells = (*original)->cells(), &now = (*result)->cells();
    fuzz::must(cells.size() == now.size(), "no cell comes or goes");
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const auto& column = plan.columns[cells[i].column];
      if (column.transform == "keep") fuzz::must(cells[i].raw == now[i].raw, "what is kept stays byte for byte");
      const bool is_blank = trim(cells[i].text).empty();
      if (column.column == "name") fuzz::must(is_blank || now[i].text == "[NAME]", "every name is rewritten");
      if (column.column == "mrn") fuzz::must(is_blank || now[i].text != cells[i].text, "every number is rewritten");
      if (column.column != "note") continue;
      check_nothing_survives(std::string(now[i].text));
      check_rest_is_kept(cells[i].text, now[i].text);
    }
  }
}

// Rows of kCells cells; "^" breaks a line within a cell.
std::string rows_of(std::string_view input) {
  constexpr std::size_t kCells = 4;
  std::string rows;
  while (!input.empty()) {
    auto line = input.substr(0, input.find('\n'));
    input.remove_prefix(std::min(line.size() + 1, input.size()));
    for (std::size_t i = 0; i < kCells; ++i) {
      const auto cell = line.substr(0, i + 1 < kCells ? line.find('|') : line.size());
      line.remove_prefix(std::min(cell.size() + 1, line.size()));
      rows += i == 0 ? "\"" : ",\"";
      for (const char c : cell) rows += c == '"' ? "\"\"" : std::string(1, c == '^' ? '\n' : c);
      rows += '"';
    }
    rows += '\n';
  }
  if (is_valid_utf8(rows)) return rows;
  for (char& c : rows) c = static_cast<unsigned char>(c) >= 0x80 ? '?' : c;
  return rows;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto of_notes = policy_of("note: {class: free_text}",
                                         "      - {match: {class: free_text}, apply: {redact: {spans: detected}}}\n");
  static const auto of_codes = policy_of("ward: {class: category}", "");
  const auto rows = rows_of(fuzz::text_of(data, size));
  const auto notes = "mrn,name,los,note\n" + rows;
  const auto plan = policy::plan_text(of_notes, notes);
  const auto masked = in_two_passes(of_notes, plan, notes);
  if (plan && masked.error.empty()) check_masked(*plan, notes, masked.text);
  const auto codes = "mrn,name,los,ward\n" + rows;
  const auto two = in_two_passes(of_codes, policy::plan_text(of_codes, codes), codes);
  if (const auto early = in_one_pass(of_codes, codes)) fuzz::must(*early == two, "one pass gives what two give");
  const data::CsvOptions padded{.ragged = data::Ragged::kPad};  // such a table is not cut into parts
  const auto by_record = in_two_passes(of_codes, policy::plan_text(of_codes, codes, "t.csv", padded), codes, padded);
  fuzz::must(by_record == two, "records one by one give what parts give");
  return 0;
}
