#include "policies/risk/generalization.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "core/base/text.h"
#include "policies/data/csv.h"

namespace mlops::risk {
namespace {

using Kind = Generalization::Kind;

struct KindRow {
  Kind kind;
  std::string_view word;
  bool has_amount;
};
constexpr KindRow kKinds[] = {{Kind::kNone, "none", false},
                              {Kind::kBucket, "bucket", true},
                              {Kind::kPrefix, "prefix", true},
                              {Kind::kLevel, "level", true},
                              {Kind::kDrop, "drop", false}};

bool is_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

std::size_t length_of(std::string_view text) {
  std::size_t count = 0;
  for (const char byte : text) count += !is_continuation(byte);
  return count;
}

std::string_view prefix_of(std::string_view text, std::uint64_t characters) {
  std::size_t end = 0;
  for (; end < text.size(); ++end) {
    if (!is_continuation(text[end]) && characters-- == 0) break;
  }
  return text.substr(0, end);
}

// Marked, so that a bucket never equals a text that stays as it is.
std::string bucket_of(std::string_view text, std::uint64_t width) {
  double value = 0;
  if (!is_number(text, value)) return "t" + std::string(text);
  return fmt::format("n{}", std::floor(value / static_cast<double>(width)));
}

struct Shape {
  bool all_numbers = true;
  bool one_length = true;
  std::size_t length = 0;
  double least = 0;
  double most = 0;
};

Shape shape_of(const TextInterner& values) {
  Shape shape;
  for (Code code = 0; code < values.size(); ++code) {
    const auto text = values.text(code);
    double value = 0;
    shape.all_numbers = shape.all_numbers && is_number(text, value);
    const auto length = length_of(text);
    if (code == 0) {
      shape.length = length;
      shape.least = shape.most = value;
    }
    shape.one_length = shape.one_length && length == shape.length;
    shape.least = std::min(shape.least, value);
    shape.most = std::max(shape.most, value);
  }
  return shape;
}

constexpr std::size_t kShortestCode = 3;
constexpr std::size_t kLongestCode = 16;
constexpr std::size_t kDateLength = 10;  // 2026-11-29

void add_prefixes(std::size_t length, std::vector<Generalization>& out) {
  if (length == kDateLength) {
    out.push_back({Kind::kPrefix, 7});
    out.push_back({Kind::kPrefix, 4});
    return;
  }
  for (std::size_t left = length - 1; left > 0; --left) out.push_back({Kind::kPrefix, left});
}

void add_buckets(double range, std::vector<Generalization>& out) {
  constexpr std::uint64_t kSteps[] = {2, 5, 10};
  constexpr double kWidest = 1e15;
  for (std::uint64_t scale = 1; static_cast<double>(scale) < std::min(range, kWidest); scale *= 10) {
    for (const auto step : kSteps) {
      if (static_cast<double>(scale * step) <= range) out.push_back({Kind::kBucket, scale * step});
    }
  }
}

}  // namespace

bool is_number(std::string_view text, double& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && std::isfinite(value)) return true;
  value = 0;
  return false;
}

Result<Hierarchy> read_hierarchy(data::Source& source) {
  data::CsvOptions options;
  options.has_header = false;
  MLOPS_ASSIGN(auto reader, data::CsvReader::open(source, options));
  Hierarchy hierarchy;
  data::CsvRow row;
  while (true) {
    MLOPS_ASSIGN(const bool more, reader.next(row));
    if (!more) break;
    std::vector<std::string> forms;
    for (std::size_t i = 1; i < row.size(); ++i) forms.emplace_back(row.text(i));
    hierarchy.levels = forms.size();
    if (!hierarchy.rows.emplace(std::string(row.text(0)), std::move(forms)).second) {
      return fail(ErrorCode::kInvalid, "hierarchy_duplicate",
                  fmt::format("line {} of the hierarchy repeats a value of an earlier line", row.line()));
    }
  }
  if (hierarchy.levels == 0) {
    return fail(ErrorCode::kInvalid, "hierarchy_empty", "the hierarchy has no column of coarser values",
                "a row reads: value;coarser;coarsest");
  }
  return hierarchy;
}

