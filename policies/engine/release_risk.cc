#include "policies/engine/release_risk.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>

#include "core/base/text.h"
#include "policies/data/format.h"
#include "policies/engine/body.h"
#include "policies/engine/column_work.h"
#include "policies/risk/assess.h"

namespace mlops::policy {
namespace {

constexpr std::size_t kMaxTableBytes = std::size_t{1} << 30;
constexpr char kBetweenCells = '\x1f';

// What leaves one value a person, so that people can be told apart and counted.
constexpr std::array<std::string_view, 7> kKeepsApart{"keep", "pseudonymize", "tokenize", "encrypt_deterministic",
                                                      "fpe",  "remap_id",     "hash"};

bool is_column(const std::string& wanted, const std::string& table, const ColumnPlan& column) {
  const auto name = fold_column(wanted);
  return name == fold_column(column.named_as) || column_matches(wanted, column.column) ||
         column_matches(wanted, table + "." + column.column);
}

bool leaves(const ColumnPlan& column) {
  return column.transform != "suppress";
}

bool keeps_apart(const ColumnPlan& column) {
  return std::find(kKeepsApart.begin(), kKeepsApart.end(), column.transform) != kKeepsApart.end();
}

template <class Keep>
bool has_column(const FilePlan& plan, const std::string& wanted, Keep keep) {
  return std::any_of(plan.columns.begin(), plan.columns.end(),
                     [&](const ColumnPlan& column) { return keep(column) && is_column(wanted, plan.table, column); });
}

Json l_json(const risk::RiskRequirement& requirement, const risk::RiskReport& report) {
  Json list = Json::array();
  for (std::size_t i = 0; i < requirement.l.size(); ++i) {
    const auto& rule = requirement.l[i];
    const auto& have = report.table.diversity[i].diversity;
    Json one = {{"attr", rule.attr}, {"kind", to_word(rule.kind)}, {"need", rule.min}};
    one["have"] = rule.kind == risk::DiversityRequirement::Kind::kDistinct ? Json(have.distinct) : Json(have.entropy);
    list.push_back(std::move(one));
  }
  return list;
}

Json t_json(const risk::RiskRequirement& requirement, const risk::RiskReport& report) {
  Json list = Json::array();
  for (std::size_t i = 0; i < requirement.t.size(); ++i) {
    const auto& rule = requirement.t[i];
    list.push_back({{"attr", rule.attr}, {"need", rule.max}, {"have", report.table.closeness[i].distance}});
  }
  return list;
}

Json shortfalls_json(const risk::RiskReport& report) {
  Json list = Json::array();
  for (const auto& one : report.shortfalls) {
    list.push_back({{"rule", one.rule}, {"need", one.need}, {"have", one.have}});
    if (!one.attr.empty()) list.back()["attr"] = one.attr;
  }
  return list;
}

Json reached_json(const std::vector<std::string>& tables, const risk::RiskRequirement& requirement,
                  const risk::RiskReport& report) {
  const auto& sizes = report.table.sizes;
  Json json = {{"tables", tables},
               {"quasi_identifiers", requirement.quasi},
               {"counts", requirement.subject.empty() ? "records" : "subjects"},
               {"records", report.table.records},
               {"classes", sizes.classes},
               {"unique", sizes.unique},
               {"k", {{"need", requirement.k}, {"have", sizes.smallest}}},
               {"l", l_json(requirement, report)},
               {"t", t_json(requirement, report)},
               {"suppressed", report.is_suppressed ? report.suppress_records : 0}};
  if (report.is_met()) return json;
  json["below_k"] = sizes.below_k;
  json["shortfalls"] = shortfalls_json(report);
  return json;
}

std::string shortfall_text(const risk::Shortfall& one) {
  const auto of = one.attr.empty() ? std::string{} : " of " + printable(one.attr);
  return fmt::format("{}{} is {:.6g} where {:.6g} is asked", one.rule, of, one.have, one.need);
}

}  // namespace

// Which cells of a masked file's records the risk is measured on: quasi-identifiers, sensitive columns, subject.
class ReleaseRisk::Columns {
 public:
  Columns(const Terms& terms, const FilePlan& plan) {
    const auto take = [&](const std::string& name, std::vector<std::string>& into) {
      if (std::find(into.begin(), into.end(), name) == into.end() && has_column(plan, name, leaves))
        into.push_back(name);
    };
    for (const auto& one : terms.risk.quasi_identifiers) take(one.value, wanted_.quasi);
    if (wanted_.quasi.empty()) return;
    for (const auto& one : terms.risk.l) take(one.attribute.value, wanted_.sensitive);
    for (const auto& one : terms.risk.t) take(one.attribute.value, wanted_.sensitive);
    const auto& subject = terms.erasure.subject_key.value;
    if (!subject.empty() && has_column(plan, subject, keeps_apart)) wanted_.subject = subject;
    learn(plan);
  }

