#include "policies/engine/part_masking.h"

#include <algorithm>
#include <utility>

#include "policies/data/format.h"
#include "policies/engine/part_runner.h"

namespace mlops::policy {
namespace {

constexpr std::string_view kSuppress = "suppress";

// Holds a masked part in the memory of one that is written.
class PartSink : public data::StringSink {
 public:
  explicit PartSink(std::string memory) : memory_(std::move(memory)) {}
  std::string lend() override { return std::exchange(memory_, {}); }

 private:
  std::string memory_;
};

}  // namespace

PartMasking::PartMasking(const Policy::Body& body, const FilePlan& plan, const mask::RunSecrets& secrets,
                         const std::string& dataset, data::Sink& out, std::vector<bool> dropped)
    : out_(out), dropped_(std::move(dropped)) {
  for (std::size_t i = 0; i < part_workers(); ++i) maskers_.emplace_back(body, plan, secrets, dataset);
}

Status PartMasking::run(data::RecordParts& parts, const Begin& begin) {
  return run_parts(
      parts, {[&](std::size_t worker, const data::RecordPart& part, data::RecordReader& reader) -> Result<std::string> {
                if (begin) MLOPS_TRY(begin(worker, maskers_[worker], reader));
                return mask(maskers_[worker], part, reader);
              },
              [this](std::string&& masked) { return write(std::move(masked)); }});
}

void PartMasking::add_to(RecordMasker& total) {
  for (auto& masker : maskers_) total.add(std::move(masker));
  maskers_.clear();
}

Result<std::string> PartMasking::mask(RecordMasker& masker, const data::RecordPart& part, data::RecordReader& reader) {
  PartSink sink(take_spare());
  MLOPS_ASSIGN(const auto writer, reader.writer(sink, dropped_));
  MLOPS_TRY(masker.run(reader, *writer, part.first_record));
  MLOPS_TRY(writer->finish());
  return std::move(sink.text);
}

Status PartMasking::write(std::string&& masked) {
  MLOPS_TRY(out_.write(masked));
  const std::lock_guard lock(mutex_);
  spare_.push_back(std::move(masked));
  return {};
}

std::string PartMasking::take_spare() {
  const std::lock_guard lock(mutex_);
  if (spare_.empty()) return {};
  auto memory = std::move(spare_.back());
  spare_.pop_back();
  return memory;
}

std::vector<bool> dropped_columns(const FilePlan& plan, data::Format format) {
  std::vector<bool> list;
  if (!data::is_table(format)) return list;
  for (const auto& column : plan.columns) list.push_back(column.transform == kSuppress);
  return list;
}

bool needs_vault(const Policy::Body& body, const FilePlan& plan) {
  return std::any_of(plan.columns.begin(), plan.columns.end(), [&](const ColumnPlan& column) {
    const auto* rule = body.rule_for_treated(column.named_as, column.class_name);
    return column.transform != "keep" && rule && rule->apply && rule->apply->needs_vault();
  });
}

Result<MaskEvidence> conclude_run(const Policy::Body& body, const FilePlan& plan, const RecordMasker& masker) {
  const auto& consent = body.terms.purpose.consent;
  const auto missing = masker.without_consent();
  MLOPS_TRY(check_consent(consent ? &*consent : nullptr, plan, missing, masker.records()));
  MLOPS_ASSIGN(auto evidence, conclude(body, masker.works(), masker.records()));
  evidence.rows_without_consent = missing;
  return evidence;
}

}  // namespace mlops::policy
