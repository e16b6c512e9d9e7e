// How a release lies on disk for those who serve it: which file where, and the RELEASE.json beside them.
//
//   plain               FILES…                              several members: MEMBER/FILES…
//   triton              config.pbtxt  N/FILES…              several members: models/MEMBER/… of the same shape
//   tensorflow_serving  N/FILES…                            several members: models/MEMBER/N/…
//
// N is the version's number, MEMBER its role in a named release or its name. A version that is itself such a model
// directory (files in one numeric directory) keeps its shape under its own number. Members that are no models lie
// beside models/. Sources: Triton's "Model Repository" guide (non-numeric entries beside the versions are ignored), and
// TensorFlow Serving's file system source (children of the base path that are no numbers are ignored).
// Errors: kConflict "name_taken": two files would lie at one place. Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/model/delivery_target.h"
#include "core/model/manifest.h"
#include "core/model/version.h"
#include "storage/meta/releases.h"

namespace mlops::domain {

inline constexpr const char* kReleaseFile = "RELEASE.json";

struct DeliveredMember {
  model::Version version;
  std::string role;  // empty: not of a named release
  std::vector<model::FileEntry> files;
};

struct DeliveredRelease {
  meta::DeploymentRow deployment;
  std::string plan_digest;
  std::vector<DeliveredMember> members;
};

struct Placement {
  std::string deployment_id;
  std::vector<model::FileEntry> files;  // by their place, sorted
  std::string release_json;             // canonical, of facts that never change
};

// The directory that readers open: a name's segments joined by dots.
std::string visible_name(const std::string& name);
// Whether the layout has a place for it: what serves models takes everything it finds for one.
bool is_deliverable(const meta::DeploymentRow& deployment, model::DeliveryLayout layout);
Result<Placement> place_release(const DeliveredRelease& release, model::DeliveryLayout layout);

}  // namespace mlops::domain
