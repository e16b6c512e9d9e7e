#include "policies/data/record.h"

namespace mlops::data {

const std::vector<std::string>& RecordReader::new_keys() const {
  static const std::vector<std::string> none;
  return none;
}

Status RecordWriter::write(const KeptRecord&, std::span<const Change>) {
  return fail(ErrorCode::kInternal, "record_not_kept", "this writer cannot write a record its reader has left");
}

}  // namespace mlops::data
