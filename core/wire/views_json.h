// Model ⇄ JSON of the native API (docs/format/wire.md). Pure functions; the shapes are pinned by the contract tests.
#pragma once

#include "core/base/json.h"
#include "core/model/views.h"

namespace mlops::wire {

Json to_json(const model::VersionView& view);
Json to_json(const model::ArtifactView& view);
Json to_json(const model::DeploymentView& view);
Json to_json(const model::ReviewView& view);
Json to_json(const model::ReleaseView& view);
Json to_json(const model::MaskingView& view);
Json to_json(const model::PromotionView& view);
Json to_json(const model::DiffView& view);
Json to_json(const model::LineageView& view);
Json to_json(const model::FileEntry& file);

// A plan as the API shows it, and as the database keeps it (with ids; approvals live in their own rows).
Json to_json(const model::Plan& plan);
Json plan_body(const model::Plan& plan);
// Errors: kCorrupt "bad_plan".
Result<model::Plan> plan_from_body(const Json& body);

}  // namespace mlops::wire
