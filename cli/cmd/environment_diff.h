// What changed in an environment between two moments, or between two environments: releases and the environment itself.
// Errors: those of the server. Thread-safety: as the session.
#pragma once

#include <optional>
#include <string>

#include "cli/session.h"

namespace mlops::cli {

// "prod@2026-11-01", "prod/acme@2 days ago", "prod@now": an environment at a time --as-of would take.
struct EnvironmentMoment {
  std::string environment;
  std::string time;  // RFC 3339; empty: now
};
// nullopt: another kind of reference.
std::optional<EnvironmentMoment> moment_of_environment(const std::string& text);

// Exit 0 when they run and are the same, 3 when they differ.
Result<int> diff_environments(Session& session, const EnvironmentMoment& a, const EnvironmentMoment& b);

}  // namespace mlops::cli
