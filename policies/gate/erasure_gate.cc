#include "policies/gate/erasure_gate.h"

#include <fmt/format.h>

#include <array>

#include "policies/gate/verdicts.h"

namespace mlops::gate {
namespace {

struct StateRow {
  std::string_view state;
  std::string_view reason;         // {}: the version
  std::string_view would_pass_if;  // {}: the version, {}: the detail
};
// An unknown state denies as well: the last row.
constexpr std::array<StateRow, 5> kStates{{
    {"undecided", "{} was made from records of a person that were erased, and nobody has decided about it",
     "it is decided: mlopsctl erase decide {0} --retrained-as REF, --assessed DIGEST or --accept REASON"},
    {"retrained", "{} was made from records of a person that were erased, and was replaced", "{1} is promoted instead"},
    {"kept", "{} holds records of a person that are to be erased, and only a hold keeps it",
     "the hold is released and the person is erased: mlopsctl erase plan"},
    {"pending", "{} holds records of a person that are being erased", "the erasure is applied to its end"},
    {"", "{} waits for an erasure", "the erasure is settled"},
}};

const StateRow& row_of(std::string_view state) {
  for (const auto& row : kStates) {
    if (row.state == state) return row;
  }
  return kStates.back();
}

}  // namespace

model::GateResult judge_erasure(const model::MemberFacts& member, const model::PromotionFacts&) {
  const GateHead head{"erasure", "erasure", std::string(kBuiltIn)};
  Json waiting = Json::array();
  for (const auto& one : member.open_erasures) {
    waiting.push_back({{"erasure", one.erasure_id}, {"version", one.ref}, {"state", one.state}});
  }
  const auto count = waiting.size();
  Json facts = {{"member", member.version.ref()}, {"open", std::move(waiting)}};
  if (count == 0) return pass(head, shown(member.version) + " waits for no erasure", std::move(facts));
  const auto& first = member.open_erasures.front();
  const auto& row = row_of(first.state);
  auto reason = fmt::format(fmt::runtime(row.reason), first.ref);
  if (count > 1) reason += fmt::format("; {} more like it", count - 1);
  return refuse(head, std::move(reason), fmt::format(fmt::runtime(row.would_pass_if), first.ref, first.detail),
                std::move(facts));
}

}  // namespace mlops::gate
