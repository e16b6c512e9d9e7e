// The second pass: rewrites the planned file record by record, in parts side by side where it can be cut.
#include "policies/engine/mask_dataset.h"

#include <algorithm>
#include <deque>
#include <mutex>
#include <utility>

#include "policies/data/format.h"
#include "policies/engine/part_runner.h"
#include "policies/engine/record_masker.h"
#include "policies/mask/pinned_keys.h"

namespace mlops::policy {
namespace {

constexpr std::string_view kSuppress = "suppress";

// Of a table its columns; of other formats every cell is dropped by itself.
std::vector<bool> dropped_columns(const FilePlan& plan, data::Format format) {
  std::vector<bool> list;
  if (!data::is_table(format)) return list;
  for (const auto& column : plan.columns) list.push_back(column.transform == kSuppress);
  return list;
}

// A vault gives its tokens out in the order of the records.
bool needs_vault(const Policy::Body& body, const FilePlan& plan) {
  return std::any_of(plan.columns.begin(), plan.columns.end(), [&](const ColumnPlan& column) {
    const auto* rule = body.rule_for_treated(column.named_as, column.class_name);
    return column.transform != "keep" && rule && rule->apply && rule->apply->needs_vault();
  });
}

// Masks part by part on several threads.
class PartMasking {
 public:
  PartMasking(const Policy::Body& body, const FilePlan& plan, const mask::RunSecrets& secrets,
              const std::string& dataset, data::Sink& out, std::vector<bool> dropped)
      : out_(out), dropped_(std::move(dropped)) {
    for (std::size_t i = 0; i < part_workers(); ++i) maskers_.emplace_back(body, plan, secrets, dataset);
  }

  Status run(data::RecordParts& parts) {
    return run_parts(parts, {[this](std::size_t worker, const data::RecordPart& part, data::RecordReader& reader) {
                               return mask(maskers_[worker], part, reader);
                             },
                             [this](std::string&& masked) { return write(std::move(masked)); }});
  }

  // Takes what the workers counted to `total`.
  void add_to(RecordMasker& total) {
    for (auto& masker : maskers_) total.add(std::move(masker));
    maskers_.clear();
  }

 private:
  Result<std::string> mask(RecordMasker& masker, const data::RecordPart& part, data::RecordReader& reader) {
    PartSink sink(take_spare());
    MLOPS_ASSIGN(const auto writer, reader.writer(sink, dropped_));
    MLOPS_TRY(masker.run(reader, *writer, part.first_record));
    MLOPS_TRY(writer->finish());
    return std::move(sink.text);
  }

  // Holds a masked part in the memory of one that is written.
  class PartSink : public data::StringSink {
   public:
    explicit PartSink(std::string memory) : memory_(std::move(memory)) {}
    std::string lend() override { return std::exchange(memory_, {}); }

   private:
    std::string memory_;
  };

  Status write(std::string&& masked) {
    MLOPS_TRY(out_.write(masked));
    masked.clear();
    const std::lock_guard lock(mutex_);
    spare_.push_back(std::move(masked));
    return {};
  }
  std::string take_spare() {
    const std::lock_guard lock(mutex_);
    if (spare_.empty()) return {};
    auto memory = std::move(spare_.back());
    spare_.pop_back();
    return memory;
  }

  data::Sink& out_;
  std::mutex mutex_;
  std::vector<std::string> spare_;  // of parts that are written
  std::vector<bool> dropped_;
  std::deque<RecordMasker> maskers_;  // by worker
};

Result<MaskEvidence> conclude_run(const Policy::Body& body, const FilePlan& plan, const RecordMasker& masker) {
  const auto& consent = body.terms.purpose.consent;
  const auto missing = masker.without_consent();
  MLOPS_TRY(check_consent(consent ? &*consent : nullptr, plan, missing, masker.records()));
  MLOPS_ASSIGN(auto evidence, conclude(body, masker.works(), masker.records()));
  evidence.rows_without_consent = missing;
  return evidence;
}

}  // namespace

Result<MaskEvidence> mask_file(const Policy& policy, const FilePlan& plan, data::RecordReader& reader, data::Sink& out,
                               const mask::RunSecrets& lent, const std::string& context) {
  const mask::PinnedKeys keys(lent.keys);  // the workers take their keys one after the other
  const mask::RunSecrets secrets{keys, lent.vault};
  const auto& body = policy.body();
  const auto dropped = dropped_columns(plan, reader.format());
  RecordMasker masker(body, plan, secrets, context);
  MLOPS_TRY(masker.prepare(reader));
  MLOPS_ASSIGN(const auto writer, reader.writer(out, dropped));
  const auto parts = needs_vault(body, plan) ? nullptr : reader.parts();
  if (!parts) {
    MLOPS_TRY(masker.run(reader, *writer));
    MLOPS_TRY(writer->finish());
    return conclude_run(body, plan, masker);
  }
  MLOPS_TRY(writer->finish());  // what stands before the first record
  PartMasking masking(body, plan, secrets, context, out, dropped);
  MLOPS_TRY(masking.run(*parts));
  masking.add_to(masker);
  return conclude_run(body, plan, masker);
}

}  // namespace mlops::policy
