#include "policies/engine/exception_scope.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "policies/engine/body.h"

namespace mlops::policy {
namespace {

bool loosens_masking(const Policy::Body& body, const Exception& exception) {
  const auto& target = exception.gate.value;
  if (target.starts_with("require:")) return false;
  return std::none_of(body.gates.begin(), body.gates.end(), [&](const GateRule& gate) { return gate.id == target; });
}

}  // namespace

Status check_exception_scope(const Policy& policy, std::string_view typed_name, std::string_view digest) {
  Json outside = Json::array();
  std::vector<std::string> names;
  for (const auto& one : policy.terms().exceptions) {
    if (!loosens_masking(policy.body(), one) || scope_covers(one.scope, typed_name, digest)) continue;
    outside.push_back({{"id", one.id.value}, {"gate", one.gate.value}, {"scope", one.scope}});
    names.push_back(fmt::format("{} ({})", printable(one.id.value), printable(one.scope)));
  }
  if (names.empty()) return {};
  return fail(ErrorCode::kRefused, "exception_out_of_scope",
              fmt::format("policy {} leans on exceptions that do not cover {}: {}", policy.name(),
                          printable(typed_name), join(names, ", ")),
              "mask it by a policy without them, or have an exception approved for it",
              canonical_dump({{"exceptions", outside}, {"dataset", typed_name}}));
}

}  // namespace mlops::policy
