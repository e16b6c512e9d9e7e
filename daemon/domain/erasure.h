// Erasing one person: found by keyed fingerprints, decided by several people, executed version by version, proved by a
// receipt (docs/adr/0013-erasure.md).
//
//   erasure:  open → applying → done          open → rejected | stale; open past its time cannot be applied
//   item:     pending → done | kept           a version with the person's records
//             undecided → retrained | assessed | accepted     what was made from one
//
// An application that was cut off goes on when it is applied again. Errors: kInvalid "bad_subject", "bad_namespace",
// "bad_column", "subject_in_reason", "reason_needed", "bad_decision"; kNotFound "subject_not_found",
// "no_subject_key", "key_not_found", "nothing_to_decide", "no_receipt"; kDenied "own_plan", "not_a_person"; kRefused
// "approvals_pending", "erasure_expired", "retrained_on_erased"; kConflict "erasure_running", "stale_plan",
// "erasure_closed", "erasure_changed"; those of meta, cas, Gc and Compliance::mask. Thread-safety: thread-safe; one
// application at a time.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/model/erasure.h"
#include "daemon/domain/compliance.h"
#include "daemon/domain/erasure_search.h"
#include "daemon/domain/gc.h"
#include "daemon/domain/subject_index.h"
#include "storage/meta/erasures.h"
#include "storage/meta/vault.h"

namespace mlops::domain {

struct ErasureOptions {
  std::string index_dir;
  std::int64_t approvals_needed = 2;
  std::int64_t valid_s = 14 * 86400;  // of a plan, from its making
  std::function<void()> end_backups;  // those under way link to packs that are to go; may be empty
};

struct ErasureWish {
  std::vector<std::string> ids;  // of one person
  std::string name_space;        // "" is kDefaultNameSpace
  std::string reason;
  enum class Mode { kRewrite, kShred };
  Mode mode = Mode::kRewrite;  // of datasets
};

struct SubjectKeyWish {
  std::string name;  // [kind:]artifact
  std::string column;
  std::string name_space;     // "" is kDefaultNameSpace
  std::string pseudonyms_of;  // instead: the masked dataset whose pseudonyms the column holds
};

struct ErasureView {
  meta::ErasureRow row;
  std::string state;  // as the row says, but "expired", and "interrupted" for an application that nobody is at
  model::ErasurePlan plan;
  std::vector<model::ErasureApproval> approvals;
  std::int64_t approvals_counted = 0;
  struct Item {
    meta::ErasureItemRow row;
    std::string ref;
    std::string replacement_ref;
  };
  std::vector<Item> items;  // none before the application
};

struct ErasureReceipt {
  Json receipt;
  std::string digest;  // of the receipt, "sha256:…"
  std::string seal;    // HMAC under the erasure key, hex
  bool is_sound = false;
};

struct ErasureDecision {
  enum class Kind { kRetrained, kAssessed, kAccepted };
  std::string ref;
  Kind kind = Kind::kAccepted;
  std::string detail;  // a reference, the digest of a document, a reason
};
std::string_view to_word(ErasureDecision::Kind kind);  // "retrained", "assessed", "accepted"

class Erasure {
 public:
  static constexpr std::string_view kDefaultNameSpace = "subject";

  Erasure(meta::Store& store, cas::ContentStore& content, Compliance& compliance, Gc& gc, crypto::SecretBytes key,
          ErasureOptions options);

  Result<meta::SubjectKeyRow> set_key(const meta::Actor& actor, const SubjectKeyWish& wish, meta::Commit commit);
  Result<meta::SubjectKeyRow> remove_key(const meta::Actor& actor, const std::string& name, const std::string& column,
                                         meta::Commit commit);
  Result<std::vector<meta::SubjectKeyRow>> keys();
  struct Indexed {
    std::string ref;
    std::vector<std::string> columns;
    std::uint64_t subjects = 0;
  };
  Result<Indexed> build_index(const std::string& ref);

  Result<ErasureView> plan(const meta::Actor& actor, const ErasureWish& wish);
  Result<ErasureView> get(const std::string& id);
  Result<std::vector<ErasureView>> list(const meta::ErasureFilter& filter);
  enum class Word { kApprove, kReject };
  Result<ErasureView> say(const meta::Actor& actor, const std::string& id, Word word, const std::string& reason,
                          meta::Commit commit);
  // A dry run checks everything up to the first change.
  Result<ErasureView> apply(const meta::Actor& actor, const std::string& id, meta::Commit commit);
  Result<ErasureReceipt> receipt(const std::string& id);
  // For every open item of the version. Gives the items.
  Result<std::vector<ErasureView::Item>> decide(const meta::Actor& actor, const ErasureDecision& decision,
                                                meta::Commit commit);

 private:
  struct Application;  // one under way

  Result<ErasureView> view_of(sql::Connection& connection, meta::ErasureRow row);
  Result<model::ErasurePlan> draft(const SearchResult& found, ErasureWish::Mode mode);
  Result<SearchResult> search(Subject subject);
  void set_running(const std::string& id);

  // erasure_apply.cc
  Result<ErasureView> apply_locked(const meta::Actor& actor, const ErasureView& view, meta::Commit commit);
  Status check_ready(Application& work, meta::Commit commit);
  Status begin(Application& work);
  Status settle(Application& work, const model::ErasureStep& step, const meta::ErasureItemRow& item);
  Result<std::vector<model::FileEntry>> files_of(const crypto::Digest& manifest);
  Result<std::vector<model::FileEntry>> clean_files(Application& work, const std::string& version_id);
  Result<model::FileEntry> clean_file(Application& work, const FileHit& hit);
  // erasure_vault.cc: what the token vault holds of the person alone
  Result<std::vector<meta::VaultPlace>> tokens_of(const SearchResult& found, const model::ErasurePlan& plan);
  Status erase_tokens(Application& work);
  // erasure_versions.cc
  struct Replacement;
  Status replace(Application& work, const model::ErasureStep& step, const meta::ErasureItemRow& item);
  Result<Replacement> remask(Application& work, const model::ErasureStep& step);
  Status put_replacement(meta::WriteTx& tx, const model::ErasureStep& step, meta::ErasureItemRow item,
                         const Replacement& replacement);
  static Status put_masking(meta::WriteTx& tx, const model::ErasureStep& step, const std::string& erasure_id,
                            const model::Version& fresh, const Replacement& replacement);
  Status shred(Application& work, const model::ErasureStep& step, meta::ErasureItemRow item, const std::string& why);
  // erasure_receipt.cc
  Result<GcOutcome> collect(Application& work);
  Status finish(Application& work, const GcOutcome& collected);
  Result<Json> make_receipt(Application& work, const SearchResult& left, const GcOutcome& collected);
  Result<std::vector<model::KnownBackup>> backups_since(TimestampUs since_us);
  std::string seal_of(const std::string& receipt) const;

  meta::Store& store_;
  cas::ContentStore& content_;
  Compliance& compliance_;
  Gc& gc_;
  const SubjectIndex index_;
  const ErasureOptions options_;
  std::mutex mutex_;  // held by an application
  std::mutex running_mutex_;
  std::string running_;  // id of the application under way; running_mutex_
};

// What stops a version's promotion: erasures of people it was, or may have been, made with; shared with promotions.
Result<std::vector<model::ErasureFact>> open_erasures(sql::Connection& connection, const std::string& version_id);

}  // namespace mlops::domain
