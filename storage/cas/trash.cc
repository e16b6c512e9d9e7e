// What collections set aside: directories "<20 digits, microseconds>-<run>" below trash/.
#include <fmt/format.h>

#include "core/base/text.h"
#include "storage/cas/collection.h"

namespace mlops::cas {
namespace {

constexpr std::size_t kTimeDigits = 20;

std::optional<TimestampUs> moved_at(std::string_view name) {
  if (name.size() <= kTimeDigits || name[kTimeDigits] != '-') return {};
  return parse_int(name.substr(0, kTimeDigits));
}

}  // namespace

Result<std::vector<TrashRun>> list_trash(ContentStore& store) {
  auto& packs = store.packs();
  std::vector<TrashRun> runs;
  MLOPS_ASSIGN(const auto names, packs.env().list_dir(packs.trash_root()));
  for (const auto& name : names) {
    const auto at = moved_at(name);
    if (!at) continue;  // not ours
    TrashRun run{name, *at, 0, 0};
    const auto dir = packs.trash_root() + "/" + name;
    MLOPS_ASSIGN(const auto files, packs.env().list_dir(dir));
    for (const auto& file : files) {
      MLOPS_ASSIGN(const auto size, packs.env().file_size_bytes(dir + "/" + file));
      run.bytes += size;
      if (file.ends_with(".pack")) ++run.packs;
    }
    runs.push_back(std::move(run));
  }
  return runs;
}

Result<std::vector<TrashRun>> sweep_trash(ContentStore& store, TimestampUs before_us) {
  auto& packs = store.packs();
  std::vector<TrashRun> swept;
  MLOPS_ASSIGN(auto runs, list_trash(store));
  for (auto& run : runs) {
    if (run.moved_at_us >= before_us) continue;
    const auto dir = packs.trash_root() + "/" + run.name;
    MLOPS_ASSIGN(const auto files, packs.env().list_dir(dir));
    for (const auto& file : files) MLOPS_TRY(packs.env().remove(dir + "/" + file));
    MLOPS_TRY(packs.env().remove_dir(dir));
    swept.push_back(std::move(run));
  }
  if (!swept.empty()) MLOPS_TRY(packs.env().sync_dir(packs.trash_root()));
  return swept;
}

Status restore_trash(ContentStore& store, const std::string& name) {
  MLOPS_ASSIGN(const auto runs, list_trash(store));
  for (const auto& run : runs) {
    if (run.name != name) continue;
    MLOPS_TRY(store.packs().restore_from_trash(name));
    return store.packs().env().remove_dir(store.packs().trash_root() + "/" + name);
  }
  return fail(ErrorCode::kNotFound, "trash_not_found", fmt::format("the trash has no run {}", printable(name)),
              "mlopsctl gc runs lists what is there");
}

}  // namespace mlops::cas