  const risk::RiskColumns& wanted() const { return wanted_; }
  bool is_judged() const { return !wanted_.quasi.empty(); }
  bool is_same_table(const risk::RiskColumns& other) const {
    return wanted_.quasi == other.quasi && wanted_.sensitive == other.sensitive && wanted_.subject == other.subject;
  }

  // A table that lacks a column which masking left in it was not read as what was written.
  Status check(const data::RecordReader& reader) const {
    if (!data::is_table(reader.format())) return {};
    const auto& names = reader.columns();
    const bool all = std::all_of(by_name_.begin(), by_name_.end(), [&](const auto& column) {
      return std::find(names.begin(), names.end(), column.first) != names.end();
    });
    return all ? Status() : table_changed();
  }

  // The cells of the reader's current record; nullptr: the record is none that is judged.
  const std::vector<std::string_view>* cells(const data::RecordReader& reader) {
    const auto& names = reader.columns();
    while (places_.size() < names.size()) {
      const auto known = by_name_.find(names[places_.size()]);
      places_.push_back(known == by_name_.end() ? nullptr : &known->second);
    }
    for (auto& text : texts_) text.reset();
    bool is_held = false;
    for (const auto& cell : reader.cells()) {
      if (!places_[cell.column]) continue;
      is_held = true;
      for (const auto place : *places_[cell.column]) {
        auto& text = texts_[place];
        if (text) {
          *text += kBetweenCells;
          *text += cell.text;
        } else {
          text = cell.text;
        }
      }
    }
    if (!is_held && data::is_fhir(reader.format())) return nullptr;
    cells_.clear();
    for (const auto& text : texts_) cells_.push_back(text ? std::string_view(*text) : std::string_view());
    return &cells_;
  }

 private:
  void learn(const FilePlan& plan) {
    std::vector<std::string> names = wanted_.quasi;
    names.insert(names.end(), wanted_.sensitive.begin(), wanted_.sensitive.end());
    if (!wanted_.subject.empty()) names.push_back(wanted_.subject);
    texts_.resize(names.size());
    for (const auto& column : plan.columns) {
      for (std::size_t place = 0; place < names.size(); ++place) {
        if (leaves(column) && is_column(names[place], plan.table, column)) by_name_[column.column].push_back(place);
      }
    }
  }

