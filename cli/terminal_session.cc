#include "cli/terminal_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "cli/exit_code.h"
#include "cli/problem.h"
#include "cli/time.h"
#include "core/base/text.h"
#include "core/base/yaml.h"
#include "core/net/url.h"

namespace mlops::cli {
namespace {

// Says on every call why there is no server to talk to.
class FailedTransport final : public Transport {
 public:
  explicit FailedTransport(Error error) : error_(std::move(error)) {}
  Result<HttpReply> exchange(const HttpCall&) override { return mlops::fail(error_); }
  Result<std::unique_ptr<Transport>> another() const override { return mlops::fail(error_); }

 private:
  const Error error_;
};

// In clear, and not within this machine.
bool is_exposed(const std::string& server) {
  const auto url = net::parse_url(server);
  return url && !url->is_tls() && !url->is_loopback();
}

// Facts that belong under the message; everything else of them is for -o json and for the command itself.
std::vector<std::string> candidates_of(const Error& error) {
  std::vector<std::string> candidates;
  const auto facts = parse_json(error.detail);
  if (!facts || !facts->is_object() || !facts->contains("candidates")) return candidates;
  for (const auto& candidate : (*facts)["candidates"]) {
    if (candidate.is_string()) candidates.push_back(candidate.get<std::string>());
  }
  return candidates;
}

const Json& rows_of(const Json& items) {
  static const Json kNone = Json::array();
  if (items.is_array()) return items;
  const auto found = items.find("items");
  return found != items.end() && found->is_array() ? *found : kNone;
}

}  // namespace

TerminalSession::TerminalSession(const Surroundings& surroundings, const Command* command, ParsedWords words,
                                 Presentation presentation)
    : around_(surroundings),
      command_(command),
      words_(std::move(words)),
      presentation_(presentation),
      out_colors_(choose_colors(presentation.color, surroundings.terminal.out_is_tty, surroundings.variables)),
      err_colors_(choose_colors(presentation.color, surroundings.terminal.err_is_tty, surroundings.variables)),
      palette_(out_colors_ == Colors::kOn || err_colors_ == Colors::kOn ? Colors::kOn : Colors::kOff) {}

Status TerminalSession::prepare() {
  if (const auto text = words_.last("--as-of")) {
    MLOPS_ASSIGN(const auto time_us, parse_as_of(*text, around_.clock.now_us()));
    as_of_ = format_rfc3339(time_us);
  }
  if (const auto text = words_.last("--known-at")) {
    MLOPS_ASSIGN(const auto time_us, parse_as_of(*text, around_.clock.now_us()));
    known_at_ = format_rfc3339(time_us);
  }
  return {};
}

std::string TerminalSession::operand(std::size_t index) const {
  return index < words_.operands.size() ? words_.operands[index] : std::string();
}

std::vector<std::string> TerminalSession::operands_from(std::size_t index) const {
  const auto from = std::min(index, words_.operands.size());
  return {words_.operands.begin() + static_cast<std::ptrdiff_t>(from), words_.operands.end()};
}

// A command may ask by any spelling of an option it takes; asking for another one is a defect of the command.
std::string TerminalSession::key_of(std::string_view name) const {
  for (const auto& option : command_ != nullptr ? effective_options(*command_) : global_options()) {
    const auto spellings = option_spellings(option);
    if (std::find(spellings.begin(), spellings.end(), name) != spellings.end()) return option_key(option);
  }
  assert(false && "the command's row does not declare this option");
  return std::string(name);
}

std::optional<std::string> TerminalSession::option(std::string_view name) const {
  return words_.last(key_of(name));
}

std::vector<std::string> TerminalSession::option_all(std::string_view name) const {
  const auto found = words_.values.find(key_of(name));
  return found == words_.values.end() ? std::vector<std::string>() : found->second;
}

bool TerminalSession::flag(std::string_view name) const {
  return words_.has(key_of(name));
}

Result<Connection> TerminalSession::connection() const {
  return resolve_connection(words_, around_.variables, around_.places);
}

std::string TerminalSession::config_dir() const {
  const auto& path = around_.places.config_path;
  return path.substr(0, path.rfind('/') == path.npos ? 0 : path.rfind('/'));
}

ApiClient& TerminalSession::api() {
  if (api_) return *api_;
  auto connection = this->connection();
  Result<std::unique_ptr<Transport>> transport = mlops::fail(Error{});
  if (!connection) {
    transport = std::make_unique<FailedTransport>(connection.error());
  } else {
    if (!connection->token.empty() && is_exposed(connection->server)) {
      warn(fmt::format("the token goes to {} without encryption", connection->server));
    }
    transport = around_.connect(*connection);
    if (!transport) transport = std::make_unique<FailedTransport>(transport.error());
  }
  HttpApiClient::Observe observe;
  if (presentation_.verbose) {
    observe = [this](std::string_view call, int status, std::string_view request_id) {
      write_err(fmt::format("{} -> {} (request {})", call, status, request_id.empty() ? "unknown" : request_id));
    };
  }
  api_ = std::make_unique<HttpApiClient>(std::move(*transport), connection ? connection->server : std::string(),
                                         std::move(observe));
  return *api_;
}

bool TerminalSession::wants_json() const {
  return presentation_.format == OutputFormat::kJson || presentation_.format == OutputFormat::kYaml;
}

void TerminalSession::print_structured(const Json& value) {
  print_text(presentation_.format == OutputFormat::kYaml ? json_to_yaml(value) : json_text(value));
}

void TerminalSession::print_list(const Json& items, const std::vector<Column>& columns,
                                 const std::function<std::string(const Json&)>& name, std::string_view when_empty) {
  if (wants_json()) return print_structured(items);
  const Json& rows = rows_of(items);
  if (presentation_.format == OutputFormat::kName && name) {
    for (const auto& row : rows) print_line(name(row));
    return;
  }
  if (rows.empty()) return say(when_empty);
  for (const auto& line : table_lines(rows, columns, presentation_.format, palette_, out_colors_)) {
    print_text(line + "\n");
  }
}

void TerminalSession::print_value(const Json& value, const std::function<void()>& human,
                                  const std::function<std::string()>& name) {
  if (wants_json()) return print_structured(value);
  if (presentation_.format == OutputFormat::kName && name) return print_line(name());
  if (human) return human();
  print_structured(value);
}

void TerminalSession::print_line(std::string_view line) {
  print_text(palette_.render(line, out_colors_) + "\n");
}

void TerminalSession::print_text(std::string_view text) {
  write_text(around_.terminal.out, text);
}

void TerminalSession::write_err(std::string_view line) {
  (void)flush_all(around_.terminal.out);  // talk follows the data it is about; a lost write is reported at the end
  write_text(around_.terminal.err, palette_.render(line, err_colors_) + "\n");
}

void TerminalSession::say(std::string_view line) {
  if (!presentation_.quiet && !line.empty()) write_err(line);
}

void TerminalSession::warn(std::string_view line) {
  write_err(fmt::format("{} {}", paint(Tone::kWarn, "warning:"), line));
}

int TerminalSession::fail(const Error& error) {
  const auto request_id = api_ ? api_->last_request_id() : std::string();
  const auto exit = exit_code_of(error.code);
  if (wants_json()) {
    (void)flush_all(around_.terminal.out);
    write_text(around_.terminal.err, json_text(problem_of(error, request_id)));
    return exit;
  }
  const bool refused = error.code == ErrorCode::kRefused;
  write_err(fmt::format("{} {}", paint(Tone::kBad, refused ? "refused:" : "error:"), error.message));
  for (const auto& candidate : candidates_of(error)) write_err("  " + candidate);
  if (!error.hint.empty()) write_err(fmt::format("{} {}", paint(Tone::kBold, "hint:"), error.hint));
  const bool for_support = error.code == ErrorCode::kInternal || error.code == ErrorCode::kCorrupt;
  if (for_support && !request_id.empty()) write_err("request id: " + request_id);
  return exit;
}

TerminalSession& terminal_session(Session& session) {
  assert(dynamic_cast<TerminalSession*>(&session) != nullptr);
  return static_cast<TerminalSession&>(session);
}

}  // namespace mlops::cli
