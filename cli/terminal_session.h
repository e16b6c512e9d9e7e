// The Session of a real run: words, settings, streams and, when a command asks for it, the server.
// Thread-safety: main thread only.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cli/api_client.h"
#include "cli/args.h"
#include "cli/output.h"
#include "cli/settings.h"
#include "cli/terminal.h"
#include "core/base/clock.h"

namespace mlops::cli {

// How a transport to a server is made; a seam for tests.
using Connect = std::function<Result<std::unique_ptr<Transport>>(const Connection&)>;

// What lies around a run; all of it outlives the session.
struct Surroundings {
  const CommandTable& table;
  const Variables& variables;
  const Places& places;
  const Terminal& terminal;
  const Clock& clock;
  const Connect& connect;
};

class TerminalSession final : public Session {
 public:
  TerminalSession(const Surroundings& surroundings, const Command* command, ParsedWords words,
                  Presentation presentation);

  // Reads --as-of. REQUIRES: called before the command runs. Errors: as parse_as_of.
  Status prepare();

  std::string operand(std::size_t index) const override;
  std::vector<std::string> operands_from(std::size_t index) const override;
  std::optional<std::string> option(std::string_view name) const override;
  std::vector<std::string> option_all(std::string_view name) const override;
  bool flag(std::string_view name) const override;
  bool dry_run() const override { return words_.has("--dry-run"); }
  std::string as_of() const override { return as_of_; }
  std::string known_at() const override { return known_at_; }

  // A client whose every call fails with the reason when there is no usable server or token.
  ApiClient& api() override;
  std::string config_dir() const override;

  bool wants_json() const override;
  bool stdout_is_tty() const override { return around_.terminal.out_is_tty; }
  bool stderr_is_tty() const override { return around_.terminal.err_is_tty; }
  bool quiet() const override { return presentation_.quiet; }
  std::string paint(Tone tone, std::string_view text) const override { return palette_.paint(tone, text); }

  void print_list(const Json& items, const std::vector<Column>& columns,
                  const std::function<std::string(const Json&)>& name, std::string_view when_empty) override;
  void print_value(const Json& value, const std::function<void()>& human,
                   const std::function<std::string()>& name) override;
  void print_line(std::string_view line) override;
  void say(std::string_view line) override;
  void warn(std::string_view line) override;
  int fail(const Error& error) override;

  // Own text (help, scripts) or bytes, as they are.
  void print_text(std::string_view text);

  const Surroundings& around() const { return around_; }
  const ParsedWords& words() const { return words_; }
  Result<Connection> connection() const;

 private:
  void write_err(std::string_view line);
  void print_structured(const Json& value);
  std::string key_of(std::string_view name) const;

  const Surroundings around_;
  const Command* command_;
  const ParsedWords words_;
  const Presentation presentation_;
  const Colors out_colors_;
  const Colors err_colors_;
  const Palette palette_;
  std::string as_of_;
  std::string known_at_;
  std::unique_ptr<HttpApiClient> api_;
};

// The session behind a built-in command. REQUIRES: the session is a TerminalSession, as it is in every real run.
TerminalSession& terminal_session(Session& session);

}  // namespace mlops::cli
