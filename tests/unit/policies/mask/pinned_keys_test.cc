#include "policies/mask/pinned_keys.h"

#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::mask;

namespace {

class Rotating : public KeySource {
 public:
  Result<NamedKey> current(const std::string& name) const override { return by_id(to_string({name, version})); }
  Result<NamedKey> by_id(const std::string& id) const override {
    if (id == destroyed) return fail(ErrorCode::kNotFound, "unknown_key_id", "gone");
    return NamedKey{id, crypto::SecretBytes(std::vector<std::uint8_t>(32, 7))};
  }
  std::uint32_t version = 1;
  std::string destroyed;
};

}  // namespace

TEST_CASE("pinned keys: a run keeps to the version it began with") {
  Rotating source;
  const PinnedKeys keys(source);
  CHECK(keys.current("research")->id == "research.1");
  source.version = 2;
  CHECK(keys.current("research")->id == "research.1");
  CHECK(keys.current("other")->id == "other.2");
  CHECK(PinnedKeys(source).current("research")->id == "research.2");
  source.destroyed = "research.1";
  CHECK(keys.current("research").error().slug == "unknown_key_id");
}
