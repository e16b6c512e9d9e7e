// Words that surrogates are made of: common ones of no one in particular, chosen for this project. Thread-safety: data.
#pragma once

#include <span>
#include <string_view>

namespace mlops::mask {

std::span<const std::string_view> surrogate_first_names();
std::span<const std::string_view> surrogate_last_names();
std::span<const std::string_view> surrogate_cities();
std::span<const std::string_view> surrogate_streets();

}  // namespace mlops::mask
