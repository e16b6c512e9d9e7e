// The plan of an erasure: what every version needs that holds one person's rows, or was made from one that does.
//
// The digest covers what approvals sign: the person's fingerprints, and of each step the version, its bytes, the
// action, the number of rows and the holds. Thread-safety: values and pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/kind.h"

namespace mlops::model {

// Of one id of the person: an HMAC under the server's erasure key, never the id.
struct SubjectFingerprint {
  std::string name_space;
  std::string hex;
  auto operator<=>(const SubjectFingerprint&) const = default;
};

enum class ErasureAction {
  kRewrite,  // a new version without the person's rows takes its place
  kRemask,   // the same for the output of a masking run: masked again from the rewritten source
  kShred,    // goes without a replacement
  kDecide,   // stays, and is not promoted until a person decided
  kKeep,     // stays, because a hold says so; not promoted either
};
std::string_view to_word(ErasureAction action);  // "rewrite", "remask", "shred", "decide", "keep"
std::optional<ErasureAction> erasure_action_from_word(std::string_view word);

// A file that could not be searched.
struct UnsearchedFile {
  std::string path;
  std::string why;  // a slug: "format_unknown", "column_missing", "csv_ragged" …
};

struct ErasureStep {
  std::string version_id;
  std::string ref;  // with its kind
  std::string digest;
  ErasureAction action = ErasureAction::kDecide;
  std::string why;                        // one sentence
  std::uint64_t rows = 0;                 // of the person
  std::uint64_t of_rows = 0;              // in the files that hold them
  std::string source_version_id;          // kRemask: what it is masked from
  std::string policy_revision_id;         // kRemask
  std::vector<std::string> holds;         // cases
  std::vector<std::string> environments;  // that run it
  std::vector<std::string> aliases;
  std::vector<UnsearchedFile> unsearched;
};

struct KnownBackup {
  std::string id;
  std::string at;  // RFC 3339
  std::string by;
};

struct ErasurePlan {
  std::vector<SubjectFingerprint> subject;  // sorted
  std::vector<ErasureStep> steps;           // sources before what was made from them
  std::vector<KnownBackup> backups;         // made while the person was here
  std::uint64_t versions_searched = 0;
  std::uint64_t files_searched = 0;
  std::uint64_t vault_tokens = 0;  // whose values go; not in the digest, as tokens may come meanwhile
  std::uint64_t trash_runs = 0;    // collections that cannot be undone afterwards
  std::vector<std::string> notes;
};

// "sha256:…".
std::string erasure_digest(const ErasurePlan& plan);

struct ErasureApproval {
  std::string principal_id;
  std::string by;
  bool is_human = true;
  std::string decision;  // approve, reject
  std::string reason;
  std::int64_t at_us = 0;
  std::string digest;  // of the plan as it was then
};

// Approvals that count for the plan of that digest: people's, each once, neither the requester's nor the executor's
// (empty: nobody executes yet).
std::int64_t counted_approvals(const std::vector<ErasureApproval>& approvals, std::string_view digest,
                               std::string_view requester_id, std::string_view executor_id);

}  // namespace mlops::model
