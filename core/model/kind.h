// Artifact kinds and sensitivity labels: closed word lists shared by disk, wire and policies.
// Thread-safety: values and pure functions. Unknown words give nullopt.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mlops::model {

enum class ArtifactKind { kModel, kDataset };
std::string_view to_word(ArtifactKind kind);  // "model", "dataset"
std::optional<ArtifactKind> artifact_kind_from_word(std::string_view word);

// The taint lattice, lowest first: none < pseudonymous < personal < special_category < child.
// Derived data carries the highest label of its inputs; only a recorded masking run with a clean residual scan lowers
// it.
enum class Sensitivity { kNone, kPseudonymous, kPersonal, kSpecialCategory, kChild };
std::string_view to_word(Sensitivity label);
std::optional<Sensitivity> sensitivity_from_word(std::string_view word);
const std::vector<std::string>& sensitivity_words();

}  // namespace mlops::model
