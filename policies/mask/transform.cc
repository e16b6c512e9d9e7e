#include "policies/mask/transform.h"

#include <fmt/format.h>

namespace mlops::mask {
namespace {

class NoRow : public RowView {
 public:
  std::optional<std::string_view> cell(std::string_view) const override { return std::nullopt; }
};

}  // namespace

Result<std::string> Transform::reveal(std::string_view, const CellContext&) const {
  return fail(ErrorCode::kRefused, "not_reversible", fmt::format("{} keeps nothing of the value it replaces", id()));
}

Status Transform::apply_into(std::string_view cell, const CellContext& at, std::string& out) const {
  MLOPS_ASSIGN(out, apply(cell, at));
  return {};
}

Status Transform::append_batch(std::span<const std::string_view>, const ColumnKey&, Texts&) const {
  return fail(ErrorCode::kInternal, "no_batch", "this transform masks one cell at a time");
}

Status Transform::apply_batch(std::span<const std::string_view> cells, const BatchContext& at,
                              std::vector<std::string>& out) const {
  static const NoRow kNoRow;
  out.resize(cells.size());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    MLOPS_ASSIGN(out[i], apply(cells[i], {.row = at.rows.empty() ? kNoRow : *at.rows[i],
                                          .key = at.key,
                                          .dataset = at.dataset,
                                          .column = at.column,
                                          .record = at.first_record + i,
                                          .vault = at.vault,
                                          .counts = at.counts}));
  }
  return {};
}

}  // namespace mlops::mask
