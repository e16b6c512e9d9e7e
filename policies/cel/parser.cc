#include "policies/cel/parser.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "policies/cel/lexer.h"

namespace mlops::cel {
namespace {

using Form = Node::Form;
using Sort = Token::Sort;

struct BinaryRow {
  std::string_view mark;
  std::string_view function;
  int level;
};
// Higher levels bind tighter.
constexpr BinaryRow kBinary[] = {{"||", "_||_", 1}, {"&&", "_&&_", 2}, {"==", "_==_", 3}, {"!=", "_!=_", 3},
                                 {"<", "_<_", 3},   {"<=", "_<=_", 3}, {">", "_>_", 3},   {">=", "_>=_", 3},
                                 {"in", "_in_", 3}, {"+", "_+_", 4},   {"-", "_-_", 4},   {"*", "_*_", 5},
                                 {"/", "_/_", 5},   {"%", "_%_", 5}};

struct MacroRow {
  std::string_view name;
  Macro macro;
  std::size_t args;  // besides the range
};
constexpr MacroRow kMacros[] = {{"all", Macro::kAll, 2},
                                {"exists", Macro::kExists, 2},
                                {"exists_one", Macro::kExistsOne, 2},
                                {"existsOne", Macro::kExistsOne, 2},
                                {"map", Macro::kMap, 2},
                                {"map", Macro::kMap, 3},
                                {"filter", Macro::kFilter, 2}};

class Parser {
 public:
  Parser(std::string_view source, Macros macros) : source_(source), lexer_(source), macros_(macros) {}

  Result<NodePtr> whole() {
    if (source_.size() > kMaxSourceBytes)
      return fail(error_at(source_, 0, "cel_too_long", fmt::format("longer than {} bytes", kMaxSourceBytes)));
    MLOPS_TRY(advance());
    MLOPS_ASSIGN(auto node, expression());
    if (token_.sort != Sort::kEnd) return wrong(token_.begin, unexpected());
    return node;
  }

 private:
  // expression = binary ["?" binary ":" expression]; the chain behind ":" is a loop in depth only by nodes.
  Result<NodePtr> expression() {
    const Nesting nesting(nesting_);
    if (nesting_ > kMaxNesting) return too_deep(token_.begin);
    MLOPS_ASSIGN(auto condition, binary(1));
    if (!is_mark("?")) return condition;
    const auto at = token_.begin;
    MLOPS_TRY(advance());
    MLOPS_ASSIGN(auto yes, binary(1));
    MLOPS_TRY(expect(":"));
    MLOPS_ASSIGN(auto no, expression());
    auto node = make(Form::kCall, condition->begin, at);
    node->name = "_?_:_";
    return finish(std::move(node), std::move(condition), std::move(yes), std::move(no));
  }

  // Climbs precedence; operators of one level associate to the left, but chains of && and || are balanced, so that a
  // long list of conditions is not deep.
  Result<NodePtr> binary(int level) {
    if (level > kTightest) return unary();
    MLOPS_ASSIGN(auto left, binary(level + 1));
    std::vector<NodePtr> chain;
    std::vector<std::uint32_t> marks;
    while (const auto* row = binary_row(level)) {
      const auto at = token_.begin;
      MLOPS_TRY(advance());
      MLOPS_ASSIGN(auto right, binary(level + 1));
      if (row->level <= 2) {
        if (chain.empty()) chain.push_back(std::move(left));
        chain.push_back(std::move(right));
        marks.push_back(at);
        continue;
      }
      auto node = make(Form::kCall, left->begin, at);
      node->name = std::string(row->function);
      MLOPS_ASSIGN(left, finish(std::move(node), std::move(left), std::move(right)));
    }
    if (chain.empty()) return left;
    return balanced(chain, marks, 0, chain.size(), level == 1 ? "_||_" : "_&&_");
  }

  Result<NodePtr> balanced(std::vector<NodePtr>& chain, const std::vector<std::uint32_t>& marks, std::size_t from,
                           std::size_t to, std::string_view function) {
    if (to - from == 1) return std::move(chain[from]);
    const auto middle = (from + to + 1) / 2;
    MLOPS_ASSIGN(auto left, balanced(chain, marks, from, middle, function));
    MLOPS_ASSIGN(auto right, balanced(chain, marks, middle, to, function));
    auto node = make(Form::kCall, left->begin, marks[middle - 1]);
    node->name = std::string(function);
    return finish(std::move(node), std::move(left), std::move(right));
  }

