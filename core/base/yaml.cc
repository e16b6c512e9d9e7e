// Reading: the guard before yaml-cpp, the handler that builds the tree, and the errors of both.
#include "core/base/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <new>
#include <set>
#include <sstream>
#include <utility>

#include "core/base/text.h"

namespace mlops {
namespace {

constexpr std::size_t kSizeLimitBytes = 1u << 20;
constexpr std::size_t kDepthLimit = 64;
constexpr std::size_t kNodeLimit = 100'000;

// yaml-cpp's own words for "no tag": a plain scalar and a quoted one.
constexpr std::string_view kPlainTag = "?";
constexpr std::string_view kQuotedTag = "!";

// Thrown through yaml-cpp by the handler (its only way to stop the parser) and caught in parse_yaml.
struct Refusal {
  YamlMark mark;
  const char* slug;
  std::string message;
  std::string hint;
};

YamlMark from_yaml_cpp(const YAML::Mark& mark) {
  return {mark.line + 1, mark.column + 1};
}

std::string_view core_tag_name(std::string_view tag) {
  constexpr std::string_view kCorePrefix = "tag:yaml.org,2002:";
  return tag.starts_with(kCorePrefix) ? tag.substr(kCorePrefix.size()) : std::string_view{};
}

class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder() { root_.mark = {1, 1}; }

  YamlNode take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ == 1) return;
    throw Refusal{from_yaml_cpp(mark), "yaml_documents", "text after the end of the document",
                  "one document a file; remove what follows it"};
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    add(make(YamlNode::Kind::kNull, mark));
    leave();
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw Refusal{from_yaml_cpp(mark), "yaml_alias", "aliases (*name) are not supported", "write the value out"};
  }
  void OnAnchor(const YAML::Mark& mark, const std::string&) override { refuse_anchor(mark, 1); }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_anchor(mark, anchor);
    YamlNode node = make(YamlNode::Kind::kScalar, mark);
    node.quoted = is_text_tag(mark, tag);
    // Escapes ("\x00", "\uD800") can make bytes that the guard has not seen.
    if (value.find('\0') != std::string::npos || !is_valid_utf8(value)) {
      throw Refusal{node.mark, "yaml_text", "a value with U+0000 or invalid UTF-8", {}};
    }
    node.scalar = value;
    add(std::move(node));
    leave();
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::kSequence, "seq", mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::kMap, "map", mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  // An open collection. The pointer stays good: nothing is added to its parent while it is open.
  struct Open {
    YamlNode* node;
    bool key_given = false;  // maps: the next node is the value of the last entry
    std::set<std::string, std::less<>> keys;
  };

  static void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor == 0) return;
    throw Refusal{from_yaml_cpp(mark), "yaml_anchor", "anchors (&name) are not supported", "write the value out"};
  }

  static void refuse_tag(const YAML::Mark& mark) {
    throw Refusal{from_yaml_cpp(mark), "yaml_tag", "tags (!name) other than the core ones are not supported",
                  "remove the tag"};
  }

  // Whether the tag makes the scalar text whatever it looks like.
  static bool is_text_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == kPlainTag) return false;
    if (tag == kQuotedTag) return true;
    constexpr std::array<std::string_view, 4> kTyped{"null", "bool", "int", "float"};
    const std::string_view name = core_tag_name(tag);
    if (name != "str" && std::find(kTyped.begin(), kTyped.end(), name) == kTyped.end()) refuse_tag(mark);
    return name == "str";
  }

  YamlNode make(YamlNode::Kind kind, const YAML::Mark& mark) {
    if (++nodes_ > kNodeLimit) {
      throw Refusal{from_yaml_cpp(mark), "yaml_limit", fmt::format("more than {} values", kNodeLimit), {}};
    }
    YamlNode node;
    node.kind = kind;
    node.mark = from_yaml_cpp(mark);
    return node;
  }

  void open(YamlNode::Kind kind, std::string_view core_name, const YAML::Mark& mark, const std::string& tag,
            YAML::anchor_t anchor) {
    refuse_anchor(mark, anchor);
    const bool no_tag = tag.empty() || tag == kPlainTag || tag == kQuotedTag;
    if (!no_tag && core_tag_name(tag) != core_name) refuse_tag(mark);
    if (open_.size() >= kDepthLimit) {
      throw Refusal{from_yaml_cpp(mark), "yaml_limit", fmt::format("nested deeper than {} levels", kDepthLimit), {}};
    }
    open_.push_back({add(make(kind, mark)), false, {}});
  }

  void close() {
    open_.pop_back();
    leave();
  }

  // Puts a node where it belongs: root, item, key or value.
  YamlNode* add(YamlNode&& node) {
    if (open_.empty()) return &(root_ = std::move(node));
    Open& parent = open_.back();
    if (parent.node->is_sequence()) return &parent.node->items.emplace_back(std::move(node));
    if (parent.key_given) return &(parent.node->entries.back().second = std::move(node));
    add_key(parent, std::move(node));
    return &parent.node->entries.back().first;
  }

  static void add_key(Open& map, YamlNode&& key) {
    if (!key.is_scalar()) {
      throw Refusal{key.mark, "yaml_key", "a key must be text", "quote the key if it is meant as text"};
    }
    if (!map.keys.insert(key.scalar).second) {
      throw Refusal{key.mark,
                    "yaml_duplicate_key",
                    fmt::format("the key '{}' is given twice", printable(key.scalar.substr(0, 64))),
                    {}};
    }
    map.node->entries.emplace_back(std::move(key), YamlNode{});
  }

  // After a whole node: in a map, keys and values take turns.
  void leave() {
    if (!open_.empty() && open_.back().node->is_map()) open_.back().key_given = !open_.back().key_given;
  }

  YamlNode root_;
  std::vector<Open> open_;
  std::size_t nodes_ = 0;
  int documents_ = 0;
};

