// What readers are shown: rows joined with what belongs to them at one moment. Thread-safety: values.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/model/manifest.h"
#include "core/model/plan.h"
#include "core/model/schema.h"
#include "core/model/version.h"

namespace mlops::model {

struct VersionView {
  Version version;
  std::map<std::string, std::string> labels;
  std::vector<std::string> aliases;
  std::vector<std::string> environments;  // that run it at that moment
  std::vector<VersionInput> inputs;
  VersionSchemas schemas;
  std::string masked_from;                      // reference, or empty
  std::optional<std::vector<FileEntry>> files;  // one version only
  bool files_truncated = false;
};

struct ArtifactView {
  ArtifactKind kind = ArtifactKind::kModel;
  std::string name;
  std::int64_t versions = 0;
  std::string latest;
  std::map<std::string, std::string> aliases;
  std::map<std::string, std::string> environments;
};

struct ReleaseMember {
  std::string ref;
  std::string digest;
  std::string role;  // in a named release
  Sensitivity sensitivity = Sensitivity::kNone;
};

// What must follow a break-glass promotion.
struct ReviewView {
  std::string deployment_id;
  std::string environment;
  std::string opened_by;
  std::vector<std::string> overridden;  // ids of gates
  TimestampUs opened_at_us = 0;
  TimestampUs due_at_us = 0;
  std::optional<TimestampUs> reviewed_at_us;
  std::string reviewed_by;
  std::string outcome;  // justified, unjustified
  std::string note;
};

struct DeploymentView {
  std::string id;
  std::string environment;
  std::string name;
  std::string kind;  // model, dataset, or release when it has a name of its own
  std::int64_t release = 0;
  std::vector<ReleaseMember> members;
  std::string action;
  std::string by;
  std::string reason;
  std::string plan_id;
  TimestampUs started_at_us = 0;
  std::optional<TimestampUs> ended_at_us;
  std::optional<ReviewView> review;  // of a break-glass promotion
};

// A release with a name of its own.
struct ReleaseView {
  std::string id;
  std::string name;
  std::int64_t number = 0;
  std::string digest;
  TimestampUs created_at_us = 0;
  std::vector<ReleaseMember> members;
  std::vector<PinnedPolicy> policies;
};

struct MaskingView {
  std::string id;
  std::string source_ref;
  std::string output_ref;
  std::string policy;
  std::string policy_digest;
  Json evidence;
  TimestampUs at_us = 0;
};

struct PromotionView {
  std::optional<DeploymentView> deployment;  // absent in a dry run that would mask
  Plan plan;
  std::optional<MaskingView> masking;
  std::vector<DeploymentView> restored;  // with `deployment`, the first: what a rollback brought back, if it is several
  std::string replaced_ref;
  std::vector<std::string> took_places;  // "m release 1": of other names, which ended
  bool unchanged = false;
  bool is_replayed = false;  // the answer to a request that had been executed before
};

struct FileChange {
  std::string path;
  std::uint64_t a_size_bytes = 0;
  std::uint64_t b_size_bytes = 0;
};

struct DiffView {
  std::string a_ref;
  std::string b_ref;
  bool same = false;
  std::vector<FileEntry> added;
  std::vector<FileEntry> removed;
  std::vector<FileChange> changed;
  std::uint64_t unchanged = 0;
  struct Field {
    std::string field;
    Json a;
    Json b;
  };
  std::vector<Field> metadata;
  std::vector<VersionInput> inputs_added;
  std::vector<VersionInput> inputs_removed;
};

struct LineageNode {
  std::string id;
  std::string type;  // dataset, model, masking, git, release, deployment
  std::string label;
  std::string ref;
  std::string sensitivity;
  TimestampUs at_us = 0;
};

struct LineageEdge {
  std::string from;
  std::string to;
  std::string role;
};

struct LineageView {
  std::string root;
  std::string direction;
  std::vector<LineageNode> nodes;
  std::vector<LineageEdge> edges;
};

}  // namespace mlops::model
