// Reading, wording and comparing gates on evidence. Private to policies/engine. Thread-safety: free functions.
#pragma once

#include <string>

#include "core/base/yaml.h"
#include "policies/engine/comparison.h"
#include "policies/engine/gate_rule.h"
#include "policies/engine/reader.h"

namespace mlops::policy {

// Each reads the value of its key into the gate. Findings: "missing_key", "unknown_key", "gate_impossible",
// "gate_cannot_fail", "gate_without_body" at line:column.
void read_subgroups(const YamlNode& node, bool is_unit_metric, MetricGate& metric, Reader& reader);
void read_independence(const YamlNode& node, GateRule& gate, Reader& reader);
void read_quality(const YamlNode& node, GateRule& gate, Reader& reader);
void read_residual(const YamlNode& node, GateRule& gate, Reader& reader);
void read_signatures(const YamlNode& node, GateRule& gate, Reader& reader);
void read_external(const YamlNode& node, GateRule& gate, Reader& reader);
void read_compat(const YamlNode& node, GateRule& gate, Reader& reader);
// An expectation in the words of Great Expectations, as a check. False: the key is none of them.
bool read_expectation(const YamlNode& key, const YamlNode& value, QualityGate& gate, Reader& reader);

std::string words_of(const Subgroups& gate);
std::string words_of(const IndependenceGate& gate);
std::string words_of(const QualityGate& gate);
std::string words_of(const ResidualGate& gate);
std::string words_of(const SignaturesGate& gate);
std::string words_of(const ExternalGate& gate);
std::string words_of(const CompatGate& gate);

void compare_subgroups(const std::string& subject, const std::optional<Subgroups>& a, const std::optional<Subgroups>& b,
                       Comparison& out);
void compare_bodies(const std::string& subject, const IndependenceGate& a, const IndependenceGate& b, Comparison& out);
void compare_bodies(const std::string& subject, const QualityGate& a, const QualityGate& b, Comparison& out);
void compare_bodies(const std::string& subject, const ResidualGate& a, const ResidualGate& b, Comparison& out);
void compare_bodies(const std::string& subject, const SignaturesGate& a, const SignaturesGate& b, Comparison& out);
void compare_bodies(const std::string& subject, const ExternalGate& a, const ExternalGate& b, Comparison& out);
void compare_bodies(const std::string& subject, const CompatGate& a, const CompatGate& b, Comparison& out);

}  // namespace mlops::policy
