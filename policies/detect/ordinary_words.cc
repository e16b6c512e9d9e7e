#include "policies/detect/ordinary_words.h"

#include "policies/detect/dictionary.h"

namespace mlops::detect {

bool is_ordinary_word(std::string_view lower) {
  return look_up(lower).has(kOrdinaryWord);
}

}  // namespace mlops::detect
