// Transforms rewrite one cell (or drop a column). One room per family; kTransforms is the table of all.
//
// A transform is total: any input text gives an output text that does not contain the identifying part, or an error
// that names no value. What it cannot parse it replaces, it never passes through.
// Thread-safety: a Transform is immutable once made.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/base/yaml.h"
#include "policies/detect/detector.h"
#include "policies/mask/key.h"

namespace mlops::mask {

// What a row offers a transform besides the cell: other cells by column name (a reference date, for instance).
class RowView {
 public:
  virtual ~RowView() = default;
  virtual std::optional<std::string_view> cell(std::string_view column) const = 0;
};

// What came out otherwise than the rule describes; the caller adds it up and reports it.
struct CellCounts {
  std::uint64_t placeholders = 0;  // cells that could only be redacted (an fpe domain under 10^6, for instance)
  std::string_view opened_under;   // reveal(): id of the key version that opened the last cell; borrowed from the key
};

// Where a cell stands, and what is lent to mask it. All of it is borrowed for a call.
struct CellContext {
  const RowView& row;
  const ColumnKey& key;      // of key_name() for key_scope(); empty when the transform needs none
  std::string_view dataset;  // the name pseudonyms are bound to
  std::string_view column;   // folded, as for the key
  std::uint64_t record = 0;  // from 0 in its file
  TokenVault* vault = nullptr;
  CellCounts* counts = nullptr;
};

// Cells of one column in consecutive records.
struct BatchContext {
  const ColumnKey& key;
  std::string_view dataset;
  std::string_view column;
  std::uint64_t first_record = 0;
  std::span<const RowView* const> rows;  // one a cell, or none when the transform does not read its row
  TokenVault* vault = nullptr;
  CellCounts* counts = nullptr;
};

// Texts one behind the other. Their memory stays from use to use.
class Texts {
 public:
  void clear() { ends_.resize(1); }
  // The bytes to append the next text to, which end() then ends.
  std::string& bytes() {
    bytes_.resize(ends_.back());
    return bytes_;
  }
  void end() { ends_.push_back(bytes_.size()); }
  // Instead of bytes() and end(): room for `size_bytes` more, to be filled with texts that each end_at() ends.
  char* make_room(std::size_t size_bytes) {
    const std::size_t needed = ends_.back() + size_bytes;
    if (bytes_.size() < needed) bytes_.resize(needed);
    return bytes_.data() + ends_.back();
  }
  void end_at(const char* end) { ends_.push_back(static_cast<std::size_t>(end - bytes_.data())); }
  std::size_t size() const { return ends_.size() - 1; }
  // REQUIRES: all are there; a view lives until the next change.
  std::string_view operator[](std::size_t index) const {
    return {bytes_.data() + ends_[index], ends_[index + 1] - ends_[index]};
  }
  // The texts without anything between them.
  std::string_view all() const { return {bytes_.data(), ends_.back()}; }

 private:
  std::string bytes_;                    // behind the last end stands what earlier uses left
  std::vector<std::size_t> ends_ = {0};  // of the texts, behind the beginning of the first
};

class Transform {
 public:
  virtual ~Transform() = default;
  virtual std::string_view id() const = 0;  // "redact"
  // True: the column leaves the table (suppress).
  virtual bool drops_column() const { return false; }
  // The key name it needs from the policy's key table; empty: none.
  virtual std::string_view key_name() const { return {}; }
  virtual KeyScope key_scope() const { return KeyScope::kColumn; }
  virtual bool needs_vault() const { return false; }
  // Does apply() look at other cells of the row?
  virtual bool reads_row() const { return false; }
  // The masked text. Errors, which name no value: those of the vault.
  virtual Result<std::string> apply(std::string_view cell, const CellContext& at) const = 0;
  // The same into a text that keeps its memory from cell to cell. `out` is not `cell`.
  virtual Status apply_into(std::string_view cell, const CellContext& at, std::string& out) const;
  // The same for many cells of a column; `out` gets one text a cell.
  virtual Status apply_batch(std::span<const std::string_view> cells, const BatchContext& at,
                             std::vector<std::string>& out) const;
  // Are many cells of a column masked for less than as many times one, whatever their rows? Then append_batch() gives
  // what apply() gives, in `out` instead of what was there. REQUIRES: gains_by_batch().
  virtual bool gains_by_batch() const { return false; }
  virtual Status append_batch(std::span<const std::string_view> cells, const ColumnKey& key, Texts& out) const;
  // Why HIPAA Safe Harbor does not allow it with these options ("mask.keep_last: …"); empty: it does.
  virtual std::string_view forbidden_under_safe_harbor() const { return {}; }
  // Does this transform leave linkable pseudonyms (→ at least `pseudonymous`)?
  virtual bool is_pseudonym() const { return false; }
  // Can who holds the key (and the vault) get the value back?
  virtual bool is_reversible() const { return false; }
  // Does what it writes, or its entry in the vault, say which version of the key it is under? Then any version reveals.
  virtual bool names_key_version() const { return false; }
  // The value that apply() masked in the same place, with the same key. Errors: kRefused "not_reversible" for a
  // transform that does not keep it, "cannot_reveal" for what it did not write here.
  virtual Result<std::string> reveal(std::string_view masked, const CellContext& at) const;
  // Does what it writes look like the real thing (a date, a name, an account number)? Then a detector that looks over
  // the output cannot tell it from a leak.
  virtual bool looks_real() const { return false; }
};

// What a factory may refer to beside its own YAML.
struct TransformContext {
  std::string origin;                                                 // for messages
  std::function<const detect::Detector*(std::string_view)> detector;  // by id, for span redaction
  std::vector<const detect::Detector*> all_detectors;                 // `spans: detected`
  const Clock* clock = nullptr;  // of `today`; outlives the transform; null: the system's
};

struct TransformRow {
  std::string_view id;
  std::string_view summary;
  // Builds from the YAML value of `apply: {id: VALUE}`. Errors: kInvalid with origin:line:column.
  Result<std::unique_ptr<Transform>> (*make)(const YamlNode& value, const TransformContext& context);
};

const std::vector<TransformRow>& transforms();
const TransformRow* find_transform(std::string_view id);  // nullptr: unknown

}  // namespace mlops::mask
