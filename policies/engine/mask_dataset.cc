// The second pass: rewrites the planned file record by record, in parts side by side where it can be cut.
#include "policies/engine/mask_dataset.h"

#include "policies/engine/part_masking.h"
#include "policies/mask/pinned_keys.h"

namespace mlops::policy {

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
