#include "policies/data/json_rewriter.h"

#include "policies/data/json_bytes.h"
#include "policies/data/utf8.h"

namespace mlops::data {
namespace {

// True where a value replaced by `text` stays a bare word or number.
bool stays_bare(CellKind kind, std::string_view text) {
  if (kind == CellKind::kNumber) return is_json_number(text);
  return kind == CellKind::kTruth && (text == "true" || text == "false");
}

// Only cells replaced: everything between them in one piece.
Status replace_only(std::string_view record, const CellChanges& changes, std::string& out) {
  const char* from = record.data();
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (changes.kind(i) == Change::Kind::kKeep) continue;
    const auto raw = changes.cell(i).raw;
    out.append(from, raw.data());
    MLOPS_TRY(changes.append(i, out));
    from = raw.data() + raw.size();
  }
  out.append(from, record.data() + record.size());
  return {};
}

class Dropper {
 public:
  Dropper(std::string_view record, const CellChanges& changes, Prune prune, std::string& out)
      : at_(record.data()), end_(record.data() + record.size()), changes_(changes), prune_(prune), out_(out) {}

  Status run(JsonPart part) {
    part_ = part;
    if (part == JsonPart::kTail) return tail();
    const char opener = *at_;
    MLOPS_ASSIGN(const bool kept, value());
    if (!kept) out_ += opener == '{' ? "{}" : opener == '[' ? "[]" : "null";
    return {};
  }

 private:
  // The members or elements of one object or array, written again without those that went.
  struct Joint {
    std::size_t start = 0;  // in what is written
    char closer = '}';
    std::string_view trail{};  // blanks after the last one written
    bool is_begun = false;     // one was written: the next needs a comma
    bool has_kept = false;     // one that is more than a null in place of what was dropped
  };

  // False: all of it was dropped, and nothing written.
  Result<bool> value() {
    if (*at_ != '{' && *at_ != '[') return scalar();
    Joint joint{.start = out_.size(), .closer = *at_ == '{' ? '}' : ']'};
    out_.push_back(*at_++);
    const auto lead = blanks();
    if (at_ == end_ || *at_ != joint.closer) return join(joint, lead);
    out_.append(lead);
    out_.push_back(*at_++);
    return true;
  }

  Result<bool> scalar() {
    const std::size_t index = next_cell_++;
    const auto raw = changes_.cell(index).raw;
    at_ = raw.data() + raw.size();
    if (changes_.kind(index) == Change::Kind::kDrop) return false;
    MLOPS_TRY(changes_.append(index, out_));
    return true;
  }

  // From a member or element to the closer.
  Result<bool> join(Joint& joint, std::string_view lead) {
    while (true) {
      if (opens_last()) {
        begin_item(joint, lead);
        copy_key();
        out_.push_back(*at_++);
        return true;
      }
      MLOPS_ASSIGN(const bool is_written, item(joint, lead));
      const auto trail = blanks();
      if (is_written) joint.trail = trail;
      if (*at_++ == joint.closer) return close(joint, trail);
      lead = blanks();
    }
  }

  Result<bool> item(Joint& joint, std::string_view lead) {
    const std::size_t before = out_.size();
    const bool is_element = joint.closer == ']';
    begin_item(joint, lead);
    if (!is_element) copy_key();
    const bool is_nested = *at_ == '{' || *at_ == '[';
    MLOPS_ASSIGN(const bool kept, value());
    if (kept) {
      joint.is_begun = joint.has_kept = true;
      return true;
    }
    if (is_element && !(is_nested && prune_ == Prune::kEmptyObjects)) {
      out_ += "null";
      joint.is_begun = true;
      return true;
    }
    out_.resize(before);
    return false;
  }

  Result<bool> close(const Joint& joint, std::string_view trail) {
    if (!joint.has_kept) {
      out_.resize(joint.start);
      return false;
    }
    out_.append(trail);
    out_.push_back(joint.closer);
    return true;
  }

  // The end of an object whose array was written before: that one stays.
  Status tail() {
    out_.push_back(*at_++);
    Joint joint{.trail = blanks(), .is_begun = true, .has_kept = true};
    if (*at_++ == joint.closer) {
      out_.append(joint.trail);
      out_.push_back(joint.closer);
      return {};
    }
    MLOPS_TRY(join(joint, blanks()));
    return {};
  }

  void begin_item(const Joint& joint, std::string_view lead) {
    if (joint.is_begun) {
      out_.append(joint.trail);
      out_.push_back(',');
    }
    out_.append(lead);
  }

  // Key and colon, with the blanks around the colon. REQUIRES: a key is at hand.
  void copy_key() {
    const char* const begin = at_;
    at_ += end_of_value({at_, static_cast<std::size_t>(end_ - at_)});
    blanks();
    ++at_;
    blanks();
    out_.append(begin, at_);
  }

  // Is the last member of a head at hand, whose array stays open?
  bool opens_last() const {
    if (part_ != JsonPart::kHead || *at_ != '"') return false;
    std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
    rest.remove_prefix(end_of_value(rest));
    const auto value = rest.find_first_not_of(" \t\r\n:");
    return value + 1 == rest.size();
  }

  std::string_view blanks() {
    const char* const begin = at_;
    while (at_ < end_ && is_json_blank(*at_)) ++at_;
    return {begin, static_cast<std::size_t>(at_ - begin)};
  }

  const char* at_;
  const char* end_;
  JsonPart part_ = JsonPart::kValue;
  const CellChanges& changes_;
  Prune prune_;
  std::string& out_;
  std::size_t next_cell_ = 0;
};

}  // namespace

Status CellChanges::append(std::size_t index, std::string& out) const {
  const auto& cell = cells_[index];
  const bool is_new =
      kind(index) == Change::Kind::kReplace && cell.kind != CellKind::kNull && changes_[index].value() != cell.text;
  if (!is_new) {
    out.append(cell.raw);
    return {};
  }
  const std::string_view text = changes_[index].value();
  if (stays_bare(cell.kind, text)) {
    out.append(text);
    return {};
  }
  if (first_invalid_utf8(text) != std::string_view::npos) {
    return fail(ErrorCode::kInvalid, "json_masked_utf8", "a new value is not valid UTF-8");
  }
  append_quoted(out, text);
  return {};
}

Status rewrite_json(std::string_view record, JsonPart part, const CellChanges& changes, Prune prune, std::string& out) {
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (changes.kind(i) == Change::Kind::kDrop) return Dropper(record, changes, prune, out).run(part);
  }
  return replace_only(record, changes, out);
}

}  // namespace mlops::data
