// What differs between two versions: files by digest, recorded metadata, inputs.
#include <set>

#include "daemon/domain/registry.h"

namespace mlops::domain {
namespace {

void diff_files(const std::vector<model::FileEntry>& a, const std::vector<model::FileEntry>& b, model::DiffView& out) {
  std::map<std::string, const model::FileEntry*> before;
  for (const auto& file : a) before[file.path] = &file;
  for (const auto& file : b) {
    const auto it = before.find(file.path);
    if (it == before.end()) {
      out.added.push_back(file);
      continue;
    }
    if (it->second->digest == file.digest) {
      ++out.unchanged;
    } else {
      out.changed.push_back({file.path, it->second->size_bytes, file.size_bytes});
    }
    before.erase(it);
  }
  for (const auto& [path, file] : before) out.removed.push_back(*file);
}

template <class Map>
void diff_map(const std::string& prefix, const Map& a, const Map& b, model::DiffView& out) {
  std::set<std::string> keys;
  for (const auto& [key, value] : a) keys.insert(key);
  for (const auto& [key, value] : b) keys.insert(key);
  for (const auto& key : keys) {
    const auto left = a.find(key);
    const auto right = b.find(key);
    const Json left_value = left == a.end() ? Json(nullptr) : Json(left->second);
    const Json right_value = right == b.end() ? Json(nullptr) : Json(right->second);
    if (left_value != right_value) out.metadata.push_back({prefix + key, left_value, right_value});
  }
}

void diff_text(const std::string& field, const std::string& a, const std::string& b, model::DiffView& out) {
  if (a != b) out.metadata.push_back({field, a, b});
}

std::vector<model::VersionInput> inputs_missing_in(const std::vector<model::VersionInput>& from,
                                                   const std::vector<model::VersionInput>& in) {
  std::vector<model::VersionInput> out;
  for (const auto& input : from) {
    bool found = false;
    for (const auto& other : in) found = found || (other.version_id == input.version_id && other.role == input.role);
    if (!found) out.push_back(input);
  }
  return out;
}

}  // namespace

Result<model::DiffView> Registry::diff(const std::string& a_ref, const std::string& b_ref) {
  MLOPS_ASSIGN(const auto a, show(a_ref, 0));
  MLOPS_ASSIGN(const auto b, show(b_ref, 0));
  model::DiffView out;
  out.a_ref = a.version.ref();
  out.b_ref = b.version.ref();
  MLOPS_ASSIGN(const auto a_files, files(a.version.typed_ref()));
  MLOPS_ASSIGN(const auto b_files, files(b.version.typed_ref()));
  diff_files(a_files, b_files, out);
  diff_text("kind", std::string(to_word(a.version.kind)), std::string(to_word(b.version.kind)), out);
  diff_text("sensitivity", std::string(to_word(a.version.sensitivity)), std::string(to_word(b.version.sensitivity)),
            out);
  diff_text("description", a.version.description, b.version.description, out);
  diff_text("git.commit", a.version.git ? a.version.git->commit : "", b.version.git ? b.version.git->commit : "", out);
  diff_map("params.", a.version.params, b.version.params, out);
  diff_map("metrics.", a.version.metrics, b.version.metrics, out);
  diff_map("labels.", a.labels, b.labels, out);
  out.inputs_added = inputs_missing_in(b.inputs, a.inputs);
  out.inputs_removed = inputs_missing_in(a.inputs, b.inputs);
  out.same = out.added.empty() && out.removed.empty() && out.changed.empty() && out.metadata.empty() &&
             out.inputs_added.empty() && out.inputs_removed.empty();
  return out;
}

}  // namespace mlops::domain
