#include "core/model/kind.h"

#include <array>

namespace mlops::model {
namespace {

constexpr std::array<std::string_view, 2> kKindWords{"model", "dataset"};
constexpr std::array<std::string_view, 5> kSensitivityWords{"none", "pseudonymous", "personal", "special_category",
                                                            "child"};

template <class Enum, std::size_t N>
std::optional<Enum> find_word(const std::array<std::string_view, N>& words, std::string_view word) {
  for (std::size_t i = 0; i < N; ++i) {
    if (words[i] == word) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_word(ArtifactKind kind) {
  return kKindWords[static_cast<std::size_t>(kind)];
}

std::optional<ArtifactKind> artifact_kind_from_word(std::string_view word) {
  return find_word<ArtifactKind>(kKindWords, word);
}

std::string_view to_word(Sensitivity label) {
  return kSensitivityWords[static_cast<std::size_t>(label)];
}

std::optional<Sensitivity> sensitivity_from_word(std::string_view word) {
  return find_word<Sensitivity>(kSensitivityWords, word);
}

const std::vector<std::string>& sensitivity_words() {
  static const std::vector<std::string> words(kSensitivityWords.begin(), kSensitivityWords.end());
  return words;
}

}  // namespace mlops::model