  // "!" and "-" any number of times; a minus before a number belongs to it.
  Result<NodePtr> unary() {
    std::vector<Token> signs;
    while (is_mark("!") || is_mark("-")) {
      if (!signs.empty() && signs.front().text != token_.text) return wrong(token_.begin, unexpected());
      signs.push_back(token_);
      MLOPS_TRY(advance());
    }
    const bool is_negative = !signs.empty() && signs.back().text == "-" && token_.sort == Sort::kLiteral &&
                             (token_.value.get<std::int64_t>() || token_.value.get<double>());
    if (is_negative) {
      token_.begin = signs.back().begin;
      if (const auto* number = token_.value.get<double>()) {
        token_.value = Value(-*number);
      } else if (!token_.is_min_int) {
        token_.value = Value(-*token_.value.get<std::int64_t>());
      }
      token_.is_min_int = false;
      signs.pop_back();
    }
    MLOPS_ASSIGN(auto node, member());
    for (; !signs.empty(); signs.pop_back()) {
      auto outer = make(Form::kCall, signs.back().begin, signs.back().begin);
      outer->name = signs.back().text == "!" ? "!_" : "-_";
      MLOPS_ASSIGN(node, finish(std::move(outer), std::move(node)));
    }
    return node;
  }

  Result<NodePtr> member() {
    MLOPS_ASSIGN(auto node, primary());
    while (true) {
      if (is_mark(".")) {
        MLOPS_TRY(advance());
        MLOPS_ASSIGN(node, select(std::move(node)));
      } else if (is_mark("[")) {
        auto outer = make(Form::kCall, node->begin, token_.begin);
        outer->name = "_[_]";
        MLOPS_TRY(advance());
        MLOPS_ASSIGN(auto index, expression());
        MLOPS_TRY(expect("]"));
        MLOPS_ASSIGN(node, finish(std::move(outer), std::move(node), std::move(index)));
      } else if (is_mark("{") && (node->form == Form::kIdent || node->form == Form::kSelect)) {
        return fail(error_at(source_, token_.begin, "cel_message", "messages are not part of this language"));
      } else {
        return node;
      }
    }
  }

  Result<NodePtr> select(NodePtr operand) {
    const auto name = token_;
    if (name.sort != Sort::kIdent && name.sort != Sort::kQuoted && name.sort != Sort::kReserved)
      return wrong(name.begin, "a name must follow the dot");
    MLOPS_TRY(advance());
    if (is_mark("(") && name.sort != Sort::kQuoted) return method(std::move(operand), name);
    auto node = make(Form::kSelect, operand->begin, name.begin);
    node->name = std::string(name.text);
    return finish(std::move(node), std::move(operand));
  }

  Result<NodePtr> method(NodePtr operand, const Token& name) {
    auto node = make(Form::kCall, operand->begin, name.begin);
    node->name = std::string(name.text);
    node->is_method = true;
    node->args.push_back(std::move(operand));
    MLOPS_TRY(advance());
    MLOPS_TRY(list_until(")", node->args));
    MLOPS_ASSIGN(auto done, finish(std::move(node)));
    if (macros_ == Macros::kExpand) return expand(std::move(done));
    return done;
  }

  Result<NodePtr> expand(NodePtr call) {
    for (const auto& row : kMacros) {
      if (row.name != call->name || row.args + 1 != call->args.size()) continue;
      const auto& variable = *call->args[1];
      if (variable.form != Form::kIdent || variable.is_absolute)
        return wrong(variable.begin, fmt::format("the first argument of {} is a name", row.name));
      call->form = Form::kMacro;
      call->macro = row.macro;
      call->name = variable.name;
      call->args.erase(call->args.begin() + 1);
      break;
    }
    return call;
  }

  Result<NodePtr> primary() {
    const auto token = token_;
    if (token.sort == Sort::kLiteral) {
      if (token.is_min_int) return wrong(token.begin, "this number does not fit into 64 bits");
      auto node = make(Form::kLiteral, token.begin, token.begin);
      node->literal = token.value;
      MLOPS_TRY(advance());
      return finish(std::move(node));
    }
    const bool is_absolute = is_mark(".");
    if (is_absolute) MLOPS_TRY(advance());
    if (token_.sort == Sort::kIdent) return name(token.begin, is_absolute);
    if (token_.sort == Sort::kReserved)
      return wrong(token_.begin, fmt::format("'{}' is reserved and names nothing", token_.text));
    if (is_absolute) return wrong(token_.begin, "a name must follow the dot");
    if (is_mark("(")) {
      MLOPS_TRY(advance());
      MLOPS_ASSIGN(auto node, expression());
      MLOPS_TRY(expect(")"));
      return node;
    }
    if (is_mark("[")) {
      auto node = make(Form::kList, token.begin, token.begin);
      MLOPS_TRY(advance());
      MLOPS_TRY(list_until("]", node->args));
      return finish(std::move(node));
    }
    if (is_mark("{")) return map();
    return wrong(token.begin, unexpected());
  }

