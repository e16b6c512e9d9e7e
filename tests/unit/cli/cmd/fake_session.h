// A Session and an ApiClient without terminal and network, for tests of verbs: options are given, answers are scripted,
// what was printed, said and asked is kept. The store's routes are answered by a real store (fake_store.h).
// Thread-safety: one thread; what another() gives may be used by another one.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli/exit_code.h"
#include "cli/session.h"
#include "tests/unit/cli/cmd/fake_store.h"
#include "tests/unit/cli/cmd/temporary_directory.h"

namespace mlops::cli {

class FakeApi : public ApiClient {
 public:
  struct Call {
    std::string method;
    std::string path;
    Json body;
  };
  // The next answer to a call whose "METHOD path" begins with `prefix`; several for one prefix are given in order, the
  // last one for ever.
  void answer(const std::string& prefix, Result<Json> result) { answers_[prefix].push_back(std::move(result)); }

  Result<Json> get(const std::string& path) override { return call("GET", path, nullptr); }
  Result<Json> post(const std::string& path, const Json& body) override { return call("POST", path, body); }
  Result<Json> put(const std::string& path, const Json& body) override { return call("PUT", path, body); }
  Result<Json> del(const std::string& path, const Json& body) override { return call("DELETE", path, body); }
  Result<Raw> raw(const std::string&, const std::string&, const std::string&) override {
    return fail(ErrorCode::kInternal, "not_scripted", "raw");
  }
  Result<std::string> post_bytes(const std::string& path, std::string_view body) override;
  Result<std::string> get_bytes(const std::string& path) override;
  Result<Json> post_stream(const std::string& path, const std::function<Result<ByteView>()>& next,
                           std::uint64_t size_bytes) override;
  Status get_for_stream(const std::string& path, const std::function<Status(ByteView)>& sink) override;
  Status post_for_stream(const std::string& path, std::string_view body,
                         const std::function<Status(ByteView)>& sink) override;
  // With the same store, but nothing scripted.
  Result<std::unique_ptr<ApiClient>> another() const override;
  std::string server_url() const override { return url; }

  // Made when it is first wanted.
  FakeStore& store() const;

  std::string url = "http://test";
  std::map<std::string, std::string> bodies;  // by path: answers that are not JSON
  std::vector<Call> calls;                    // not those of the store's routes

 private:
  Result<Json> call(const std::string& method, const std::string& path, const Json& body);
  mutable std::shared_ptr<FakeStore> store_;
  std::map<std::string, std::deque<Result<Json>>> answers_;
};

class FakeSession : public Session {
 public:
  explicit FakeSession(std::vector<std::string> operands = {}) : operands_(std::move(operands)) {}

  std::string operand(std::size_t index) const override { return index < operands_.size() ? operands_[index] : ""; }
  std::vector<std::string> operands_from(std::size_t index) const override {
    return index >= operands_.size()
               ? std::vector<std::string>()
               : std::vector<std::string>(operands_.begin() + static_cast<std::ptrdiff_t>(index), operands_.end());
  }
  std::optional<std::string> option(std::string_view name) const override {
    const auto found = options.find(std::string(name));
    return found == options.end() ? std::nullopt : std::optional(found->second.back());
  }
  std::vector<std::string> option_all(std::string_view name) const override {
    const auto found = options.find(std::string(name));
    return found == options.end() ? std::vector<std::string>() : found->second;
  }
  bool flag(std::string_view name) const override { return options.contains(std::string(name)); }
  bool dry_run() const override { return options.contains("--dry-run"); }
  std::string as_of() const override { return option("--as-of").value_or(""); }
  ApiClient& api() override { return fake; }
  bool wants_json() const override { return json; }
  bool stdout_is_tty() const override { return false; }
  bool stderr_is_tty() const override { return false; }
  std::string paint(Tone, std::string_view text) const override { return std::string(text); }
  void print_list(const Json& items, const std::vector<Column>& columns, const std::function<std::string(const Json&)>&,
                  std::string_view when_empty) override;
  void print_value(const Json& value, const std::function<void()>& human,
                   const std::function<std::string()>&) override {
    if (json) {
      print_line(value.dump());
    } else {
      human();
    }
  }
  void print_line(std::string_view line) override { out.append(line).append("\n"); }
  void say(std::string_view line) override { err.append(line).append("\n"); }
  void warn(std::string_view line) override { err.append("warning: ").append(line).append("\n"); }
  int fail(const Error& error) override {
    err.append("error: ").append(error.message).append("\n");
    failed = error;
    return exit_code_of(error.code);
  }

  std::map<std::string, std::vector<std::string>> options;
  bool json = false;
  std::string out;
  std::string err;
  Error failed;
  FakeApi fake;

 private:
  std::vector<std::string> operands_;
};

}  // namespace mlops::cli
