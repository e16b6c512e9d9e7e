// The way back: columns of a masked file whose rule keeps the value (encrypt, encrypt_deterministic, fpe, tokenize) are
// written as they were before. Records must stand where they stood when they were masked.
//
// Cells that do not open (they were not masked there, or their key is gone) stay as they are and are counted.
// Errors: kInvalid "column_not_reversible"; kNotFound "column_missing"; kRefused "nothing_revealed" when none of
// the cells opened; those of keys, vault, reader and sink. Thread-safety: as mask_file().
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "policies/data/record.h"
#include "policies/engine/policy.h"
#include "policies/mask/key.h"

namespace mlops::policy {

struct RevealRequest {
  std::string dataset;
  std::vector<std::string> columns;  // as the file names them; a class after '=' when the policy declares none
  std::string key_id;                // of the version that wrote them; empty: as the cells say
};

struct RevealEvidence {
  std::uint64_t records = 0;
  std::uint64_t revealed = 0;
  std::uint64_t left = 0;
  std::vector<std::string> key_ids;  // versions under which a cell opened
};

Result<RevealEvidence> reveal_file(const Policy& policy, const RevealRequest& request, data::RecordReader& reader,
                                   data::Sink& out, const mask::RunSecrets& secrets);

}  // namespace mlops::policy
