#include "policies/data/record.h"

namespace mlops::data {

const std::vector<std::string>& RecordReader::new_keys() const {
  static const std::vector<std::string> none;
  return none;
}

}  // namespace mlops::data
