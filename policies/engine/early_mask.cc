#include "policies/engine/early_mask.h"

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "policies/data/format.h"
#include "policies/engine/file_columns.h"
#include "policies/engine/part_masking.h"
#include "policies/engine/part_runner.h"
#include "policies/mask/pinned_keys.h"

namespace mlops::policy {
namespace {

constexpr std::string_view kKeep = "keep";

// Is what the planner scans just what is kept? Of a text that is cut, planner and masker would look at different ones.
bool scans_what_is_kept(const std::vector<ColumnPlan>& plan, const std::deque<SeenColumn>& columns) {
  return std::equal(
      plan.begin(), plan.end(), columns.begin(), columns.end(),
      [](const ColumnPlan& one, const SeenColumn& column) { return column.is_scanned == (one.transform == kKeep); });
}

bool is_quarantined(const Policy::Body& body, const std::deque<SeenColumn>& columns) {
  return body.unknown_column == UnknownColumn::kQuarantine &&
         std::any_of(columns.begin(), columns.end(), [](const SeenColumn& column) { return !column.declared; });
}

// Whether its values are codes is told by both in the end, and says nothing about what is written.
bool is_same(const ColumnPlan& a, const ColumnPlan& b) {
  return a.column == b.column && a.class_name == b.class_name && a.transform == b.transform && a.rule == b.rule &&
         a.named_as == b.named_as && a.name_kind == b.name_kind;
}

// The columns every worker reads, and the scanners of those that a masker is to ask as well.
class Readings {
 public:
  Readings(const Policy::Body& body, const std::string& table) : body_(body), table_(table) {
    for (std::size_t i = 0; i < part_workers(); ++i) readings_.emplace_back(body, table);
  }

  ColumnReading& first() { return readings_.front(); }

  Status begin(std::size_t worker, RecordMasker& masker, const data::RecordReader& reader) {
    auto& reading = readings_[worker];
    if (reading.columns().empty()) MLOPS_TRY(reading.meet(reader));
    std::vector<CellScanner*> scanners;
    for (auto& column : reading.columns()) scanners.push_back(column.is_scanned ? &column.cells : nullptr);
    masker.plan_along(std::move(scanners));
    return {};
  }

  FileColumns sum(std::uint64_t records) {
    ColumnReading total(body_, table_);
    for (auto& reading : readings_) {
      for (auto& column : reading.columns()) total.add(std::move(column));
    }
    return {std::move(total.columns()), records};
  }

 private:
  const Policy::Body& body_;
  const std::string& table_;
  std::deque<ColumnReading> readings_;  // by worker
};

}  // namespace

struct EarlyMask::State {
  State(const Policy& of, const Run& run)
      : policy(of),
        keys(run.secrets.keys),
        secrets{keys, nullptr},
        context(run.context),
        assumed{run.table, {}, run.published} {}

  const Policy& policy;
  const mask::PinnedKeys keys;  // the workers take their keys one after the other
  const mask::RunSecrets secrets;
  const std::string context;
  FilePlan assumed;
  std::optional<RecordMasker> total;
  FileColumns file;

  Status run(data::RecordReader& reader, data::Sink& out);
};

Status EarlyMask::State::run(data::RecordReader& reader, data::Sink& out) {
  const auto& body = policy.body();
  if (!data::is_table(reader.format()) || body.terms.purpose.consent) return table_changed();
  Readings readings(body, assumed.table);
  MLOPS_TRY(readings.first().meet(reader));
  const auto& columns = readings.first().columns();
  if (is_quarantined(body, columns)) return table_changed();
  MLOPS_ASSIGN(assumed.columns, decide(body, columns));
  if (!scans_what_is_kept(assumed.columns, columns) || needs_vault(body, assumed)) return table_changed();
  const auto parts = reader.parts();
  if (!parts) return table_changed();
  total.emplace(body, assumed, secrets, context);
  MLOPS_TRY(total->prepare(reader));
  const auto dropped = dropped_columns(assumed, reader.format());
  MLOPS_ASSIGN(const auto writer, reader.writer(out, dropped));
  MLOPS_TRY(writer->finish());  // what stands before the first record
  PartMasking masking(body, assumed, secrets, context, out, dropped);
  MLOPS_TRY(masking.run(*parts, [&](std::size_t worker, RecordMasker& masker, const data::RecordReader& part) {
    return readings.begin(worker, masker, part);
  }));
  masking.add_to(*total);
  file = readings.sum(total->records());
  return {};
}

EarlyMask::EarlyMask(std::unique_ptr<State> state) : state_(std::move(state)) {}
EarlyMask::EarlyMask(EarlyMask&&) noexcept = default;
EarlyMask& EarlyMask::operator=(EarlyMask&&) noexcept = default;
EarlyMask::~EarlyMask() = default;

std::optional<EarlyMask> EarlyMask::try_run(const Policy& policy, const Run& run, data::RecordReader& reader,
                                            data::Sink& out) {
  auto state = std::make_unique<State>(policy, run);
  if (!state->run(reader, out)) return std::nullopt;
  return EarlyMask(std::move(state));
}

const FilePlan& EarlyMask::assumed() const {
  return state_->assumed;
}

const FileColumns& EarlyMask::columns() const {
  return state_->file;
}

std::optional<Result<MaskEvidence>> EarlyMask::conclude(const FilePlan& plan) {
  auto& assumed = state_->assumed;
  const bool holds =
      plan.table == assumed.table && plan.published == assumed.published &&
      std::equal(plan.columns.begin(), plan.columns.end(), assumed.columns.begin(), assumed.columns.end(), is_same);
  if (!holds) return std::nullopt;
  for (std::size_t i = 0; i < plan.columns.size(); ++i) assumed.columns[i].is_coded = plan.columns[i].is_coded;
  return conclude_run(state_->policy.body(), assumed, *state_->total);
}

}  // namespace mlops::policy