  risk::RiskColumns wanted_;
  std::unordered_map<std::string, std::vector<std::size_t>> by_name_;
  std::vector<const std::vector<std::size_t>*> places_;  // by the reader's columns; nullptr: none of ours
  std::vector<std::optional<std::string>> texts_;
  std::vector<std::string_view> cells_;
};

struct ReleaseRisk::Table {
  explicit Table(risk::RiskColumns columns) : risk(std::move(columns), kMaxTableBytes) { risk.add_version(); }
  risk::RiskTable risk;
  std::vector<std::string> names;
  std::vector<bool> gone;  // by record, once judged
};

struct ReleaseRisk::File {
  FilePlan plan;
  Table* table = nullptr;  // nullptr: not judged
  std::size_t first = 0;   // record of the table
  std::size_t records = 0;
};

ReleaseRisk::ReleaseRisk(const Policy& policy) : policy_(policy) {}
ReleaseRisk::ReleaseRisk(ReleaseRisk&&) noexcept = default;
ReleaseRisk::~ReleaseRisk() = default;

bool ReleaseRisk::is_asked() const {
  return policy_.terms().risk.is_set();
}

ReleaseRisk::Table& ReleaseRisk::table_for(const Columns& columns) {
  for (const auto& table : tables_) {
    if (columns.is_same_table(table->risk.columns())) return *table;
  }
  return *tables_.emplace_back(std::make_unique<Table>(columns.wanted()));
}

Status ReleaseRisk::read(const FilePlan& plan, data::RecordReader& masked) {
  Columns columns(policy_.terms(), plan);
  files_.push_back({plan, nullptr, 0, 0});
  if (!columns.is_judged()) return {};
  auto& file = files_.back();
  file.table = &table_for(columns);
  file.table->names.push_back(plan.table);
  file.first = file.table->risk.records(0);
  MLOPS_TRY(columns.check(masked));
  while (true) {
    MLOPS_ASSIGN(const bool more, masked.next());
    if (!more) break;
    if (const auto* cells = columns.cells(masked)) MLOPS_TRY(file.table->risk.add(*cells));
  }
  file.records = file.table->risk.records(0) - file.first;
  return {};
}

risk::RiskRequirement ReleaseRisk::requirement_of(const Table& table) const {
  const auto& asked = policy_.terms().risk;
  const auto& columns = table.risk.columns();
  const auto has = [&](const Marked<std::string>& attribute) {
    return std::find(columns.sensitive.begin(), columns.sensitive.end(), attribute.value) != columns.sensitive.end();
  };
  using Kind = risk::DiversityRequirement::Kind;
  risk::RiskRequirement requirement;
  requirement.quasi = columns.quasi;
  requirement.subject = columns.subject;
  requirement.k = static_cast<std::uint64_t>(asked.k.value_or(1));
  for (const auto& row : asked.l) {
    if (!has(row.attribute)) continue;
    const auto& attr = row.attribute.value;
    if (row.distinct) requirement.l.push_back({attr, Kind::kDistinct, static_cast<double>(*row.distinct), 0});
    if (row.entropy) requirement.l.push_back({attr, Kind::kEntropy, *row.entropy, 0});
  }
  for (const auto& row : asked.t) {
    if (has(row.attribute)) requirement.t.push_back({row.attribute.value, row.max, risk::Distance::kAuto});
  }
  const bool suppresses = asked.on_fail.value_or(OnRisk::kDeny) == OnRisk::kSuppressRecords;
  requirement.on_fail = suppresses ? risk::OnFail::kSuppressRecords : risk::OnFail::kDeny;
  requirement.max_suppressed = 1;  // what is left must meet the requirement, and be something
  return requirement;
}

Status ReleaseRisk::judge(MaskEvidence& evidence) {
  if (!is_asked()) return {};
  if (policy_.terms().risk.quasi_identifiers.empty()) {
    return fail(ErrorCode::kRefused, "risk_without_columns",
                "the policy limits the risk of a release and names no column to measure it on",
                "name them in risk.quasi_identifiers");
  }
  Json reached = Json::array();
  std::vector<std::string> why;
  for (const auto& table : tables_) {
    const auto requirement = requirement_of(*table);
    MLOPS_ASSIGN(const auto report, risk::assess(table->risk, requirement, {0, {}, {}}));
    reached.push_back(reached_json(table->names, requirement, report));
    if (!report.is_met()) {
      for (const auto& one : report.shortfalls) why.push_back(shortfall_text(one));
    } else if (report.is_suppressed && report.suppress_records > 0) {
      MLOPS_ASSIGN(table->gone, risk::suppression(table->risk, requirement, {0, {}, {}}));
      evidence.rows_suppressed += report.suppress_records;
      evidence.rows -= std::min(evidence.rows, report.suppress_records);
    }
  }
  if (why.empty()) {
    evidence.risk = std::move(reached);
    return {};
  }
  return fail(ErrorCode::kRefused, "risk_too_high",
              fmt::format("people can be told apart in the masked data: {}", join(why, "; ")),
              "generalise the quasi-identifiers further, or let risk.on_fail leave such records out",
              canonical_dump({{"risk", reached}}));
}

bool ReleaseRisk::suppresses_in(std::size_t file) const {
  const auto& one = files_[file];
  if (!one.table || one.table->gone.empty()) return false;
  const auto begin = one.table->gone.begin() + static_cast<std::ptrdiff_t>(one.first);
  const auto end = begin + static_cast<std::ptrdiff_t>(one.records);
  return std::find(begin, end, true) != end;
}

Status ReleaseRisk::write_kept(std::size_t file, data::RecordReader& masked, data::Sink& out) const {
  const auto& one = files_[file];
  Columns columns(policy_.terms(), one.plan);
  MLOPS_ASSIGN(const auto writer, masked.writer(out, {}));
  std::size_t record = 0;
  while (true) {
    MLOPS_ASSIGN(const bool more, masked.next());
    if (!more) break;
    if (!columns.cells(masked)) {
      MLOPS_TRY(writer->write({}));
      continue;
    }
    if (record >= one.records) return table_changed();
    if (one.table->gone[one.first + record++]) {
      writer->skip();
    } else {
      MLOPS_TRY(writer->write({}));
    }
  }
  if (record != one.records) return table_changed();
  return writer->finish();
}

}  // namespace mlops::policy
