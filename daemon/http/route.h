// The route table's row and its matching: a segment tree over the raw path, built once.
//
// Authentication, body limits, 404/405, metrics labels and OpenAPI all come from the row. Thread-safety: immutable once
// built.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "daemon/http/message.h"

namespace mlops::http {

// A scope that cannot be forgotten: a row without one does not compile.
class RequiredScope {
 public:
  RequiredScope() = delete;
  constexpr RequiredScope(model::Scope scope) : scope_(scope) {}
  constexpr model::Scope get() const { return scope_; }

 private:
  model::Scope scope_;
};

enum class BodyMode { kNone, kBuffered, kStreamed };
// kInline handlers are short reads without blocking and run on the I/O thread; all others run on the worker pool.
enum class RunOn { kInline, kWorker };

// What becomes of a caller that has a token and not the scope. kHandlerRefuses: the handler is asked, refuses too, and
// puts it on record.
enum class WithoutScope { kRefuse, kHandlerRefuses };

using Handler = std::function<Response(Request&)>;

struct Route {
  Method method;
  std::string_view pattern;  // "/api/v1/versions/{ref}/labels"; static storage
  RequiredScope scope;
  BodyMode body_mode;
  std::size_t body_limit_bytes;  // kBuffered and kStreamed
  RunOn run_on;
  std::string_view summary;  // one sentence for OpenAPI
  Handler handler;
  WithoutScope without_scope = WithoutScope::kRefuse;
};

class Router {
 public:
  // REQUIRES: no two rows of the same method and pattern (checked; aborts at start otherwise).
  explicit Router(std::vector<Route> routes);
  Router(Router&&) noexcept;
  ~Router();

  struct Match {
    const Route* route;
    std::vector<std::string> params;
  };
  struct NotFound {};
  struct WrongMethod {
    std::string allow;  // "GET, POST"
  };
  struct BadPath {
    std::string why;
  };
  // HEAD matches a GET row. `path` is raw; segments are split first and percent-decoded after, so "%2F" stays inside
  // one.
  std::variant<Match, NotFound, WrongMethod, BadPath> match(Method method, std::string_view path) const;
  const std::vector<Route>& routes() const { return routes_; }

 private:
  struct Node;
  std::vector<Route> routes_;
  std::unique_ptr<Node> root_;
};

}  // namespace mlops::http
