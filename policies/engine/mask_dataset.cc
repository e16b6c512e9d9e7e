// The second pass: rewrites the planned file record by record.
#include "policies/engine/mask_dataset.h"

#include <algorithm>

#include "policies/data/format.h"
#include "policies/engine/record_masker.h"

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

}  // namespace

Result<MaskEvidence> mask_file(const Policy& policy, const FilePlan& plan, data::RecordReader& reader, data::Sink& out,
                               const mask::RunSecrets& secrets, const std::string& context) {
  RecordMasker masker(policy.body(), plan, secrets, context);
  MLOPS_ASSIGN(const auto writer, reader.writer(out, dropped_columns(plan, reader.format())));
  MLOPS_TRY(masker.run(reader, *writer));
  MLOPS_TRY(writer->finish());
  return conclude(policy.body(), masker.works(), masker.records());
}

}  // namespace mlops::policy
