// Gates on evidence that is collected for them (core/model/evidence.h), a file each. Missing evidence fails. Private to
// policies/gate. Thread-safety: pure functions.
#pragma once

#include <vector>

#include "core/model/facts.h"
#include "policies/engine/gate_rule.h"
#include "policies/gate/verdicts.h"

namespace mlops::gate {

using Members = std::vector<const model::MemberFacts*>;
using Results = std::vector<model::GateResult>;

// Of a metric with subgroups: each member's groups, and of the release's namesake against what runs now.
void judge_subgroups(const GateHead& head, const policy::MetricGate& gate, const Members& members,
                     const model::PromotionFacts& facts, Results& results);
void judge_independence(const GateHead& head, const policy::IndependenceGate& gate, const Members& members,
                        Results& results);
void judge_quality(const GateHead& head, const policy::QualityGate& gate, const Members& members,
                   const model::PromotionFacts& facts, Results& results);
void judge_residual(const GateHead& head, const policy::ResidualGate& gate, const Members& members, Results& results);
void judge_signatures(const GateHead& head, const policy::SignaturesGate& gate, const Members& members,
                      Results& results);
void judge_external(const GateHead& head, const policy::ExternalGate& gate, const model::PromotionFacts& facts,
                    Results& results);
// Whether each member of the release gives what the next one takes. kDeclared: what one side does not declare passes
// and is told; kRequired: it is missing evidence.
enum class CompatMode { kDeclared, kRequired };
void judge_compat(const GateHead& head, CompatMode mode, const model::PromotionFacts& facts, Results& results);
// The built-in one: only where a release of several members has one that declares a schema.
void judge_compat(const model::PromotionFacts& facts, Results& results);

}  // namespace mlops::gate
