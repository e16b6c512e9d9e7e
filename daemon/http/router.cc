#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "core/base/text.h"
#include "daemon/http/route.h"
#include "daemon/http/target.h"

namespace mlops::http {
namespace {

constexpr std::size_t kMethodCount = 6;
constexpr std::size_t kMaxSegments = 32;

bool is_param(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

// A defect in the table is found at start, on every start: there is no request to answer yet.
[[noreturn]] void bad_table(const Route& route, const char* why) {
  std::fprintf(stderr, "route table: %.*s %.*s: %s\n", static_cast<int>(to_word(route.method).size()),
               to_word(route.method).data(), static_cast<int>(route.pattern.size()), route.pattern.data(), why);
  std::abort();
}

}  // namespace

struct Router::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
  std::unique_ptr<Node> param;
  std::array<const Route*, kMethodCount> by_method{};

  bool is_leaf() const {
    for (const Route* route : by_method) {
      if (route != nullptr) return true;
    }
    return false;
  }

  const Route* find(Method method) const {
    const Route* route = by_method[static_cast<std::size_t>(method)];
    if (route == nullptr && method == Method::kHead) route = by_method[static_cast<std::size_t>(Method::kGet)];
    return route;
  }

  std::string allow() const {
    std::vector<std::string> words;
    for (std::size_t i = 0; i < kMethodCount; ++i) {
      if (by_method[i] == nullptr) continue;
      words.emplace_back(to_word(static_cast<Method>(i)));
      if (static_cast<Method>(i) == Method::kGet) words.emplace_back("HEAD");
    }
    return join(words, ", ");
  }

  // Literal before parameter, with backtracking: "/a/{x}/c" is found although "/a/b" exists.
  const Node* descend(std::span<const std::string> segments, std::vector<std::string>& params) const {
    if (segments.empty()) return is_leaf() ? this : nullptr;
    if (const auto it = literals.find(segments.front()); it != literals.end()) {
      if (const Node* found = it->second->descend(segments.subspan(1), params)) return found;
    }
    if (param == nullptr || segments.front().empty()) return nullptr;
    params.push_back(segments.front());
    if (const Node* found = param->descend(segments.subspan(1), params)) return found;
    params.pop_back();
    return nullptr;
  }
};

Router::Router(std::vector<Route> routes) : routes_(std::move(routes)), root_(std::make_unique<Node>()) {
  for (const Route& route : routes_) {
    if (!route.pattern.starts_with('/')) bad_table(route, "a pattern starts with '/'");
    if (!route.handler) bad_table(route, "no handler");
    if (route.run_on == RunOn::kInline && route.body_mode == BodyMode::kStreamed) {
      bad_table(route, "a streamed body would block the I/O thread");
    }
    Node* node = root_.get();
    for (const auto segment : split(route.pattern.substr(1), '/')) {
      auto& child = is_param(segment) ? node->param : node->literals[std::string(segment)];
      if (!child) child = std::make_unique<Node>();
      node = child.get();
    }
    const Route*& slot = node->by_method[static_cast<std::size_t>(route.method)];
    if (slot != nullptr) bad_table(route, "twice in the table");
    slot = &route;
  }
}

Router::~Router() = default;
Router::Router(Router&&) noexcept = default;

std::variant<Router::Match, Router::NotFound, Router::WrongMethod, Router::BadPath> Router::match(
    Method method, std::string_view path) const {
  if (!path.starts_with('/')) return BadPath{"the path must start with '/'"};
  std::vector<std::string> segments;
  for (const auto raw : split(path.substr(1), '/')) {
    if (segments.size() == kMaxSegments) return NotFound{};
    auto segment = decode_segment(raw);
    if (!segment) return BadPath{std::move(segment.error().message)};
    segments.push_back(std::move(*segment));
  }
  std::vector<std::string> params;
  const Node* node = root_->descend(segments, params);
  if (node == nullptr) return NotFound{};
  const Route* route = node->find(method);
  if (route == nullptr) return WrongMethod{node->allow()};
  return Match{route, std::move(params)};
}

}  // namespace mlops::http
