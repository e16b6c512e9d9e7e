// Reads protocol buffers' text format into a tree of fields, as far as the conformance cases of CEL use it.
// Thread-safety: pure function. Malformed text ends the tree early and sets `is_broken`.
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace mlops::cel::proto {

struct Message;
struct Field {
  std::string name;
  std::string scalar;  // a word, a number, or a text with its escapes resolved
  bool is_message = false;
  std::vector<Message> message;  // none or one
};
struct Message {
  std::vector<Field> fields;

  const Field* find(std::string_view name) const {
    for (const auto& field : fields) {
      if (field.name == name) return &field;
    }
    return nullptr;
  }
  std::string text(std::string_view name) const {
    const auto* field = find(name);
    return field ? field->scalar : "";
  }
  const Message* at(std::string_view name) const {
    const auto* field = find(name);
    return field && field->is_message ? &field->message.front() : nullptr;
  }
  std::vector<const Field*> all(std::string_view name) const {
    std::vector<const Field*> found;
    for (const auto& field : fields) {
      if (field.name == name) found.push_back(&field);
    }
    return found;
  }
};

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}
  bool is_broken = false;

  Message message(char closing = '\0') {
    Message message;
    while (!is_broken) {
      skip();
      if (at_ >= text_.size() || (closing && text_[at_] == closing)) break;
      field(message);
    }
    if (closing) take(closing);
    return message;
  }

 private:
  void skip() {
    while (at_ < text_.size()) {
      const char byte = text_[at_];
      if (byte == '#') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      } else if (byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r' || byte == ',' || byte == ';') {
        ++at_;
      } else {
        return;
      }
    }
  }
  bool take(char byte) {
    skip();
    if (at_ >= text_.size() || text_[at_] != byte) return false;
    ++at_;
    return true;
  }
  std::string word() {
    skip();
    const auto begin = at_;
    if (at_ < text_.size() && text_[at_] == '[') {
      at_ = text_.find(']', at_);
      if (at_ == std::string_view::npos) at_ = text_.size();
      return std::string(text_.substr(begin + 1, at_++ - begin - 1));
    }
    const auto is_word = [](char byte) {
      return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
             byte == '_' || byte == '.' || byte == '-' || byte == '+';
    };
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    is_broken = is_broken || at_ == begin;
    return std::string(text_.substr(begin, at_ - begin));
  }
  void field(Message& into) {
    const auto name = word();
    const bool has_colon = take(':');
    skip();
    const char byte = at_ < text_.size() ? text_[at_] : '\0';
    if (byte == '{' || byte == '<') {
      ++at_;
      into.fields.push_back({name, "", true, {message(byte == '{' ? '}' : '>')}});
    } else if (byte == '[' && has_colon) {
      ++at_;
      while (!is_broken && !take(']')) into.fields.push_back(value(name));
    } else {
      into.fields.push_back(value(name));
    }
  }
  Field value(const std::string& name) {
    skip();
    const char byte = at_ < text_.size() ? text_[at_] : '\0';
    if (byte == '{') {
      ++at_;
      return {name, "", true, {message('}')}};
    }
    if (byte != '"' && byte != '\'') return {name, word(), false, {}};
    std::string all;
    while (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'')) {
      all += quoted();
      skip();
    }
    return {name, all, false, {}};
  }
  std::string quoted() {
    const char quote = text_[at_++];
    std::string out;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] != '\\') {
        out += text_[at_++];
        continue;
      }
      ++at_;
      escape(out);
    }
    ++at_;
    return out;
  }
  void escape(std::string& out) {
    static constexpr std::string_view kLetters = "abfnrtv\\'\"?";
    static constexpr std::string_view kBytes = "\a\b\f\n\r\t\v\\'\"?";
    const char letter = text_[at_];
    if (const auto known = kLetters.find(letter); known != std::string_view::npos) {
      out += kBytes[known];
      ++at_;
    } else if (letter == 'x' || letter == 'X') {
      out += static_cast<char>(std::strtol(std::string(text_.substr(at_ + 1, 2)).c_str(), nullptr, 16));
      at_ += 3;
    } else if (letter == 'u' || letter == 'U') {
      const std::size_t digits = letter == 'u' ? 4 : 8;
      append_utf8(static_cast<unsigned>(std::strtoul(std::string(text_.substr(at_ + 1, digits)).c_str(), nullptr, 16)),
                  out);
      at_ += 1 + digits;
    } else {
      out += static_cast<char>(std::strtol(std::string(text_.substr(at_, 3)).c_str(), nullptr, 8));
      at_ += 3;
    }
  }

  static void append_utf8(unsigned point, std::string& out) {
    const unsigned tail = point < 0x80 ? 0 : point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    constexpr unsigned kHeads[] = {0x00, 0xC0, 0xE0, 0xF0};
    out += static_cast<char>(kHeads[tail] | point >> (6 * tail));
    for (unsigned left = tail; left > 0; --left) out += static_cast<char>(0x80 | (point >> (6 * (left - 1)) & 0x3F));
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace mlops::cel::proto
