#include "policies/gate/provenance_gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/base/text.h"

namespace mlops::gate {
namespace {

using model::GateResult;
using model::MemberFacts;

constexpr std::size_t kShortCommit = 12;

// '*' stands for any characters, '/' included. Linear in the text for every star.
bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool any_matches(const std::vector<std::string>& patterns, const std::vector<std::string>& texts) {
  return std::any_of(texts.begin(), texts.end(), [&](const std::string& text) {
    return std::any_of(patterns.begin(), patterns.end(),
                       [&](const std::string& pattern) { return matches(pattern, text); });
  });
}

bool shares(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::any_of(a.begin(), a.end(),
                     [&](const auto& one) { return std::find(b.begin(), b.end(), one) != b.end(); });
}

struct Gap {
  std::string reason;
  std::string would_pass_if;
};

std::string wanted_repositories(const policy::ProvenanceGate& gate) {
  return gate.repositories.empty() ? "a configured repository" : join(gate.repositories, " or ");
}

// Of the commit's standing in the repositories; the member has a recorded commit.
std::optional<Gap> standing_gap(const policy::ProvenanceGate& gate, const MemberFacts& member) {
  const auto& git = *member.version.git;
  const auto who = shown(member.version);
  const auto commit = git.commit.substr(0, kShortCommit);
  const Gap not_asked{fmt::format("evidence missing: whether commit {} of {} exists was not looked up", commit, who),
                      "mlopsd is configured with its repository (use: [provenance]) and a plan is made anew"};
  if (!member.provenance) return not_asked;
  const auto& fact = *member.provenance;
  const bool known =
      !fact.repositories.empty() && (gate.repositories.empty() || shares(gate.repositories, fact.repositories));
  if (!known) {
    return Gap{fmt::format("{} was made in {}, which is not {}", who,
                           git.remote.empty() ? "a repository without a remote" : printable(git.remote),
                           wanted_repositories(gate)),
               fmt::format("it is made from a commit of {}", wanted_repositories(gate))};
  }
  if (fact.state == "unknown") return not_asked;
  const auto repository = join(fact.repositories, ", ");
  if (fact.state == "unreachable") {
    return Gap{fmt::format("evidence missing: the repository {} could not be asked for commit {} of {}", repository,
                           commit, who),
               fmt::format("{} can be reached again and a plan is made anew", repository)};
  }
  if (fact.state != "found") {
    return Gap{fmt::format("evidence missing: the repository {} has no commit {} of {}", repository, commit, who),
               fmt::format("the commit is pushed to {}, or the version is made from one that is", repository)};
  }
  if (gate.branches.empty() || any_matches(gate.branches, fact.branches)) return std::nullopt;
  return Gap{fmt::format("commit {} of {} is on {} of {}, not on {}", commit, who,
                         fact.branches.empty() ? "no branch" : join(fact.branches, ", "), repository,
                         join(gate.branches, " or ")),
             fmt::format("it is merged into {}", join(gate.branches, " or "))};
}

Json looked_at(const policy::ProvenanceGate& gate, const MemberFacts& member) {
  Json facts = {{"member", member.version.ref()},
                {"commit", nullptr},
                {"allowed_repositories", gate.repositories},
                {"allowed_branches", gate.branches}};
  if (const auto& git = member.version.git) {
    facts["commit"] = git->commit;
    facts["dirty"] = git->dirty;
  }
  if (const auto& fact = member.provenance) {
    facts["repositories"] = fact->repositories;
    facts["state"] = fact->state;
    facts["branches"] = fact->branches;
  }
  return facts;
}

}  // namespace

GateResult judge_provenance(const GateHead& head, const policy::ProvenanceGate& gate, const MemberFacts& member) {
  const auto who = shown(member.version);
  auto facts = looked_at(gate, member);
  if (!member.version.git) {
    return refuse(head, fmt::format("evidence missing: no git commit is recorded for {}", who),
                  "it is registered with --git DIR of its working copy", std::move(facts));
  }
  if (gate.clean && member.version.git->dirty) {
    return refuse(head, fmt::format("the git tree that {} was made in had local changes", who),
                  "they are committed and it is made again from a clean tree", std::move(facts));
  }
  if (auto gap = standing_gap(gate, member)) {
    return refuse(head, std::move(gap->reason), std::move(gap->would_pass_if), std::move(facts));
  }
  return pass(head,
              fmt::format("commit {} of {} is in {}", member.version.git->commit.substr(0, kShortCommit), who,
                          join(member.provenance->repositories, ", ")),
              std::move(facts));
}

}  // namespace mlops::gate
