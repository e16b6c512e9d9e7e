#include "policies/gate/assert_facts.h"

#include <fmt/format.h>

#include <cmath>
#include <set>

#include "core/base/text.h"

namespace mlops::gate {
namespace {

using cel::Value;
using model::MemberFacts;
using model::PromotionFacts;

Value texts(const std::vector<std::string>& list) {
  cel::List values(list.begin(), list.end());
  return values;
}

template <class T>
Value map_of(const std::map<std::string, T>& map) {
  cel::Map values;
  for (const auto& [key, value] : map) values.emplace(key, cel::MapEntry{key, Value(value)});
  return values;
}

Value word(std::string_view text) {
  return Value(std::string(text));
}
Value number(std::uint64_t value) {
  return Value(static_cast<std::int64_t>(value));
}

Value timestamp(TimestampUs time_us) {
  constexpr std::int64_t kMicros = 1'000'000;
  auto seconds = time_us / kMicros;
  auto micros = time_us % kMicros;
  if (micros < 0) {
    micros += kMicros;
    --seconds;
  }
  return Value(cel::Timestamp{seconds, static_cast<std::int32_t>(micros * 1000)});
}

// A metric that is no number was measured on nothing: it is as missing as one that was not recorded.
std::map<std::string, double> finite(const std::map<std::string, double>& metrics) {
  std::map<std::string, double> kept;
  for (const auto& [name, value] : metrics) {
    if (std::isfinite(value)) kept.emplace(name, value);
  }
  return kept;
}

Value git_of(const model::Version& version) {
  if (!version.git) return Value(cel::Map());
  return cel::from_json({{"commit", version.git->commit},
                         {"branch", version.git->branch},
                         {"remote", version.git->remote},
                         {"dirty", version.git->dirty}});
}

std::map<std::string, Value> artifact_of(const MemberFacts& member) {
  const auto& version = member.version;
  return {{"name", version.name},
          {"kind", word(to_word(version.kind))},
          {"ref", version.ref()},
          {"digest", version.digest.to_string()},
          {"version", version.number},
          {"sensitivity", word(to_word(version.sensitivity))},
          {"own_sensitivity", word(to_word(version.own_sensitivity))},
          {"sensitivity_assumed", version.sensitivity_assumed},
          {"deprecated", !version.deprecated_reason.empty()},
          {"description", version.description},
          {"created_by", version.created_by},
          {"created_at", timestamp(version.created_at_us)},
          {"size_bytes", number(version.size_bytes)},
          {"file_count", number(version.file_count)},
          {"ran_in", texts(member.ran_in)},
          {"params", map_of(version.params)},
          {"metrics", map_of(finite(version.metrics))},
          {"git", git_of(version)}};
}

std::map<std::string, Value> environment_of(const model::Environment& environment) {
  return {{"name", environment.name},
          {"clearance", word(to_word(environment.clearance))},
          {"region", environment.region},
          {"protected", environment.approvals_needed > 0 || environment.reason_required},
          {"approvals_needed", environment.approvals_needed},
          {"after", texts(environment.after)},
          {"owners", texts(environment.owners)},
          {"policies", texts(environment.policies)},
          {"labels", map_of(environment.labels)}};
}

std::map<std::string, Value> lineage_of(const MemberFacts& member) {
  std::int64_t unknown = 0;
  std::set<std::string> roles;
  cel::List inputs;
  for (const auto& input : member.inputs) {
    unknown += input.version_id.empty() || input.digest.empty();
    if (!input.role.empty()) roles.insert(input.role);
    inputs.push_back(cel::from_json({{"ref", input.ref}, {"role", input.role}, {"digest", input.digest}}));
  }
  const auto steps = member.taint_path.empty() ? std::size_t{0} : member.taint_path.size() - 1;
  const auto depth = std::max<std::size_t>(steps, member.inputs.empty() ? 0 : 1);
  return {{"complete", !member.inputs.empty() && unknown == 0},
          {"unknown_inputs", unknown},
          {"depth_to_source", number(depth)},
          {"roles", texts({roles.begin(), roles.end()})},
          {"inputs", Value(std::move(inputs))}};
}

Value taint_of(const MemberFacts& member) {
  Json sources = Json::array();
  for (const auto& step : member.taint_path) sources.push_back(step.ref);
  return cel::from_json({{"sensitivity", to_word(member.version.sensitivity)}, {"sources", std::move(sources)}});
}

cel::List members_of(const PromotionFacts& facts) {
  cel::List members;
  for (const auto& member : facts.members) members.push_back(map_of(artifact_of(member)));
  return members;
}

cel::List approvals_of(const PromotionFacts& facts) {
  cel::List approvals;
  for (const auto& approval : facts.approvals) {
    approvals.push_back(cel::from_json(
        {{"principal", approval.principal}, {"roles", approval.roles}, {"is_human", approval.is_human}}));
  }
  return approvals;
}

// metric("auc", "holdout") is the metric "auc.holdout".
cel::NativeFunction metric_function(std::map<std::string, double> metrics, std::string whose) {
  return [metrics = finite(metrics), whose = std::move(whose)](std::span<const Value> args) -> Result<Value> {
    std::string name;
    for (const auto& arg : args) name += (name.empty() ? "" : ".") + *arg.get<std::string>();
    const auto found = metrics.find(name);
    if (found != metrics.end()) return Value(found->second);
    return fail(ErrorCode::kRefused, "evidence_missing", fmt::format("{} has no metric '{}'", whose, printable(name)));
  };
}

// The label given or a higher one: who asks for "personal" is told of special categories too.
cel::NativeFunction taint_function(model::Sensitivity label) {
  return [label](std::span<const Value> args) -> Result<Value> {
    const auto asked = model::sensitivity_from_word(*args[1].get<std::string>());
    if (asked) return Value(label >= *asked);
    return fail(ErrorCode::kInvalid, "unknown_word",
                fmt::format("'{}' is no sensitivity", printable(*args[1].get<std::string>())));
  };
}

// Not `bind`: with a literal as prefix std::bind would be the better match, and do nothing.
void bind_all(cel::Bindings& bindings, const std::string& prefix, std::map<std::string, Value> values) {
  for (auto& [name, value] : values) bindings.variables[prefix + name] = std::move(value);
}

}  // namespace

cel::Bindings assert_bindings(const PromotionFacts& facts, const MemberFacts& member) {
  cel::Bindings bindings;
  bind_all(bindings, "target.environment.", environment_of(facts.environment));
  bind_all(bindings, "artifact.", artifact_of(member));
  bind_all(bindings, "lineage.", lineage_of(member));
  bind_all(bindings, "",
           {{"taint", taint_of(member)},
            {"members", members_of(facts)},
            {"approvals", approvals_of(facts)},
            {"requested_by", facts.requested_by},
            {"reason", facts.reason},
            {"is_rollback", facts.is_rollback},
            {"current.ref", facts.current_ref},
            {"current.metrics", map_of(finite(facts.current_metrics))}});
  if (facts.decided_at_us != 0) bindings.variables["now"] = timestamp(facts.decided_at_us);
  bindings.functions["metric"] = metric_function(member.version.metrics, member.version.ref());
  bindings.functions["current_metric"] =
      metric_function(facts.current_metrics, facts.current_ref.empty() ? "what runs now" : facts.current_ref);
  bindings.functions["has"] = taint_function(member.version.sensitivity);
  return bindings;
}

}  // namespace mlops::gate
