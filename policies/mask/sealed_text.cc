#include "policies/mask/sealed_text.h"

#include <fmt/format.h>

namespace mlops::mask {
namespace {

constexpr std::size_t kPadBlockBytes = 16;
constexpr std::uint8_t kPadMark = 0x80;

bool has_version(const WorkingKey& key, std::uint32_t version) {
  const auto id = parse_key_id(key.id);
  return id && id->version == version;
}

}  // namespace

std::string sealed_text(std::string_view word, const WorkingKey& key, ByteView sealed) {
  const auto id = parse_key_id(key.id);
  return fmt::format("{}-k{}-{}", word, id ? id->version : 1, to_hex(sealed));
}

std::optional<SealedText> read_sealed_text(std::string_view word, std::string_view cell) {
  if (!cell.starts_with(word)) return std::nullopt;
  cell.remove_prefix(word.size());
  const auto dash = cell.rfind('-');
  if (!cell.starts_with("-k") || dash < 3 || dash == std::string_view::npos) return std::nullopt;
  const auto id = parse_key_id(fmt::format("k.{}", cell.substr(2, dash - 2)));
  const auto hex = cell.substr(dash + 1);
  if (!id || hex.find_first_not_of("0123456789abcdef") != std::string_view::npos) return std::nullopt;
  auto sealed = from_hex(hex);
  if (!sealed) return std::nullopt;
  return SealedText{id->version, std::move(*sealed)};
}

const WorkingKey* key_of_version(const ColumnKey& key, std::uint32_t version) {
  if (has_version(key, version)) return &key;
  for (const auto& former : key.former) {
    if (has_version(former, version)) return &former;
  }
  return nullptr;
}

std::vector<std::uint8_t> pad(std::string_view text) {
  std::vector<std::uint8_t> padded(text.begin(), text.end());
  padded.push_back(kPadMark);
  padded.resize((padded.size() + kPadBlockBytes - 1) / kPadBlockBytes * kPadBlockBytes);
  return padded;
}

std::optional<std::string> unpad(ByteView padded) {
  std::size_t size = padded.size();
  while (size > 0 && padded[size - 1] == 0) --size;
  if (size == 0 || padded[size - 1] != kPadMark) return std::nullopt;
  return std::string(padded.begin(), padded.begin() + static_cast<std::ptrdiff_t>(size - 1));
}

std::string vault_place(std::string_view context, std::string_view token) {
  std::string place(context);
  place.push_back('\0');
  return place.append(token);
}

std::string column_place(std::string_view dataset, std::string_view column) {
  std::string place(dataset);
  place.push_back('\0');
  return place.append(column);
}

std::string cell_place(std::string_view dataset, std::string_view column, std::uint64_t record) {
  std::string place = column_place(dataset, column);
  place.push_back('\0');
  return place.append(std::to_string(record));
}

}  // namespace mlops::mask