// What yaml-cpp must not see: too much, invalid UTF-8, and control bytes (it takes 0x04 for the end of the text).
std::optional<Refusal> guard(std::string_view text) {
  if (text.size() > kSizeLimitBytes) {
    return Refusal{{1, 1}, "yaml_limit", fmt::format("longer than {}", human_size(kSizeLimitBytes)), {}};
  }
  YamlMark mark{1, 1};
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    if ((byte < 0x20 && c != '\n' && c != '\t' && c != '\r') || byte == 0x7f) {
      return Refusal{mark, "yaml_text", fmt::format("the control byte 0x{:02x}", byte), {}};
    }
    if (c == '\n') mark = {mark.line + 1, 0};
    if ((byte & 0xc0) != 0x80) ++mark.column;
  }
  // yaml-cpp reads a whole flow collection ahead and takes 200 bytes for each of its marks, before the builder sees
  // one.
  const auto is_flow_mark = [](char c) { return c == ',' || c == '[' || c == '{'; };
  if (static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_flow_mark)) > kNodeLimit) {
    return Refusal{{1, 1}, "yaml_limit", fmt::format("more than {} values", kNodeLimit), {}};
  }
  if (!is_valid_utf8(text)) return Refusal{{1, 1}, "yaml_text", "not valid UTF-8", "save the file as UTF-8"};
  return std::nullopt;
}

}  // namespace

YamlNode::YamlNode() = default;

const YamlNode* YamlNode::find(std::string_view key) const {
  for (const auto& [name, value] : entries) {
    if (name.scalar == key) return &value;
  }
  return nullptr;
}

Error yaml_error(const std::string& origin, const YamlMark& mark, std::string slug, const std::string& message,
                 std::string hint) {
  return {ErrorCode::kInvalid,
          std::move(slug),
          fmt::format("{}:{}:{}: {}", origin, mark.line, mark.column, message),
          std::move(hint),
          {}};
}

Result<YamlNode> parse_yaml(std::string_view text, const std::string& origin) {
  if (const auto refusal = guard(text)) {
    return fail(yaml_error(origin, refusal->mark, refusal->slug, refusal->message, refusal->hint));
  }
  try {
    // yaml-cpp misses that a quote is never closed when the text ends right behind it or behind a line break. A comment
    // of nothing at the end means nothing elsewhere.
    std::istringstream stream(std::string(text) + (text.ends_with('\n') ? "#" : "\n#"));
    YAML::Parser parser(stream);
    TreeBuilder builder;
    // Twice and never in a loop: on a stray "," yaml-cpp makes documents for ever without consuming anything. The
    // second call finds the end of the text, or starts a document, which the builder refuses.
    if (parser.HandleNextDocument(builder)) parser.HandleNextDocument(builder);
    return builder.take();
  } catch (const Refusal& refusal) {
    return fail(yaml_error(origin, refusal.mark, refusal.slug, refusal.message, refusal.hint));
  } catch (const YAML::Exception& problem) {
    return fail(yaml_error(origin, from_yaml_cpp(problem.mark), "yaml_syntax", printable(problem.msg)));
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::kExhausted, "out_of_memory", fmt::format("{}: not enough memory to read it", origin));
  } catch (const std::exception&) {
    return fail(yaml_error(origin, {1, 1}, "yaml_syntax", "not a YAML text"));
  }
}

}  // namespace mlops
