#include "daemon/domain/subject_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/base/checksum.h"
#include "core/base/text.h"

namespace mlops::domain {
namespace {

constexpr std::string_view kMagic = "MLOPSSI1";
constexpr std::size_t kWordBytes = 8;
constexpr std::size_t kHeadBytes = 3 * kWordBytes;
constexpr std::size_t kLargestBytes = std::size_t{1} << 32;
constexpr std::string_view kSuffix = ".subjects";

void put_word(std::string& out, std::uint64_t word) {
  for (std::size_t i = 0; i < kWordBytes; ++i) out.push_back(static_cast<char>(word >> (8 * i)));
}

std::uint64_t word_at(std::string_view bytes, std::size_t offset) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < kWordBytes; ++i) {
    word |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(bytes[offset + i])) << (8 * i);
  }
  return word;
}

std::uint64_t short_of(const crypto::Mac& mac) {
  return word_at({reinterpret_cast<const char*>(mac.data()), mac.size()}, 0);
}

std::uint64_t checksum_of(std::string_view bytes) {
  Checksum64 sum;
  sum.update(as_bytes(bytes));
  return sum.finish();
}

// Sorted words in `bytes` behind the head.
bool holds_word(std::string_view bytes, std::uint64_t count, std::uint64_t wanted) {
  std::uint64_t low = 0;
  std::uint64_t high = count;
  while (low < high) {
    const auto middle = low + (high - low) / 2;
    const auto word = word_at(bytes, kHeadBytes + middle * kWordBytes);
    if (word == wanted) return true;
    (word < wanted ? low : high) = word < wanted ? middle + 1 : middle;
  }
  return false;
}

}  // namespace

crypto::Mac subject_fingerprint(ByteView key, std::string_view name_space, std::string_view id) {
  std::string message("subject/v1");
  message.push_back('\0');
  message.append(name_space);
  message.push_back('\0');
  message.append(trim(id));
  return crypto::hmac_sha256(key, message);
}

void Subject::add_id(std::string_view name_space, std::string_view id) {
  add_mac(std::string(name_space), subject_fingerprint(key_, name_space, id));
}

bool Subject::add_mac(const std::string& name_space, const crypto::Mac& mac) {
  auto& list = macs_[name_space];
  if (std::find(list.begin(), list.end(), mac) != list.end()) return false;
  list.push_back(mac);
  return true;
}

Status Subject::add(const std::vector<model::SubjectFingerprint>& stored) {
  for (const auto& one : stored) {
    const auto bytes = from_hex(one.hex);
    crypto::Mac mac{};
    if (!bytes || bytes->size() != mac.size()) {
      return fail(ErrorCode::kCorrupt, "bad_erasure", "a stored fingerprint cannot be read");
    }
    std::copy(bytes->begin(), bytes->end(), mac.begin());
    add_mac(one.name_space, mac);
  }
  return {};
}

bool Subject::is(std::string_view name_space, std::string_view cell) const {
  const auto known = macs_.find(name_space);
  if (known == macs_.end() || trim(cell).empty()) return false;
  const auto mac = subject_fingerprint(key_, name_space, cell);
  return std::find(known->second.begin(), known->second.end(), mac) != known->second.end();
}

std::vector<std::string> Subject::name_spaces() const {
  std::vector<std::string> names;
  for (const auto& [name, macs] : macs_) names.push_back(name);
  return names;
}

const std::vector<crypto::Mac>& Subject::of(const std::string& name_space) const {
  static const std::vector<crypto::Mac> kNone;
  const auto known = macs_.find(name_space);
  return known == macs_.end() ? kNone : known->second;
}

std::vector<model::SubjectFingerprint> Subject::stored() const {
  std::vector<model::SubjectFingerprint> list;
  for (const auto& [name, macs] : macs_) {
    for (const auto& mac : macs) list.push_back({name, to_hex(mac)});
  }
  std::sort(list.begin(), list.end());
  return list;
}

