// The bridge between the YAML tree and JSON, both ways.
#include <fmt/format.h>

#include <algorithm>

#include "core/base/json_text.h"
#include "core/base/text.h"
#include "core/base/yaml.h"
#include "core/base/yaml_scalar.h"

namespace mlops {
namespace {

Json scalar_to_json(const YamlNode& node) {
  if (node.quoted) return node.scalar;
  if (const auto flag = plain_bool(node.scalar)) return *flag;
  if (auto integer = plain_integer(node.scalar)) return std::move(*integer);
  // An integer beyond 64 bits stays text: as a double it would silently become another number.
  const bool whole = node.scalar.find_first_of(".eE") == std::string::npos;
  const auto number = whole ? std::nullopt : plain_double(node.scalar);
  return number ? Json(*number) : Json(node.scalar);
}

// The code point of one whole UTF-8 sequence.
unsigned code_point(std::string_view sequence) {
  const auto lead = static_cast<unsigned char>(sequence[0]);
  unsigned value = sequence.size() == 1 ? lead : lead & (0x7fu >> sequence.size());
  for (const char c : sequence.substr(1)) value = value << 6 | (static_cast<unsigned char>(c) & 0x3f);
  return value;
}

// A double-quoted scalar: a JSON string in which what JSON leaves raw but acts on a terminal, or ends a line in YAML
// (DEL, C1, U+2028, bidirectional overrides), is escaped too.
void append_quoted(std::string& out, std::string_view text) {
  std::string quoted;
  append_json_string(quoted, text);
  for (std::size_t start = 0; start < quoted.size();) {
    std::size_t end = start + 1;
    while (end < quoted.size() && (quoted[end] & 0xc0) == 0x80) ++end;
    const std::string_view sequence = std::string_view(quoted).substr(start, end - start);
    if (printable(sequence) == sequence) {
      out += sequence;
    } else {
      out += fmt::format("\\u{:04x}", code_point(sequence));
    }
    start = end;
  }
}

// Text of several lines that reads best, and survives, as a literal block.
bool fits_literal_block(const std::string& text) {
  const bool several_lines = text.find('\n') < text.size() - 1;
  if (!several_lines || text.front() == ' ' || text.front() == '\n' || text.ends_with("\n\n")) return false;
  for (const auto line : split(text, '\n')) {
    if (printable(line) != line) return false;
  }
  return true;
}

class BlockWriter {
 public:
  std::string take() { return std::move(out_); }

  // What follows "key:" or "-" on the same line, or as an indented block below it.
  void value(const Json& value, std::size_t indent) {
    if (value.is_object() && !value.empty()) {
      for (const auto& [key, member] : value.items()) {
        start_line(indent);
        append_scalar_text(key);
        out_ += ':';
        nested(member, indent);
      }
    } else if (value.is_array() && !value.empty()) {
      for (const auto& item : value) {
        start_line(indent);
        out_ += '-';
        nested(item, indent);
      }
    } else {
      leaf(value, indent);
    }
  }

 private:
  void start_line(std::size_t indent) {
    // The first member of an item stands on the line of its dash.
    if (on_dash_line_) {
      on_dash_line_ = false;
      return;
    }
    if (!out_.empty()) out_ += '\n';
    out_.append(indent, ' ');
  }

  void nested(const Json& child, std::size_t indent) {
    const bool block = child.is_structured() && !child.empty();
    if (!block) out_ += ' ';
    if (block && out_.back() == '-') {
      out_ += ' ';
      on_dash_line_ = true;
    }
    value(child, indent + 2);
  }

  void leaf(const Json& value, std::size_t indent) {
    if (value.is_string()) return text(value.get_ref<const std::string&>(), indent);
    if (value.is_object()) {
      out_ += "{}";
    } else if (value.is_array()) {
      out_ += "[]";
    } else if (value.is_number_float()) {
      number(value.get<double>());
    } else {
      out_ += value.dump();  // null, booleans and integers are the same in both
    }
  }

  // YAML 1.1 readers take "1e+30" for text: they want a point.
  void number(double value) {
    std::string digits;
    append_json_number(digits, value);
    const std::size_t mark = digits.find('e');
    if (mark != std::string::npos && digits.find('.') == std::string::npos) digits.insert(mark, ".0");
    out_ += digits;
  }

  void text(const std::string& text, std::size_t indent) {
    if (!fits_literal_block(text)) return append_scalar_text(text);
    out_ += text.back() == '\n' ? "|" : "|-";
    for (const auto line : split(trim_last_newline(text), '\n')) {
      out_ += '\n';
      // Also the text of a whole document is indented: not every reader takes it at the margin.
      if (!line.empty()) out_.append(std::max<std::size_t>(indent, 2), ' ') += line;
    }
  }

  static std::string_view trim_last_newline(std::string_view text) {
    return text.ends_with('\n') ? text.substr(0, text.size() - 1) : text;
  }

  void append_scalar_text(const std::string& text) {
    if (needs_quotes(text)) {
      append_quoted(out_, text);
    } else {
      out_ += text;
    }
  }

  std::string out_;
  bool on_dash_line_ = false;
};

}  // namespace

Json yaml_to_json(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return nullptr;
    case YamlNode::Kind::kScalar:
      return scalar_to_json(node);
    case YamlNode::Kind::kSequence: {
      Json array = Json::array();
      for (const auto& item : node.items) array.push_back(yaml_to_json(item));
      return array;
    }
    case YamlNode::Kind::kMap: {
      Json object = Json::object();
      for (const auto& [key, value] : node.entries) object[key.scalar] = yaml_to_json(value);
      return object;
    }
  }
  return nullptr;
}

std::string json_to_yaml(const Json& value) {
  BlockWriter writer;
  writer.value(value, 0);
  return writer.take() + "\n";
}

}  // namespace mlops
