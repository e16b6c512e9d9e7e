#include "policies/engine/reveal_dataset.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "core/base/text.h"
#include "policies/engine/body.h"

namespace mlops::policy {
namespace {

class NoRow : public mask::RowView {
 public:
  std::optional<std::string_view> cell(std::string_view) const override { return std::nullopt; }
};

struct Work {
  const mask::Transform* transform = nullptr;
  mask::ColumnKey key;
  std::string folded;
  bool was_seen = false;
  std::set<std::string_view> opened_under;  // ids of key versions, borrowed from `key`
};

Result<Work> make_work(const Policy::Body& body, const std::string& word, const RevealRequest& request,
                       const mask::RunSecrets& secrets) {
  const auto equals = word.rfind('=');
  const auto column = word.substr(0, equals);
  const auto* declared = body.declared(column);
  const std::string class_name = equals != std::string::npos ? word.substr(equals + 1)
                                 : declared                  ? declared->class_name.value
                                                             : std::string();
  const auto* rule = body.rule_for_treated(declared ? declared->name.value : column, class_name);
  if (!rule || !rule->apply || !rule->apply->is_reversible()) {
    return fail(ErrorCode::kInvalid, "column_not_reversible",
                fmt::format("the policy has no rule for the column {} that keeps its values", printable(column)),
                class_name.empty() ? "it does not declare the column: say COLUMN=CLASS" : "");
  }
  Work work;
  work.transform = rule->apply.get();
  work.folded = fold_column(column);
  const mask::KeyPlace place{request.dataset, work.folded, work.transform->key_scope()};
  const std::string name(work.transform->key_name());
  if (!request.key_id.empty()) {
    MLOPS_ASSIGN(work.key, mask::column_key_of(secrets.keys, request.key_id, place));
  } else if (work.transform->names_key_version()) {
    MLOPS_ASSIGN(work.key, mask::column_key_readable(secrets.keys, name, place));
  } else {
    MLOPS_ASSIGN(work.key, mask::column_key(secrets.keys, name, place));
  }
  return work;
}

using Works = std::map<std::string, Work>;  // by folded column

Status reveal_record(Works& works, const RevealRequest& request, data::RecordReader& reader, data::RecordWriter& writer,
                     mask::TokenVault* vault, RevealEvidence& evidence) {
  static const NoRow kNoRow;
  const auto& cells = reader.cells();
  std::vector<data::Change> changes(cells.size());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const auto found = works.find(fold_column(reader.columns()[cells[i].column]));
    if (found == works.end()) continue;
    auto& work = found->second;
    work.was_seen = true;
    if (cells[i].kind == data::CellKind::kNull || cells[i].text.empty()) continue;
    mask::CellCounts counts;
    auto value = work.transform->reveal(
        cells[i].text, {kNoRow, work.key, request.dataset, work.folded, reader.records() - 1, vault, &counts});
    if (value && !counts.opened_under.empty()) work.opened_under.insert(counts.opened_under);
    if (!value && value.error().code != ErrorCode::kRefused) return fail(std::move(value.error()));
    ++(value ? evidence.revealed : evidence.left);
    if (value) changes[i] = {data::Change::Kind::kReplace, std::move(*value)};
  }
  return writer.write(changes);
}

}  // namespace

Result<RevealEvidence> reveal_file(const Policy& policy, const RevealRequest& request, data::RecordReader& reader,
                                   data::Sink& out, const mask::RunSecrets& secrets) {
  Works works;
  RevealEvidence evidence;
  for (const auto& word : request.columns) {
    MLOPS_ASSIGN(auto work, make_work(policy.body(), word, request, secrets));
    auto folded = work.folded;
    works.emplace(std::move(folded), std::move(work));
  }
  MLOPS_ASSIGN(const auto writer, reader.writer(out, {}));
  while (true) {
    MLOPS_ASSIGN(const bool more, reader.next());
    if (!more) break;
    MLOPS_TRY(reveal_record(works, request, reader, *writer, secrets.vault, evidence));
  }
  MLOPS_TRY(writer->finish());
  evidence.records = reader.records();
  std::set<std::string> used;
  for (const auto& [_, work] : works) used.insert(work.opened_under.begin(), work.opened_under.end());
  evidence.key_ids.assign(used.begin(), used.end());
  for (const auto& [column, work] : works) {
    if (work.was_seen) continue;
    return fail(ErrorCode::kNotFound, "column_missing", fmt::format("there is no column {}", printable(column)));
  }
  if (evidence.revealed == 0 && evidence.left > 0) {
    return fail(ErrorCode::kRefused, "nothing_revealed", fmt::format("none of {} cells opened", evidence.left),
                "name the dataset it was masked as, and the keys it was masked with");
  }
  return evidence;
}

}  // namespace mlops::policy