  Result<NodePtr> name(std::uint32_t begin, bool is_absolute) {
    auto node = make(Form::kIdent, begin, token_.begin);
    node->name = std::string(token_.text);
    node->is_absolute = is_absolute;
    MLOPS_TRY(advance());
    if (!is_mark("(")) return finish(std::move(node));
    node->form = Form::kCall;
    MLOPS_TRY(advance());
    MLOPS_TRY(list_until(")", node->args));
    if (node->name != "has" || macros_ == Macros::kPlain) return finish(std::move(node));
    if (node->args.size() != 1 || node->args[0]->form != Form::kSelect)
      return wrong(node->at, "has() asks for one field: has(a.b)");
    auto field = std::move(node->args[0]);
    field->form = Form::kHas;
    field->begin = node->begin;
    field->end = last_end_;
    return field;
  }

  Result<NodePtr> map() {
    auto node = make(Form::kMap, token_.begin, token_.begin);
    MLOPS_TRY(advance());
    while (!is_mark("}")) {
      MLOPS_ASSIGN(auto key, expression());
      MLOPS_TRY(expect(":"));
      MLOPS_ASSIGN(auto value, expression());
      node->args.push_back(std::move(key));
      node->args.push_back(std::move(value));
      if (!is_mark("}")) MLOPS_TRY(expect(","));
    }
    MLOPS_TRY(advance());
    return finish(std::move(node));
  }

  // Arguments and list elements; a comma may stand behind the last element of a list only.
  Status list_until(std::string_view closing, std::vector<NodePtr>& into) {
    bool is_first = true;
    while (!is_mark(closing)) {
      if (!is_first) MLOPS_TRY(expect(","));
      if (!is_first && closing == "]" && is_mark(closing)) break;
      MLOPS_ASSIGN(auto item, expression());
      into.push_back(std::move(item));
      is_first = false;
    }
    return advance();
  }

  template <class... Args>
  Result<NodePtr> finish(NodePtr node, Args... args) {
    (node->args.push_back(std::move(args)), ...);
    node->end = last_end_;
    for (const auto& arg : node->args) node->depth = std::max(node->depth, arg->depth + 1);
    if (node->depth > kMaxDepth) return too_deep(node->at);
    if (++nodes_ > kMaxNodes)
      return fail(error_at(source_, node->at, "cel_too_large", fmt::format("more than {} parts", kMaxNodes)));
    return node;
  }

  static NodePtr make(Form form, std::uint32_t begin, std::uint32_t at) {
    auto node = std::make_unique<Node>();
    node->form = form;
    node->begin = begin;
    node->at = at;
    return node;
  }

  const BinaryRow* binary_row(int level) const {
    if (token_.sort != Sort::kMark) return nullptr;
    for (const auto& row : kBinary) {
      if (row.level == level && row.mark == token_.text) return &row;
    }
    return nullptr;
  }
  bool is_mark(std::string_view mark) const { return token_.sort == Sort::kMark && token_.text == mark; }
  Status expect(std::string_view mark) {
    if (!is_mark(mark)) return wrong(token_.begin, fmt::format("'{}' is missing", mark));
    return advance();
  }
  Status advance() {
    last_end_ = token_.end;
    MLOPS_ASSIGN(token_, lexer_.next());
    return {};
  }
  std::string unexpected() const {
    if (token_.sort == Sort::kEnd) return "the expression ends too early";
    return fmt::format("'{}' does not fit here", printable(source_.substr(token_.begin, token_.end - token_.begin)));
  }
  Failure wrong(std::uint32_t offset, std::string message) const {
    return fail(error_at(source_, offset, "cel_syntax", std::move(message)));
  }
  Failure too_deep(std::uint32_t offset) const {
    return fail(error_at(source_, offset, "cel_too_deep", "nested too deeply"));
  }

  struct Nesting {
    explicit Nesting(std::size_t& depth) : depth_(depth) { ++depth_; }
    ~Nesting() { --depth_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;
    std::size_t& depth_;
  };
  static constexpr int kTightest = 5;
  static constexpr std::size_t kMaxNesting = 120;

  std::string_view source_;
  Lexer lexer_;
  Macros macros_;
  Token token_;
  std::uint32_t last_end_ = 0;
  std::size_t nesting_ = 0;
  std::size_t nodes_ = 0;
};

}  // namespace

Error error_at(std::string_view source, std::uint32_t offset, std::string slug, std::string message, std::string hint) {
  const auto before = source.substr(0, std::min<std::size_t>(offset, source.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto last = before.rfind('\n');
  const auto column = before.size() - (last == std::string_view::npos ? 0 : last + 1) + 1;
  return {ErrorCode::kInvalid, std::move(slug), fmt::format("{}:{}: {}", line, column, message), std::move(hint),
          canonical_dump({{"offset", before.size()}, {"line", line}, {"column", column}, {"message", message}})};
}

Result<NodePtr> parse(std::string_view source, Macros macros) {
  return Parser(source, macros).whole();
}

}  // namespace mlops::cel
