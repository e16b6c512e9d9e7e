// What the masking run does with one column, and what it counts there. Private to policies/engine.
// Thread-safety: belongs to one thread; the transform behind it is shared and immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "policies/engine/cell_scan.h"
#include "policies/engine/classes.h"
#include "policies/engine/mask_dataset.h"
#include "policies/engine/short_memo.h"
#include "policies/mask/key.h"
#include "policies/mask/transform.h"

namespace mlops::policy {

class RowValues;

enum class Handling { kKeep, kRewrite, kRewriteText, kDrop };

// Cells of one column in records that are masked together. Equal ones are masked once, where that happens enough.
class CellBatch {
 public:
  void begin() {
    cells_.clear();
    ++number_;
  }
  // The cell's place in the batch.
  std::uint32_t add(std::string_view cell) {
    if (shares_) return add_shared(cell);
    cells_.push_back(cell);
    return static_cast<std::uint32_t>(cells_.size() - 1);
  }
  std::span<const std::string_view> cells() const { return cells_; }
  // Where the masked texts go, one a place; they stay until the next batch is masked.
  mask::Texts& texts() { return texts_; }
  std::string_view masked(std::uint32_t place) const { return texts_[place]; }

 private:
  struct Place {
    std::uint64_t batch = 0;
    std::uint32_t place = 0;
  };
  std::uint32_t add_shared(std::string_view cell);

  std::vector<std::string_view> cells_;
  mask::Texts texts_;
  ShortMemo<Place, 8> known_;  // values of this batch, beside those of earlier ones
  std::uint64_t number_ = 0;   // of the batch
  std::uint64_t added_ = 0, equal_ = 0;
  bool shares_ = true;
};

struct ColumnWork {
  // How often a value of a coded column stands in rows of a person it names.
  struct CodedValue {
    std::uint64_t rows = 0;  // of people; before settle() without those of runs, of which the others are taken away
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
  CellScanner* planned_by = nullptr;  // counts for the plan that is not decided yet
  std::uint64_t row_values = 0;       // cells of a kept column with an identifier of their row
  std::unordered_map<std::string, CodedValue> coded;
  bool has_lost_rows = false;  // more values than codes are: how often each was met is not known
  mask::CellCounts counts;
  ColumnEvidence evidence;
  CellBatch batch;  // of a transform that gains by it
  ShortMemo<CodedValue*, 10> coded_lately;

  // May a cell of it hold its row's identifiers unseen? Not what is rewritten or comes from a code system.
  bool is_open() const;
  CodedValue& coded_value(std::string_view cell);
  // Is it rewritten by a transform that gains by many cells at a time, and does not look at rows?
  bool is_batched() const {
    return handling == Handling::kRewrite && transform->gains_by_batch() && !transform->reads_row();
  }
  void count_naming(std::string_view cell);
  // Masks what the batch holds.
  Status mask_batch();
  // Looks for the row's identifiers in a cell that is kept.
  void look_for_row(const RowValues& values, std::string_view cell);
  // The same of a cell of a run that `look` (LookAt) says something may be found in; the scanner counts it, and
  // discount_code() takes it back. REQUIRES: is_open().
  void look_for_row(const RowValues& values, std::string_view cell, std::uint8_t look);
  void count_code(std::string_view cell) { ++coded_value(cell).rows; }
  // A cell of a run stands in nobody's row.
  void discount_code(std::string_view cell) { --coded_value(cell).rows; }
  // Adds what the scanner of its runs has counted. Of a worker that is done; then `planned_by` may go.
  void settle();
  // Could its values still be codes?
  bool may_be_coded() const { return planned_by ? !planned_by->has_many_values() : plan->is_coded; }
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
