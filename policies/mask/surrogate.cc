// surrogate: {key: NAME, type: name | first_name | last_name | city | street | phone | email | date}. A made-up value
// of the same kind, chosen by the key: equal values get equal surrogates everywhere in a dataset, and none gets itself.
// Two values may share a surrogate.
//
// Telephone numbers keep their punctuation; those of ten or eleven digits get the fictional 555-01xx. E-mail addresses
// lie under the reserved example domains (RFC 2606). Dates keep their form and fall into 1930 … 2019, in no order; what
// is no date becomes "[DATE]", and what is no telephone number "[PHONE]".
#include <algorithm>
#include <array>

#include "core/base/text.h"
#include "policies/mask/choice.h"
#include "policies/mask/makers.h"
#include "policies/mask/surrogate_words.h"
#include "policies/mask/written_date.h"

namespace mlops::mask {
namespace {

using Words = std::span<const std::string_view>;

constexpr std::string_view kDomains[] = {"example.org", "example.com", "example.net"};
constexpr std::string_view kAreaCodes[] = {"202", "206", "212", "303", "305", "312", "404", "415", "503", "512",
                                           "602", "612", "617", "702", "713", "801", "816", "901", "919", "972"};
constexpr std::size_t kMostPhoneDigits = 24;

// What values are compared by: letter case and blanks do not count.
std::string folded(std::string_view value) {
  std::string text;
  for (const char c : to_lower_ascii(value)) {
    const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!blank) text.push_back(c);
    if (blank && !text.empty() && text.back() != ' ') text.push_back(' ');
  }
  return std::string(trim(text));
}

bool is_all_upper(std::string_view text) {
  const auto is = [](char from, char to) { return [from, to](char c) { return c >= from && c <= to; }; };
  return std::any_of(text.begin(), text.end(), is('A', 'Z')) && std::none_of(text.begin(), text.end(), is('a', 'z'));
}

std::string cased_like(std::string_view value, std::string text) {
  if (!is_all_upper(value)) return text;
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

// A word other than those that stand in the value.
std::string_view pick(Words words, const crypto::Mac& mac, std::size_t index, const std::string& value) {
  const auto first = choice_below(mac, index, words.size());
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto word = words[(first + i) % words.size()];
    if (value.find(to_lower_ascii(word)) == std::string::npos) return word;
  }
  return "Doe";
}

std::string any_first_name(std::string_view, const std::string& value, const crypto::Mac& mac) {
  return std::string(pick(surrogate_first_names(), mac, 0, value));
}
std::string any_last_name(std::string_view, const std::string& value, const crypto::Mac& mac) {
  return std::string(pick(surrogate_last_names(), mac, 1, value));
}
std::string any_city(std::string_view, const std::string& value, const crypto::Mac& mac) {
  return std::string(pick(surrogate_cities(), mac, 0, value));
}

// "Last, First", "First Last" or, of one word, "Last".
std::string any_name(std::string_view written, const std::string& value, const crypto::Mac& mac) {
  const auto first = pick(surrogate_first_names(), mac, 0, value);
  const auto last = pick(surrogate_last_names(), mac, 1, value);
  if (written.find(',') != std::string_view::npos) return fmt::format("{}, {}", last, first);
  return value.find(' ') == std::string::npos ? std::string(last) : fmt::format("{} {}", first, last);
}

std::string any_street(std::string_view, const std::string& value, const crypto::Mac& mac) {
  return fmt::format("{} {}", 1 + choice_below(mac, 1, 899), pick(surrogate_streets(), mac, 0, value));
}

std::string any_email(std::string_view, const std::string& value, const crypto::Mac& mac) {
  return fmt::format("{}.{}{}@{}", to_lower_ascii(pick(surrogate_first_names(), mac, 0, value)),
                     to_lower_ascii(pick(surrogate_last_names(), mac, 1, value)), choice_below(mac, 2, 90) + 10,
                     kDomains[choice_below(mac, 3, std::size(kDomains))]);
}

std::string digits_of(std::string_view text) {
  std::string digits;
  std::copy_if(text.begin(), text.end(), std::back_inserter(digits), [](char c) { return c >= '0' && c <= '9'; });
  return digits;
}

std::string any_phone(std::string_view written, const std::string&, const crypto::Mac& mac) {
  const std::string before = digits_of(written);
  const bool readable = written.find_first_not_of("0123456789+-.()/ \t") == std::string_view::npos;
  if (!readable || before.empty() || before.size() > kMostPhoneDigits) return "[PHONE]";
  std::string digits;
  for (std::size_t i = 0; i < before.size(); ++i) digits.push_back(static_cast<char>('0' + mac[i] % 10));
  if (before.size() == 10 || (before.size() == 11 && before[0] == '1')) {
    const auto line =
        fmt::format("{}55501{:02}", kAreaCodes[choice_below(mac, 0, std::size(kAreaCodes))], choice_below(mac, 1, 100));
    digits = before.size() == 11 ? "1" + line : line;
  }
  if (digits == before) digits.back() = digits.back() == '9' ? '0' : static_cast<char>(digits.back() + 1);
  std::string out(written);
  auto next = digits.begin();
  for (char& c : out) {
    if (c >= '0' && c <= '9') c = *next++;
  }
  return out;
}

std::string any_date(std::string_view written, const std::string&, const crypto::Mac& mac) {
  using namespace std::chrono;
  constexpr sys_days kFirst = 1930y / January / 1;
  constexpr sys_days kLast = 2019y / December / 31;
  const auto date = read_written_date(written, DateOrder::kBySeparator);
  if (!date) return "[DATE]";
  const auto span = static_cast<std::uint64_t>((kLast - kFirst).count());
  auto day = kFirst + days(choice_below(mac, 0, span));
  if (day == date->day) day += days(1);
  return write_like(*date, day).value_or("[DATE]");
}

struct KindRow {
  std::string_view word;
  std::string (*make)(std::string_view written, const std::string& folded, const crypto::Mac& mac);
};
constexpr KindRow kKinds[] = {
    {"name", any_name},     {"first_name", any_first_name}, {"last_name", any_last_name}, {"city", any_city},
    {"street", any_street}, {"phone", any_phone},           {"email", any_email},         {"date", any_date},
};

class Surrogate : public Transform {
 public:
  Surrogate(std::string key, const KindRow& kind) : key_(std::move(key)), kind_(kind) {}
  std::string_view id() const override { return "surrogate"; }
  std::string_view key_name() const override { return key_; }
  KeyScope key_scope() const override { return KeyScope::kDataset; }
  bool is_pseudonym() const override { return true; }
  bool looks_real() const override { return true; }

