// Rules, gates and values of a policy in words, for explain and compare. Private to policies/engine.
// Thread-safety: pure functions.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/base/yaml.h"
#include "policies/engine/document.h"

namespace mlops::policy {

// As flow YAML: `{with: "[NAME]"}`; a null node is empty.
std::string flow_text(const YamlNode& node);
// "redact {with: "[NAME]"}".
std::string rule_text(const Rule& rule);
// What the gate asks for, as a sentence: "auc is at least 0.8".
std::string gate_text(const GateRule& gate);
// "model, dataset"; "every kind" for none.
std::string kinds_text(const std::vector<model::ArtifactKind>& kinds);

// "domain=clinical", one a label.
std::vector<std::string> labels_text(const std::map<std::string, std::string>& labels);

}  // namespace mlops::policy
