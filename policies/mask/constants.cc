// suppress, keep, replace, mask: the transforms that do not read what they rewrite, or hardly.
#include "core/base/text.h"
#include "policies/mask/makers.h"

namespace mlops::mask {
namespace {

class Suppress : public Transform {
 public:
  std::string_view id() const override { return "suppress"; }
  bool drops_column() const override { return true; }
  Result<std::string> apply(std::string_view, const CellContext&) const override { return std::string(); }
};

class Keep : public Transform {
 public:
  std::string_view id() const override { return "keep"; }
  Result<std::string> apply(std::string_view cell, const CellContext&) const override { return std::string(cell); }
  std::string_view forbidden_under_safe_harbor() const override { return "keep: an identifier must not be kept"; }
};

class Replace : public Transform {
 public:
  explicit Replace(std::string with) : with_(std::move(with)) {}
  std::string_view id() const override { return "replace"; }
  Result<std::string> apply(std::string_view, const CellContext&) const override { return with_; }
  Status apply_batch(std::span<const std::string_view> cells, const BatchContext&,
                     std::vector<std::string>& out) const override {
    out.assign(cells.size(), with_);
    return {};
  }

 private:
  std::string with_;
};

// Length and, unless asked for, content of the cell do not show.
class Mask : public Transform {
 public:
  Mask(std::string character, std::size_t length, std::size_t keep_last) : keep_last_(keep_last) {
    for (std::size_t i = 0; i < length; ++i) stars_ += character;
  }
  std::string_view id() const override { return "mask"; }
  std::string_view forbidden_under_safe_harbor() const override {
    return keep_last_ == 0 ? std::string_view{} : "mask.keep_last: the last characters are a part of the identifier";
  }

  Result<std::string> apply(std::string_view cell, const CellContext&) const override {
    cell = trim(cell);
    if (cell.empty()) return std::string();
    return stars_ + std::string(kept(cell));
  }
  Status apply_batch(std::span<const std::string_view> cells, const BatchContext&,
                     std::vector<std::string>& out) const override {
    out.resize(cells.size());
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const auto cell = trim(cells[i]);
      out[i].assign(cell.empty() ? std::string_view{} : stars_);
      if (!cell.empty()) out[i].append(kept(cell));
    }
    return {};
  }

 private:
  // The last characters, but never more than half of them: of a short value nothing is kept.
  std::string_view kept(std::string_view cell) const {
    std::size_t characters = 0;
    for (const char c : cell) characters += begins_character(c) ? 1 : 0;
    if (keep_last_ == 0 || characters < 2 * keep_last_) return {};
    std::size_t begin = cell.size();
    for (std::size_t left = keep_last_; left > 0 && begin > 0;) left -= begins_character(cell[--begin]) ? 1 : 0;
    return cell.substr(begin);
  }
  static bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

  std::string stars_;
  std::size_t keep_last_;
};

constexpr std::int64_t kMaskLength = 8;

}  // namespace

Made make_suppress(const YamlNode& value, const TransformContext& context) {
  MLOPS_TRY(check_options(value, context, "suppress", {}));
  return std::unique_ptr<Transform>(std::make_unique<Suppress>());
}

Made make_keep(const YamlNode& value, const TransformContext& context) {
  MLOPS_TRY(check_options(value, context, "keep", {}));
  return std::unique_ptr<Transform>(std::make_unique<Keep>());
}

Made make_replace(const YamlNode& value, const TransformContext& context) {
  MLOPS_TRY(check_options(value, context, "replace", {"with"}));
  if (!value.find("with"))
    return missing_option(value, context, "replace", "with", "for example {replace: {with: \"-\"}}");
  MLOPS_ASSIGN(auto with, text_option(value, context, "with", {}));
  return std::unique_ptr<Transform>(std::make_unique<Replace>(std::move(with)));
}

Made make_mask(const YamlNode& value, const TransformContext& context) {
  MLOPS_TRY(check_options(value, context, "mask", {"with", "length", "keep_last"}));
  MLOPS_ASSIGN(auto with, text_option(value, context, "with", "*"));
  if (with.empty()) return fail(yaml_error(context.origin, value.mark, "bad_option", "mask.with must not be empty"));
  MLOPS_ASSIGN(const auto length, int_option(value, context, "length", kMaskLength, {1, 64}));
  MLOPS_ASSIGN(const auto keep_last, int_option(value, context, "keep_last", 0, {0, 4}));
  return std::unique_ptr<Transform>(
      std::make_unique<Mask>(std::move(with), static_cast<std::size_t>(length), static_cast<std::size_t>(keep_last)));
}

}  // namespace mlops::mask
