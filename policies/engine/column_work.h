// What the masking run does with one column, and what it counts there. Private to policies/engine.
// Thread-safety: belongs to one thread; the transform behind it is shared and immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "policies/engine/cell_scan.h"
#include "policies/engine/classes.h"
#include "policies/engine/mask_dataset.h"
#include "policies/mask/key.h"
#include "policies/mask/transform.h"

namespace mlops::policy {

class RowValues;

enum class Handling { kKeep, kRewrite, kRewriteText, kDrop };

// Cells of one column in records that are masked together.
struct CellBatch {
  std::vector<std::string_view> cells;
  std::vector<std::string> masked;  // one a cell
};

struct ColumnWork {
  // How often a value of a coded column stands in rows of a person it names.
  struct CodedValue {
    std::uint64_t rows = 0;
    std::uint64_t naming = 0;
  };

  const ColumnPlan* plan = nullptr;
  const mask::Transform* transform = nullptr;  // nullptr: kept
  Handling handling = Handling::kKeep;
  ClassRow class_row;
  std::string placeholder;  // for its values found in other cells
  std::string folded;       // the column's name as keys and ciphertexts are bound to it
  mask::ColumnKey key;      // empty: the transform needs none
  bool is_scanned = true;
  std::optional<std::uint64_t> max_findings;  // by its rule, beside the policy's limit
  CellScanner residual{{}, {}};
  std::uint64_t row_values = 0;  // cells of a kept column with an identifier of their row
  std::unordered_map<std::string, CodedValue> coded;
  mask::CellCounts counts;
  ColumnEvidence evidence;
  CellBatch batch;  // of a transform that gains by it

  // May a cell of it hold its row's identifiers unseen? Not what is rewritten or comes from a code system.
  bool is_open() const;
  // Is it rewritten by a transform that gains by many cells at a time, and does not look at rows?
  bool is_batched() const {
    return handling == Handling::kRewrite && transform->gains_by_batch() && !transform->reads_row();
  }
  // Masks what the batch holds.
  Status mask_batch(const std::string& dataset);
  // Looks for the row's identifiers in a cell that is kept.
  void look_for_row(const RowValues& values, std::string_view cell);
  // Of a coded value one row proves nothing; that most of its rows name their person does.
  std::uint64_t naming_cells() const;
  // Adds what another worker counted of the same column.
  void add(const ColumnWork& other);
};

// Errors: kConflict "table_changed" when the plan is not this policy's; those of keys.
Result<ColumnWork> make_work(const Policy::Body& body, const ColumnPlan& plan, const mask::RunSecrets& secrets,
                             const std::string& context);

Failure table_changed();

// What a run did, or the refusal when more is left than the policy allows. `works`: by the planned columns; kConflict
// "table_changed" when one of them was never met.
Result<MaskEvidence> conclude(const Policy::Body& body, const std::vector<std::unique_ptr<ColumnWork>>& works,
                              std::uint64_t rows);

}  // namespace mlops::policy