Result<Generalization> generalization_from_word(std::string_view word) {
  const auto colon = word.find(':');
  for (const auto& row : kKinds) {
    if (word.substr(0, colon) != row.word || row.has_amount != (colon != std::string_view::npos)) continue;
    if (!row.has_amount) return Generalization{row.kind, 0};
    const auto amount = parse_int(word.substr(colon + 1));
    if (amount && *amount > 0) return Generalization{row.kind, static_cast<std::uint64_t>(*amount)};
  }
  return fail(ErrorCode::kInvalid, "bad_generalization", fmt::format("'{}' is no generalisation", printable(word)),
              "one of bucket:WIDTH, prefix:CHARACTERS, level:N, drop");
}

std::string to_word(const Generalization& generalization) {
  for (const auto& row : kKinds) {
    if (row.kind != generalization.kind) continue;
    return row.has_amount ? fmt::format("{}:{}", row.word, generalization.amount) : std::string(row.word);
  }
  return {};
}

Result<std::vector<Code>> generalized(const TextInterner& values, const Generalization& how,
                                      const Hierarchy* hierarchy) {
  std::vector<Code> codes(values.size());
  TextInterner coarse(hash_seed());
  if (how.kind == Kind::kLevel && (!hierarchy || how.amount > hierarchy->levels)) {
    return fail(ErrorCode::kInvalid, "hierarchy_missing",
                hierarchy ? fmt::format("the hierarchy has {} levels, not {}", hierarchy->levels, how.amount)
                          : std::string("a level needs a hierarchy"));
  }
  std::size_t missing = 0;
  for (Code code = 0; code < values.size(); ++code) {
    const auto text = values.text(code);
    switch (how.kind) {
      case Kind::kNone:
        codes[code] = code;
        break;
      case Kind::kDrop:
        codes[code] = 0;
        break;
      case Kind::kBucket:
        codes[code] = coarse.code_of(bucket_of(text, how.amount));
        break;
      case Kind::kPrefix:
        codes[code] = coarse.code_of(prefix_of(text, how.amount));
        break;
      case Kind::kLevel: {
        const auto row = hierarchy->rows.find(text);
        if (row == hierarchy->rows.end()) {
          ++missing;
        } else {
          codes[code] = coarse.code_of(row->second[how.amount - 1]);
        }
      }
    }
  }
  if (missing == 0) return codes;
  return fail(ErrorCode::kInvalid, "hierarchy_incomplete",
              fmt::format("{} of {} distinct values of the column are not in its hierarchy", missing, values.size()),
              "every value needs a row");
}

std::vector<Generalization> choices(const TextInterner& values, const Hierarchy* hierarchy) {
  std::vector<Generalization> list{{Kind::kNone, 0}};
  if (hierarchy) {
    for (std::size_t level = 1; level <= hierarchy->levels; ++level) list.push_back({Kind::kLevel, level});
  } else {
    const auto shape = shape_of(values);
    const bool is_code = shape.one_length && shape.length >= kShortestCode && shape.length <= kLongestCode;
    if (is_code) {
      add_prefixes(shape.length, list);
    } else if (shape.all_numbers) {
      add_buckets(shape.most - shape.least, list);
    }
  }
  list.push_back({Kind::kDrop, 0});
  return list;
}

ClassMap class_map(const RiskTable& table, const std::vector<std::vector<Code>>& codes) {
  ClassMap map{std::vector<Code>(table.class_count()), 0};
  TupleInterner coarse(codes.size(), hash_seed());
  std::vector<Code> tuple(codes.size());
  for (Code id = 0; id < table.class_count(); ++id) {
    const auto values = table.class_values(id);
    for (std::size_t i = 0; i < codes.size(); ++i) tuple[i] = codes[i][values[i]];
    map.to[id] = coarse.code_of(tuple);
  }
  map.count = coarse.size();
  return map;
}

}  // namespace mlops::risk
