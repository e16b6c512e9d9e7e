// A value of a policy text with the place it was written at, so that a check can point there. Thread-safety: values.
#pragma once

#include "core/base/yaml.h"

namespace mlops::policy {

template <class T>
struct Marked {
  T value{};
  YamlMark mark;
};

}  // namespace mlops::policy
