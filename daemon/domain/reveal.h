// The way back from a masked version, for who may see its source: columns of one file as they were before, from the key
// ring and the token vault. Nothing of it is stored; what was revealed to whom, with which keys, and why, is on record
// before anybody sees it, and so is every refusal.
//
// Errors: kDenied "missing_scope"; kInvalid "reason_needed", "which_file"; kRefused "not_masked", "clearance_exceeded",
// "key_destroyed", "value_erased", "nothing_revealed", "reveal_too_large"; kNotFound "file_not_found"; those of
// policy::reveal_file, meta and cas. Thread-safety: thread-safe.
#pragma once

#include <string>
#include <vector>

#include "daemon/domain/compliance.h"
#include "policies/engine/reveal_dataset.h"
#include "storage/cas/content_store.h"
#include "storage/meta/lineage.h"
#include "storage/meta/store.h"

namespace mlops::domain {

struct RevealWish {
  std::string ref;                   // a masked version
  std::string path;                  // of one of its files; empty: it has only one
  std::vector<std::string> columns;  // a class after '=' where the policy declares none
  std::string reason;
};

struct Revealed {
  std::string ref;
  std::string path;
  std::vector<std::string> columns;
  policy::RevealEvidence evidence;
  std::vector<std::string> destroyed;  // versions of its keys that are gone, where cells were left
  std::uint64_t erased = 0;            // of the cells that were left: an erasure took what they stood for
  std::vector<std::string> erasures;
  std::string bytes;  // of the file
};

class Reveals {
 public:
  static constexpr std::size_t kBytesMax = 48u << 20;  // what a client takes into memory

  Reveals(meta::Store& store, cas::ContentStore& content, Compliance& compliance)
      : store_(store), content_(content), compliance_(compliance) {}

  Result<Revealed> reveal(const meta::Actor& actor, const RevealWish& wish);

 private:
  struct Masked;  // what is to be revealed, and how it was masked
  Result<Revealed> attempt(const meta::Actor& actor, const RevealWish& wish);
  Result<Masked> find(const meta::Actor& actor, const RevealWish& wish);
  Result<Revealed> open(const Masked& masked, const RevealWish& wish);
  Status record(const meta::Actor& actor, const RevealWish& wish, const Revealed& revealed);
  Status record_refusal(const meta::Actor& actor, const RevealWish& wish, const std::string& slug);

  meta::Store& store_;
  cas::ContentStore& content_;
  Compliance& compliance_;
};

}  // namespace mlops::domain
