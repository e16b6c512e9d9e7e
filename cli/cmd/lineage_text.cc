#include "cli/cmd/lineage_text.h"

#include <algorithm>
#include <map>
#include <set>

#include "cli/cmd/fields.h"

namespace mlops::cli {
namespace {

struct Step {
  std::string id;
  std::string role;
};

struct NodeStyle {
  std::string_view type;
  std::string_view dot_shape;
  std::string_view mermaid_open;
  std::string_view mermaid_close;
};

constexpr NodeStyle kNodeStyles[] = {
    {"dataset", "cylinder", "[(", ")]"}, {"model", "box", "[", "]"},        {"masking", "hexagon", "{{", "}}"},
    {"git", "note", "([", "])"},         {"release", "folder", "[[", "]]"}, {"deployment", "component", ">", "]"},
};
constexpr NodeStyle kOtherNode{"", "ellipse", "(", ")"};

const NodeStyle& node_style(std::string_view type) {
  for (const auto& row : kNodeStyles) {
    if (row.type == type) return row;
  }
  return kOtherNode;
}

bool is_labelled(const Json& node) {
  const auto sensitivity = text_of(node, "sensitivity");
  return !sensitivity.empty() && sensitivity != "none";
}

// The walk of one tree; depth is bounded by the nodes there are, so recursion is too.
class Tree {
 public:
  Tree(const Json& lineage, const Style& style) : style_(style) {
    for (const auto& node : array_of(lineage, "nodes")) nodes_.emplace(text_of(node, "id"), &node);
    const bool is_up = text_of(lineage, "direction") != "down";
    for (const auto& edge : array_of(lineage, "edges")) {
      const auto near = text_of(edge, is_up ? "to" : "from");
      next_[near].push_back({text_of(edge, is_up ? "from" : "to"), text_of(edge, "role")});
    }
  }

  Lines draw(const std::string& root) {
    lines_.push_back(node_text(root));
    drawn_.insert(root);
    draw_below(root, "");
    return std::move(lines_);
  }

 private:
  void draw_below(const std::string& id, const std::string& prefix) {
    const auto found = next_.find(id);
    if (found == next_.end()) return;
    for (std::size_t i = 0; i < found->second.size(); ++i) {
      const auto& step = found->second[i];
      const bool is_last = i + 1 == found->second.size();
      const bool is_new = drawn_.insert(step.id).second;
      const bool repeats = !is_new && next_.contains(step.id);
      lines_.push_back(style_.paint(Tone::kDim, prefix + (is_last ? "└─ " : "├─ ")) +
                       (step.role.empty() ? "" : style_.paint(Tone::kDim, step.role + ": ")) + node_text(step.id) +
                       (repeats ? style_.paint(Tone::kDim, "  (above)") : ""));
      if (is_new) draw_below(step.id, prefix + (is_last ? "   " : "│  "));
    }
  }

  std::string node_text(const std::string& id) const {
    const auto found = nodes_.find(id);
    if (found == nodes_.end()) return id + "  (not in this graph)";
    const auto& node = *found->second;
    std::string text = style_.paint(Tone::kDim, text_of(node, "type")) + " " +
                       style_.paint(Tone::kBold, text_of(node, "label").empty() ? id : text_of(node, "label"));
    if (is_labelled(node)) text += "  " + style_.paint(Tone::kWarn, text_of(node, "sensitivity"));
    const auto at = style_.time(text_of(node, "at"));
    return at.empty() ? text : text + style_.paint(Tone::kDim, "  " + at);
  }

  const Style& style_;
  std::map<std::string, const Json*> nodes_;
  std::map<std::string, std::vector<Step>> next_;
  std::set<std::string> drawn_;
  Lines lines_;
};

std::string label_of(const Json& node) {
  const auto label = text_of(node, "label");
  return label.empty() ? text_of(node, "id") : label;
}

std::string replaced(std::string_view text, const std::map<char, std::string_view>& table) {
  std::string out;
  for (const char c : text) {
    const auto found = table.find(c);
    if (found != table.end()) {
      out += found->second;
    } else if (static_cast<unsigned char>(c) >= 0x20) {
      out += c;
    } else {
      out += ' ';
    }
  }
  return out;
}

std::string dot_quoted(std::string_view text) {
  return "\"" + replaced(text, {{'"', "\\\""}, {'\\', "\\\\"}}) + "\"";
}

// Mermaid reads a small markup inside quotes; numeric entities keep it text.
std::string mermaid_quoted(std::string_view text) {
  return "\"" +
         replaced(text, {{'"', "#quot;"}, {'#', "#35;"}, {'<', "#60;"}, {'>', "#62;"}, {'`', "#96;"}, {'\\', "#92;"}}) +
         "\"";
}

// Ids of the server may hold any character; Mermaid wants plain words, so nodes are numbered in their order.
std::map<std::string, std::string> numbered(const Json& lineage) {
  std::map<std::string, std::string> ids;
  for (const auto& node : array_of(lineage, "nodes")) {
    ids.emplace(text_of(node, "id"), "n" + std::to_string(ids.size()));
  }
  return ids;
}

}  // namespace

Lines lineage_tree(const Json& lineage, const Style& style) {
  return Tree(lineage, style).draw(text_of(lineage, "root"));
}

Lines lineage_dot(const Json& lineage) {
  Lines lines{"digraph lineage {", "  rankdir=LR;", "  node [fontname=\"sans-serif\"];"};
  for (const auto& node : array_of(lineage, "nodes")) {
    // "\n" of DOT stays outside the escaped text.
    auto label = dot_quoted(label_of(node));
    if (is_labelled(node)) {
      const auto second = dot_quoted(text_of(node, "sensitivity"));
      label = label.substr(0, label.size() - 1) + "\\n" + second.substr(1);
    }
    lines.push_back("  " + dot_quoted(text_of(node, "id")) + " [label=" + label +
                    ", shape=" + std::string(node_style(text_of(node, "type")).dot_shape) +
                    (text_of(node, "id") == text_of(lineage, "root") ? ", penwidth=2" : "") + "];");
  }
  for (const auto& edge : array_of(lineage, "edges")) {
    const auto role = text_of(edge, "role");
    lines.push_back("  " + dot_quoted(text_of(edge, "from")) + " -> " + dot_quoted(text_of(edge, "to")) +
                    (role.empty() ? "" : " [label=" + dot_quoted(role) + "]") + ";");
  }
  lines.emplace_back("}");
  return lines;
}

Lines lineage_mermaid(const Json& lineage) {
  const auto ids = numbered(lineage);
  Lines lines{"flowchart LR"};
  for (const auto& node : array_of(lineage, "nodes")) {
    const auto& shape = node_style(text_of(node, "type"));
    const auto label = label_of(node) + (is_labelled(node) ? ", " + text_of(node, "sensitivity") : "");
    lines.push_back("  " + ids.at(text_of(node, "id")) + std::string(shape.mermaid_open) + mermaid_quoted(label) +
                    std::string(shape.mermaid_close));
  }
  for (const auto& edge : array_of(lineage, "edges")) {
    const auto from = ids.find(text_of(edge, "from"));
    const auto to = ids.find(text_of(edge, "to"));
    if (from == ids.end() || to == ids.end()) continue;  // cut off by the depth
    const auto role = text_of(edge, "role");
    lines.push_back("  " + from->second + (role.empty() ? " --> " : " -->|" + mermaid_quoted(role) + "| ") +
                    to->second);
  }
  return lines;
}

}  // namespace mlops::cli
