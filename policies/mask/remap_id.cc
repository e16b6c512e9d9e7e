// remap_id: {key: NAME}. Exchanges the id in an id or reference (remap_reference.h) for a keyed pseudonym of the id,
// the same in every column of a dataset and in every form of reference, so that what referred to a resource still does.
// A UUID becomes a UUID, any other id a token that FHIR accepts as an id (pseudonym_token.h). A text that is no
// reference becomes the pseudonym of all of it.
//
// What an earlier run wrote stays, also under a former version of the key.
#include "core/base/text.h"
#include "policies/mask/makers.h"
#include "policies/mask/pseudonym_token.h"
#include "policies/mask/remap_reference.h"

namespace mlops::mask {
namespace {

constexpr std::string_view kWithoutKey = "[ID]";

class RemapId : public Transform {
 public:
  explicit RemapId(std::string key) : key_(std::move(key)) {}
  std::string_view id() const override { return "remap_id"; }
  std::string_view key_name() const override { return key_; }
  KeyScope key_scope() const override { return KeyScope::kDataset; }
  bool is_pseudonym() const override { return true; }

  Result<std::string> apply(std::string_view cell, const CellContext& at) const override {
    cell = trim(cell);
    if (cell.empty()) return std::string();
    if (at.key.empty()) return std::string(kWithoutKey);
    const auto reference = read_fhir_reference(cell);
    if (!reference) return make_token(at.key, cell);
    if (reference->id.empty()) return std::string(cell);  // "Patient" names a kind, not a resource
    MLOPS_ASSIGN(const auto mapped, map(reference->id, at.key));
    return std::string(reference->before) + mapped + std::string(reference->after);
  }

 private:
  static Result<std::string> map(std::string_view id, const ColumnKey& key) {
    if (is_uuid(id)) {
      const std::string lower = to_lower_ascii(id);
      MLOPS_ASSIGN(const bool done, is_own_uuid(key, lower));
      return done ? Result<std::string>(lower) : make_uuid(key, lower);
    }
    MLOPS_ASSIGN(const bool done, is_own_token(key, id));
    return done ? Result<std::string>(std::string(id)) : make_token(key, id);
  }

  std::string key_;
};

}  // namespace

Made make_remap_id(const YamlNode& value, const TransformContext& context) {
  MLOPS_TRY(check_options(value, context, "remap_id", {"key"}));
  MLOPS_ASSIGN(auto key, key_option(value, context, "remap_id"));
  return std::unique_ptr<Transform>(std::make_unique<RemapId>(std::move(key)));
}

}  // namespace mlops::mask
