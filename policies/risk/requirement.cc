#include "policies/risk/requirement.h"

#include <algorithm>
#include <cmath>

namespace mlops::risk {
namespace {

struct KindRow {
  DiversityRequirement::Kind kind;
  std::string_view word;
};
constexpr KindRow kKinds[] = {{DiversityRequirement::Kind::kDistinct, "distinct"},
                              {DiversityRequirement::Kind::kEntropy, "entropy"},
                              {DiversityRequirement::Kind::kRecursive, "recursive"}};

// JSON has no infinity: null says that no number is enough.
Json finite(double value) {
  return std::isfinite(value) ? Json(value) : Json();
}

Json to_json(const AttackerRisk& risk) {
  return {{"highest", risk.highest}, {"average", risk.average}, {"lowest", risk.lowest}, {"at_risk", risk.at_risk}};
}

Json to_json(const ClassSizes& sizes) {
  Json histogram = Json::array();
  for (std::size_t i = 0; i < sizes.histogram.size(); ++i)
    histogram.push_back({{"from", ClassSizes::kFrom[i]}, {"units", sizes.histogram[i]}});
  return {{"units", sizes.units},
          {"classes", sizes.classes},
          {"smallest", sizes.smallest},
          {"largest", sizes.largest},
          {"unique", sizes.unique},
          {"below_k", sizes.below_k},
          {"classes_below_k", sizes.classes_below_k},
          {"histogram", std::move(histogram)}};
}

Json to_json(const PartReport& part) {
  Json diversity = Json::array();
  for (const auto& one : part.diversity) {
    diversity.push_back({{"attr", one.attr},
                         {"distinct_values", one.distinct_values},
                         {"distinct", one.diversity.distinct},
                         {"entropy", one.diversity.entropy},
                         {"recursive", {{"l", one.l}, {"c_above", finite(one.diversity.recursive_c)}}}});
  }
  Json closeness = Json::array();
  for (const auto& one : part.closeness)
    closeness.push_back({{"attr", one.attr}, {"t", one.distance}, {"distance", to_word(one.kind)}});
  return {{"records", part.records},
          {"classes", to_json(part.sizes)},
          {"risk", {{"prosecutor", to_json(part.prosecutor)}, {"marketer", part.prosecutor.average}}},
          {"diversity", std::move(diversity)},
          {"closeness", std::move(closeness)}};
}

Json to_json(const RiskRequirement& requirement) {
  Json l = Json::array();
  for (const auto& one : requirement.l) {
    l.push_back({{"attr", one.attr}, {"kind", to_word(one.kind)}, {"min", one.min}});
    if (one.kind == DiversityRequirement::Kind::kRecursive) l.back()["c"] = one.c;
  }
  Json t = Json::array();
  for (const auto& one : requirement.t) t.push_back({{"attr", one.attr}, {"max", one.max}});
  Json generalize = Json::object();
  for (const auto& [column, how] : requirement.generalize) generalize[column] = to_word(how);
  return {{"quasi_identifiers", requirement.quasi},
          {"subject", requirement.subject.empty() ? Json() : Json(requirement.subject)},
          {"k", requirement.k},
          {"l", std::move(l)},
          {"t", std::move(t)},
          {"generalize", std::move(generalize)},
          {"on_fail", requirement.on_fail == OnFail::kDeny ? "deny" : "suppress_records"},
          {"max_suppressed", requirement.max_suppressed}};
}

Json to_json(const VersionsReport& versions) {
  return {{"union", to_json(versions.whole_union)},
          {"added", to_json(versions.added)},
          {"removed", to_json(versions.removed)},
          {"shrunk_classes", versions.shrunk_classes},
          {"isolating_classes", versions.isolating_classes},
          {"isolated", versions.isolated}};
}

}  // namespace

std::string_view to_word(DiversityRequirement::Kind kind) {
  for (const auto& row : kKinds) {
    if (row.kind == kind) return row.word;
  }
  return {};
}

std::optional<DiversityRequirement::Kind> diversity_from_word(std::string_view word) {
  for (const auto& row : kKinds) {
    if (row.word == word) return row.kind;
  }
  return std::nullopt;
}

RiskColumns RiskRequirement::columns() const {
  RiskColumns columns{quasi, {}, subject};
  const auto add = [&](const std::string& attr) {
    auto& list = columns.sensitive;
    if (std::find(list.begin(), list.end(), attr) == list.end()) list.push_back(attr);
  };
  for (const auto& one : l) add(one.attr);
  for (const auto& one : t) add(one.attr);
  return columns;
}

Json to_json(const RiskReport& report) {
  Json shortfalls = Json::array();
  for (const auto& one : report.shortfalls) {
    shortfalls.push_back({{"rule", one.rule},
                          {"attr", one.attr.empty() ? Json() : Json(one.attr)},
                          {"need", finite(one.need)},
                          {"have", finite(one.have)}});
  }
  Json json = {{"requirement", to_json(report.requirement)},  {"is_met", report.is_met()},
               {"shortfalls", std::move(shortfalls)},         {"table", to_json(report.table)},
               {"suppress_records", report.suppress_records}, {"is_suppressed", report.is_suppressed}};
  if (report.journalist) json["journalist"] = to_json(*report.journalist);
  if (report.versions) json["versions"] = to_json(*report.versions);
  return json;
}

}  // namespace mlops::risk
