// A text file compiled into the binary (cmake/embed.cmake): migrations, policy packs. Static storage.
#pragma once

#include <string_view>
#include <vector>

namespace mlops {

struct EmbeddedFile {
  std::string_view name;
  std::string_view content;
};

}  // namespace mlops
