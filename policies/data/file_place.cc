#include "policies/data/file_place.h"

#include "core/base/text.h"

namespace mlops::data {

std::string table_name(std::string_view path) {
  const auto name = path.substr(path.rfind('/') + 1);
  const auto dot = name.rfind('.');
  return std::string(dot == std::string_view::npos || dot == 0 ? name : name.substr(0, dot));
}

Error at_file(Error error, std::string_view path) {
  const bool has_position = !error.message.empty() && error.message[0] >= '0' && error.message[0] <= '9';
  error.message = printable(path) + (has_position ? ":" : ": ") + error.message;
  return error;
}

}  // namespace mlops::data
