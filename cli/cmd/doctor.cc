#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "cli/cmd/doctor_checks.h"
#include "cli/cmd/fields.h"
#include "cli/cmd/rows.h"
#include "cli/cmd/run.h"
#include "cli/problem.h"
#include "cli/terminal_session.h"
#include "cli/version.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

class Doctor {
 public:
  explicit Doctor(TerminalSession& session) : session_(session) {}

  std::vector<Finding> examine() {
    if (const auto connection = check_settings()) check_server(*connection);
    check_disk();
    return std::move(findings_);
  }

 private:
  void add_error(std::string check, const Error& error) {
    findings_.push_back({std::move(check), Health::kBad, error.message, error.hint});
  }

  // Resolving the connection reads the configuration and the token file, and refuses one that others can read.
  std::optional<Connection> check_settings() {
    auto connection = session_.connection();
    if (!connection) {
      const bool is_token = connection.error().code == ErrorCode::kUnauthenticated;
      add_error(is_token ? "token" : "configuration", connection.error());
      return std::nullopt;
    }
    findings_.push_back({"configuration", Health::kGood,
                         fmt::format("server {} (from {})", connection->server, connection->server_origin), ""});
    if (connection->token.empty()) {
      findings_.push_back(
          {"token", Health::kBad, "there is none", "mlopsctl login --token-stdin < FILE, or set MLOPS_TOKEN_FILE"});
    } else {
      findings_.push_back({"token", Health::kGood, "from " + connection->token_origin, ""});
    }
    return std::move(*connection);
  }

  Result<HttpReply> get(Transport& transport, const std::string& path) {
    MLOPS_ASSIGN(auto reply, transport.exchange(HttpCall{.path = path}));
    if (reply.status < 200 || reply.status > 299) return fail(error_of_reply(reply, session_.api().server_url()));
    return reply;
  }

  void check_server(const Connection& connection) {
    auto transport = session_.around().connect(connection);
    if (!transport) return add_error("server", transport.error());
    const auto alive = get(**transport, "/livez");
    if (!alive) {
      add_error("server", alive.error());
      if (findings_.back().remedy.empty()) findings_.back().remedy = "is mlopsd running there? systemctl status mlopsd";
      return;
    }
    findings_.push_back({"server", Health::kGood, "answers", ""});
    if (const auto ready = get(**transport, "/readyz"); ready) {
      findings_.push_back({"readiness", Health::kGood, "ready", ""});
    } else {
      findings_.push_back({"readiness", Health::kBad, "not ready: " + ready.error().message,
                           "it is starting or draining; look at its log"});
    }
    const auto date = alive->headers.find("date");
    findings_.push_back(
        judge_clock(date == alive->headers.end() ? std::string() : date->second, session_.around().clock.now_us()));
    if (const auto version = get(**transport, "/version"); version) {
      findings_.push_back(judge_version(kVersion, parse_json(version->body).value_or(Json::object())));
    } else {
      add_error("versions", version.error());
    }
    if (connection.token.empty()) return;
    if (const auto me = get(**transport, "/api/v1/whoami"); me) {
      findings_.push_back(
          judge_identity(parse_json(me->body).value_or(Json::object()), session_.around().clock.now_us()));
    } else {
      add_error("identity", me.error());
    }
  }

  void check_disk() {
    std::error_code error;
    const auto& directory = session_.around().places.working_directory;
    const auto space = std::filesystem::space(directory.empty() ? "." : directory, error);
    if (error) return findings_.push_back({"disk", Health::kWarning, error.message(), ""});
    findings_.push_back(judge_disk("the working directory", space.available));
  }

  TerminalSession& session_;
  std::vector<Finding> findings_;
};

Result<int> doctor(Session& session) {
  const auto findings = Doctor(terminal_session(session)).examine();
  Json items = Json::array();
  for (const auto& finding : findings) items.push_back(to_json(finding));
  const bool is_well = std::none_of(findings.begin(), findings.end(),
                                    [](const Finding& finding) { return finding.health == Health::kBad; });
  session.print_value(
      items, [&] { print_lines(session, finding_lines(findings, style_of(session))); },
      [&] { return std::string(is_well ? "ok" : "bad"); });
  return is_well ? kExitDone : kExitFailed;
}

}  // namespace

const Command kDoctorCommand{
    .path = "doctor",
    .group = "Administration",
    .summary = "check configuration, token, server, clocks, versions and disk",
    .shared = kOutput,
    .description =
        R"(Each line says what was seen and, when something is wrong, what to do. Exit code 1 when something is bad.

Example:
  mlopsctl doctor --context prod)",
    .run = run_body<doctor>};

}  // namespace mlops::cli
