// The command line of `register` joined with the artifact's manifest: flags win, key by key for params, metrics and
// labels; any --input replaces the manifest's list of inputs as a whole.
// Errors: kInvalid "usage" and those of names and references. Thread-safety: values and pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/cmd/artifact_manifest.h"
#include "cli/session.h"
#include "core/base/json.h"

namespace mlops::cli {

// `--input REF --role R …`: the nth role belongs to the nth input, one role alone to all of them; `role=REF` says both.
// An input without a role gets "" (the kind's default).
Result<std::vector<InputSpec>> pair_inputs(const std::vector<std::string>& inputs,
                                           const std::vector<std::string>& roles);

// What the flags of this session say, in the manifest's shape.
Result<ArtifactManifest> manifest_of_flags(const Session& session);
// REQUIRES of `kind`: what the command line names. Errors: kInvalid "manifest_mismatch" when the file is for another
// kind or name.
Result<ArtifactManifest> merge(ArtifactManifest file, ArtifactManifest flags, model::ArtifactKind kind,
                               const std::string& name);
// The metadata members of a Register body (docs/format/wire.md).
Json register_body(const ArtifactManifest& manifest, model::ArtifactKind kind, const std::string& name);

}  // namespace mlops::cli
