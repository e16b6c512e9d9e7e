#include "policies/cel/type.h"

#include <fmt/format.h>

#include "core/base/text.h"

namespace mlops::cel {
namespace {

struct KindRow {
  Kind kind;
  std::string_view word;
  std::size_t args;
};
constexpr KindRow kKinds[] = {
    {Kind::kDyn, "dyn", 0},           {Kind::kNull, "null_type", 0}, {Kind::kBool, "bool", 0},
    {Kind::kInt, "int", 0},           {Kind::kUint, "uint", 0},      {Kind::kDouble, "double", 0},
    {Kind::kString, "string", 0},     {Kind::kBytes, "bytes", 0},    {Kind::kTimestamp, "timestamp", 0},
    {Kind::kDuration, "duration", 0}, {Kind::kList, "list", 1},      {Kind::kMap, "map", 2},
    {Kind::kType, "type", 1}};

constexpr int kDeepestType = 16;

bool is_word(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
}

class TypeReader {
 public:
  explicit TypeReader(std::string_view text) : text_(text) {}

  Result<Type> type(int depth = 0) {
    skip();
    std::size_t end = 0;
    while (end < text_.size() && is_word(text_[end])) ++end;
    const auto word = text_.substr(0, end);
    text_.remove_prefix(end);
    if (word.size() == 1 && word[0] >= 'A' && word[0] <= 'Z')
      return Type{Kind::kParam, {}, static_cast<std::uint32_t>(word[0] - 'A')};
    for (const auto& row : kKinds) {
      if (row.word != word || depth > kDeepestType) continue;
      Type type{row.kind, std::vector<Type>(row.args), 0};
      if (row.args == 0 || !take('(')) return type;
      for (std::size_t i = 0; i < row.args; ++i) {
        if (i > 0 && !take(',')) return bad();
        MLOPS_ASSIGN(type.args[i], this->type(depth + 1));
      }
      if (!take(')')) return bad();
      return type;
    }
    return bad();
  }
  bool take(char byte) {
    skip();
    if (text_.empty() || text_.front() != byte) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool at_end() {
    skip();
    return text_.empty();
  }
  static Failure bad() {
    return fail(ErrorCode::kInvalid, "cel_bad_type", "this is no type", "as in: list(string), map(string, dyn)");
  }

 private:
  void skip() {
    while (!text_.empty() && text_.front() == ' ') text_.remove_prefix(1);
  }
  std::string_view text_;
};

}  // namespace

Type list_of(Type element) {
  return {Kind::kList, {std::move(element)}, 0};
}
Type map_of(Type key, Type value) {
  return {Kind::kMap, {std::move(key), std::move(value)}, 0};
}
Type type_of(Type of) {
  return {Kind::kType, {std::move(of)}, 0};
}

std::string to_text(const Type& type) {
  for (const auto& row : kKinds) {
    if (row.kind != type.kind) continue;
    if (type.args.empty()) return std::string(row.word);
    std::vector<std::string> args;
    for (const auto& arg : type.args) args.push_back(to_text(arg));
    return fmt::format("{}({})", row.word, join(args, ", "));
  }
  return "dyn";
}

Result<Type> parse_type(std::string_view text) {
  TypeReader reader(text);
  MLOPS_ASSIGN(auto type, reader.type());
  if (!reader.at_end()) return TypeReader::bad();
  return type;
}

Result<Signature> parse_signature(std::string_view text) {
  const auto arrow = text.find("->");
  if (arrow == std::string_view::npos) return TypeReader::bad();
  Signature signature;
  MLOPS_ASSIGN(signature.result, parse_type(text.substr(arrow + 2)));
  TypeReader reader(text.substr(0, arrow));
  if (reader.at_end()) return signature;
  do {
    MLOPS_ASSIGN(auto arg, reader.type());
    signature.args.push_back(std::move(arg));
  } while (reader.take(','));
  if (!reader.at_end()) return TypeReader::bad();
  return signature;
}

}  // namespace mlops::cel
