// One application of an erasure under way; private to the erasure_*.cc files.
#pragma once

#include <map>

#include "daemon/domain/erasure.h"

namespace mlops::domain {

struct Erasure::Application {
  const meta::Actor& actor;
  ErasureView view;
  ErasureWish::Mode mode = ErasureWish::Mode::kRewrite;
  SearchResult found;
  std::map<crypto::Digest, model::FileEntry> clean;  // rewritten files, by what they were

  const std::string& id() const { return view.row.id; }
};

// What takes a version's place.
struct Erasure::Replacement {
  std::vector<model::FileEntry> files;
  std::string manifest_body;
  Json evidence;  // of a masking
  std::map<std::string, std::uint64_t> key_cells;
  std::string refused_because;  // a slug: masking again did not work
};

}  // namespace mlops::domain
