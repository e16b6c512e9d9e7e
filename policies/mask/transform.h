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
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/base/yaml.h"
#include "core/crypto/seal.h"
#include "policies/detect/detector.h"

namespace mlops::mask {

// What a row offers a transform besides the cell: other cells by column name (a reference date, for instance).
class RowView {
 public:
  virtual ~RowView() = default;
  virtual std::optional<std::string_view> cell(std::string_view column) const = 0;
};

class Transform {
 public:
  virtual ~Transform() = default;
  virtual std::string_view id() const = 0;  // "redact"
  // True: the column leaves the table (suppress).
  virtual bool drops_column() const { return false; }
  // The key name it needs from the policy's key table; empty: none.
  virtual std::string_view key_name() const { return {}; }
  // The masked text. `key` is derived for this dataset and column (empty when key_name() is empty).
  virtual std::string apply(std::string_view cell, const RowView& row, ByteView key) const = 0;
  // Why HIPAA Safe Harbor does not allow it with these options ("mask.keep_last: …"); empty: it does.
  virtual std::string_view forbidden_under_safe_harbor() const { return {}; }
  // Does this transform leave linkable pseudonyms (→ at least `pseudonymous`)?
  virtual bool is_pseudonym() const { return false; }
};

// What a factory may refer to beside its own YAML.
struct TransformContext {
  std::string origin;                                                 // for messages
  std::function<const detect::Detector*(std::string_view)> detector;  // by id, for span redaction
  std::vector<const detect::Detector*> all_detectors;                 // `spans: detected`
};

struct TransformRow {
  std::string_view id;
  std::string_view summary;
  // Builds from the YAML value of `apply: {id: VALUE}`. Errors: kInvalid with origin:line:column.
  Result<std::unique_ptr<Transform>> (*make)(const YamlNode& value, const TransformContext& context);
};

// suppress, keep, redact, replace, mask, pseudonymize, date_truncate, generalize (zip3, age_cap, bucket).
const std::vector<TransformRow>& transforms();
const TransformRow* find_transform(std::string_view id);  // nullptr: unknown

}  // namespace mlops::mask
