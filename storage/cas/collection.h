// One garbage collection of the content store, in steps that a caller interleaves with its own (daemon/domain/gc):
//
//   start → keep(root blobs of a snapshot) … → summary            a plan ends here and changes nothing
//         → keep(what was registered since; in the writer) → condemn   from now on nothing deduplicates against the
//         rest → move_to_trash                                          live objects of mixed packs are copied on,
//         packs set aside
//   … grace period …  → sweep_trash                                what is older is unlinked; until then restore_trash
//   undoes
//
// Never collected: what was kept; what is leased; what lies in packs written to within the lease time. Pushes and pulls
// go on meanwhile. Errors: kConflict "gc_running" (one at a time); those of the pack store. Thread-safety: a Collection
// belongs to one thread; the store below is shared. Units: bytes, microseconds.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "storage/cas/content_store.h"

namespace mlops::cas {

struct CollectionSummary {
  std::uint64_t live_objects = 0;
  std::uint64_t live_bytes = 0;  // stored
  std::uint64_t dead_objects = 0;
  std::uint64_t dead_bytes = 0;      // of these, what condemn() would condemn
  std::uint64_t sparse_objects = 0;  // of the dead: in packs of which too little is dead to be worth moving
  std::uint64_t sparse_bytes = 0;
  std::uint64_t young_objects = 0;  // unreachable, but leased or written lately
  std::uint64_t young_bytes = 0;
  std::uint64_t missing_blobs = 0;  // kept ones that are not in the store, wholly or partly
};

struct MovedToTrash {
  std::string trash_dir;  // below trash/; empty when nothing was moved
  std::uint64_t packs = 0;
  std::uint64_t bytes = 0;         // of the packs
  std::uint64_t copied_bytes = 0;  // live ones, written again elsewhere
  std::uint64_t removed_objects = 0;
  crypto::Digest removed_digest;  // SHA-256 over the removed keys in order: the receipt
};

// kWorthwhile leaves packs alone of which little is dead: all that is alive in a pack that goes is written again.
enum class Thoroughness { kWorthwhile, kAll };

class Collection {
 public:
  // `min_age_us`: unreachable objects younger than that stay (0: none is young); at most packs' write times are known,
  // so an object is as young as its pack's last write.
  static Result<std::unique_ptr<Collection>> start(ContentStore& store, std::int64_t min_age_us,
                                                   Thoroughness thoroughness = Thoroughness::kWorthwhile);
  ~Collection();

  // Marks the blob and everything that it is made of. False: it is not (wholly) here.
  Result<bool> keep(const crypto::Digest& blob);
  CollectionSummary summary() const;
  // Everything not kept, leased or young is found no more. REQUIRES: called once, after the last keep().
  void condemn();
  // Gives back what is not worth moving (unless thorough). `run`: a word for the directory's name. REQUIRES: after
  // condemn().
  Result<MovedToTrash> move_to_trash(const std::string& run);

 private:
  class Impl;
  explicit Collection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

struct TrashRun {
  std::string name;
  TimestampUs moved_at_us = 0;
  std::uint64_t packs = 0;
  std::uint64_t bytes = 0;
};
Result<std::vector<TrashRun>> list_trash(ContentStore& store);
// Unlinks runs moved before `before_us`.
Result<std::vector<TrashRun>> sweep_trash(ContentStore& store, TimestampUs before_us);
// Errors: kNotFound "trash_not_found".
Status restore_trash(ContentStore& store, const std::string& name);

// The kinds under which a digest is stored here (live, undamaged); empty: unknown.
std::vector<ObjectKind> kinds_of(ContentStore& store, const crypto::Digest& digest);
// The path of digests from the blob down to the object (blob, root node … object), empty when the blob does not hold
// it.
Result<std::vector<ObjectKey>> path_in_blob(ContentStore& store, const crypto::Digest& blob, const ObjectKey& object);

}  // namespace mlops::cas