  Result<std::string> apply(std::string_view cell, const CellContext& at) const override {
    cell = trim(cell);
    if (cell.empty()) return std::string();
    if (at.key.empty()) return std::string(kRedacted);
    // The same number or date is the same however it is written.
    const std::string value = folded(cell);
    std::string same = value;
    if (kind_.make == any_phone) same = digits_of(cell);
    if (kind_.make == any_date) {
      const auto date = read_written_date(cell, DateOrder::kBySeparator);
      same = date ? std::to_string(date->day.time_since_epoch().count()) : value;
    }
    const auto mac = choose(at.key, fmt::format("surrogate {}", kind_.word), same);
    return cased_like(cell, kind_.make(cell, value, mac));
  }

 private:
  std::string key_;
  const KindRow& kind_;
};

}  // namespace

Made make_surrogate(const YamlNode& value, const TransformContext& context) {
  MLOPS_TRY(check_options(value, context, "surrogate", {"key", "type"}));
  MLOPS_ASSIGN(auto key, key_option(value, context, "surrogate"));
  if (!value.find("type")) return missing_option(value, context, "surrogate", "type", "type: name, for example");
  std::vector<std::string_view> words;
  for (const auto& row : kKinds) words.push_back(row.word);
  MLOPS_ASSIGN(const auto kind, word_option(value, context, "surrogate", "type", words));
  return std::unique_ptr<Transform>(std::make_unique<Surrogate>(std::move(key), kKinds[kind]));
}

}  // namespace mlops::mask
