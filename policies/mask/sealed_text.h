// How a ciphertext stands in a cell: WORD "-k" VERSION "-" hex digits. Hex, so that no detector takes part of it for an
// identifier. What is sealed is padded to whole blocks of 16 bytes, which hides how long the value was.
// Thread-safety: free functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "policies/mask/key.h"

namespace mlops::mask {

std::string sealed_text(std::string_view word, const WorkingKey& key, ByteView sealed);

struct SealedText {
  std::uint32_t version = 0;
  std::vector<std::uint8_t> sealed;
};
// nullopt: not of this form.
std::optional<SealedText> read_sealed_text(std::string_view word, std::string_view cell);
// The key with that version; nullptr when it is not there.
const WorkingKey* key_of_version(const ColumnKey& key, std::uint32_t version);

std::vector<std::uint8_t> pad(std::string_view text);
// nullopt: nothing that pad() made.
std::optional<std::string> unpad(ByteView padded);

// Where a token of a vault stands: context NUL token.
std::string vault_place(std::string_view context, std::string_view token);
// dataset NUL column NUL record.
std::string cell_place(std::string_view dataset, std::string_view column, std::uint64_t record);
// dataset NUL column.
std::string column_place(std::string_view dataset, std::string_view column);

}  // namespace mlops::mask