std::string SubjectIndex::tag(const crypto::Digest& file, const SubjectColumn& column) const {
  std::string message("index/v1");
  for (const auto& part : {file.hex(), column.column, column.name_space}) {
    message.push_back('\0');
    message += part;
  }
  const auto mac = crypto::hmac_sha256(key_.view(), message);
  return {reinterpret_cast<const char*>(mac.data()), kWordBytes};
}

std::string SubjectIndex::path(const crypto::Digest& file, const SubjectColumn& column) const {
  return fmt::format("{}/{}-{}{}", dir_, file.hex(), to_hex(as_bytes(tag(file, column))), kSuffix);
}

Result<std::optional<std::string>> SubjectIndex::read_body(const crypto::Digest& file,
                                                           const SubjectColumn& column) const {
  auto read = read_file(path(file, column), kLargestBytes);
  if (!read && read.error().code == ErrorCode::kNotFound) return std::optional<std::string>();
  if (!read) return fail(read.error());
  const std::string_view bytes = *read;
  if (bytes.size() < kHeadBytes + kWordBytes || !bytes.starts_with(kMagic)) return std::optional<std::string>();
  const auto count = word_at(bytes, 2 * kWordBytes);
  const auto body = bytes.substr(0, bytes.size() - kWordBytes);
  const bool is_sound = bytes.substr(kWordBytes, kWordBytes) == tag(file, column) &&
                        body.size() == kHeadBytes + count * kWordBytes &&
                        word_at(bytes, body.size()) == checksum_of(body);
  if (!is_sound) return std::optional<std::string>();
  read->resize(body.size());
  return std::optional(std::move(*read));
}

Result<std::optional<bool>> SubjectIndex::may_hold(const crypto::Digest& file, const SubjectColumn& column,
                                                   const std::vector<crypto::Mac>& subject) const {
  MLOPS_ASSIGN(const auto body, read_body(file, column));
  if (!body) return std::optional<bool>();
  const auto count = (body->size() - kHeadBytes) / kWordBytes;
  const bool found = std::any_of(subject.begin(), subject.end(),
                                 [&](const auto& mac) { return holds_word(*body, count, short_of(mac)); });
  return std::optional(found);
}

Result<std::optional<std::vector<std::uint64_t>>> SubjectIndex::load(const crypto::Digest& file,
                                                                     const SubjectColumn& column) const {
  using Words = std::vector<std::uint64_t>;
  MLOPS_ASSIGN(const auto body, read_body(file, column));
  if (!body) return std::optional<Words>();
  Words words;
  words.reserve((body->size() - kHeadBytes) / kWordBytes);
  for (auto at = kHeadBytes; at < body->size(); at += kWordBytes) words.push_back(word_at(*body, at));
  return std::optional(std::move(words));
}

void SubjectIndex::Builder::add(std::string_view id) {
  id = trim(id);
  if (id.empty() || id == last_) return;  // rows of one person often follow each other
  last_ = id;
  short_.push_back(short_of(subject_fingerprint(index_.key(), column_.name_space, id)));
}

Result<std::uint64_t> SubjectIndex::Builder::finish() {
  std::sort(short_.begin(), short_.end());
  short_.erase(std::unique(short_.begin(), short_.end()), short_.end());
  std::string bytes(kMagic);
  bytes.reserve(kHeadBytes + (short_.size() + 1) * kWordBytes);
  bytes += index_.tag(file_, column_);
  put_word(bytes, short_.size());
  for (const auto word : short_) put_word(bytes, word);
  put_word(bytes, checksum_of(bytes));
  MLOPS_TRY(index_.env_.make_dir(index_.dir_));
  MLOPS_TRY(write_file_atomic(index_.path(file_, column_), bytes));
  return static_cast<std::uint64_t>(short_.size());
}

Status SubjectIndex::drop(const crypto::Digest& file) const {
  const auto names = env_.list_dir(dir_);
  if (!names) return names.error().code == ErrorCode::kNotFound ? Status{} : Status(fail(names.error()));
  for (const auto& name : *names) {
    if (!name.starts_with(file.hex() + "-")) continue;
    if (auto removed = env_.remove(dir_ + "/" + name); !removed && removed.error().code != ErrorCode::kNotFound) {
      return removed;
    }
  }
  return {};
}

}  // namespace mlops::domain
