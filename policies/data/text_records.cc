#include "policies/data/text_records.h"

#include <fmt/format.h>

#include <algorithm>

#include "policies/data/utf8.h"

namespace mlops::data {
namespace {

constexpr std::string_view kBom = "\xEF\xBB\xBF";
constexpr std::size_t kFlushBytes = 256u << 10;

// Where a block of text that goes on behind it ends: the best place to cut, 0 when there is none.
std::size_t block_end(std::string_view text) {
  const std::size_t half = text.size() / 2;
  for (const std::string_view mark : {"\n\n", "\n\r\n", "\r\r", "\n", "\r", " ", "\t"}) {
    // A line end is only whole when what follows it is in view.
    const auto at = text.substr(0, text.size() - 1).rfind(mark);
    if (at == std::string_view::npos) continue;
    const bool is_paragraph = mark.size() > 1;
    if (is_paragraph && at < half) continue;
    std::size_t end = at + mark.size();
    if (mark == "\r" && text[end] == '\n') ++end;
    return end;
  }
  return 0;
}

class TextRecordReader : public RecordReader {
 public:
  TextRecordReader(Source& source, const TextOptions& options) : source_(source), options_(options) {
    cells_.resize(1);
  }

  Format format() const override { return Format::kText; }
  const std::vector<std::string>& columns() const override { return columns_; }
  const std::vector<Cell>& cells() const override { return cells_; }
  std::uint64_t line() const override { return line_; }
  std::uint64_t records() const override { return records_; }
  Result<std::unique_ptr<RecordWriter>> writer(Sink& sink, std::vector<bool> dropped) override;
  bool has_bom() const { return has_bom_; }

  Result<bool> next() override {
    advance();
    MLOPS_TRY(fill());
    if (records_ == 0 && !has_bom_ && view().starts_with(kBom)) {
      has_bom_ = true;
      begin_ = kBom.size();
      column_ += kBom.size();
    }
    if (begin_ == text_.size()) {
      cells_.clear();
      return false;
    }
    MLOPS_ASSIGN(size_, measure());
    MLOPS_TRY(check(view().substr(0, size_)));
    ++records_;
    cells_[0] = {0, view().substr(0, size_), view().substr(0, size_), CellKind::kText};
    return true;
  }

 private:
  std::string_view view() const { return std::string_view(text_).substr(begin_); }

  // Past the current record.
  void advance() {
    const auto used = view().substr(0, size_);
    for (std::size_t i = 0; i < used.size(); ++i) {
      const bool ends_line = used[i] == '\n' || (used[i] == '\r' && (i + 1 == used.size() || used[i + 1] != '\n'));
      line_ += ends_line ? 1 : 0;
      column_ = ends_line ? 1 : column_ + 1;
    }
    begin_ += size_;
    size_ = 0;
  }

  Status fill() {
    text_.erase(0, begin_);
    begin_ = 0;
    const std::size_t wanted = options_.whole_bytes + kBom.size() + 1;
    while (!ended_ && text_.size() < wanted) {
      const std::size_t before = text_.size();
      text_.resize(wanted);
      auto count = source_.read({text_.data() + before, wanted - before});
      text_.resize(before + (count ? *count : 0));
      if (!count) return fail(std::move(count.error()));
      ended_ = *count == 0;
    }
    return {};
  }

  Result<std::size_t> measure() const {
    const auto rest = view();
    if (ended_ && rest.size() <= (records_ == 0 ? options_.whole_bytes : options_.block_bytes)) return rest.size();
    const auto block = rest.substr(0, options_.block_bytes);
    const auto end = block_end(block);
    if (end > 0) return end;
    return fail(ErrorCode::kInvalid, "text_word_too_long",
                fmt::format("{}:{}: a word is longer than {} bytes", line_, column_, block.size()));
  }

  Status check(std::string_view text) const {
    const auto nul = text.find('\0');
    if (nul != std::string_view::npos) return error_at(text, nul, "text_nul", "a NUL byte");
    const auto bad = first_invalid_utf8(text);
    if (bad != std::string_view::npos) return error_at(text, bad, "text_utf8", "not valid UTF-8");
    return {};
  }

  Failure error_at(std::string_view text, std::size_t offset, std::string slug, std::string_view message) const {
    const auto before = text.substr(0, offset);
    const auto lines = static_cast<std::uint64_t>(std::count(before.begin(), before.end(), '\n'));
    const auto column = lines == 0 ? column_ + offset : offset - before.rfind('\n');
    return fail(ErrorCode::kInvalid, std::move(slug), fmt::format("{}:{}: {}", line_ + lines, column, message),
                "say its encoding, or save the file as UTF-8 text");
  }

  Source& source_;
  TextOptions options_;
  std::vector<std::string> columns_{"text"};
  std::vector<Cell> cells_;
  std::string text_;
  std::size_t begin_ = 0;  // of the current record
  std::size_t size_ = 0;
  bool ended_ = false;
  bool has_bom_ = false;
  std::uint64_t line_ = 1;
  std::uint64_t column_ = 1;
  std::uint64_t records_ = 0;
};

class TextRecordWriter : public RecordWriter {
 public:
  TextRecordWriter(Sink& sink, const TextRecordReader& reader, bool is_dropped)
      : sink_(sink), reader_(reader), is_dropped_(is_dropped) {}

  Status write(std::span<const Change> changes) override {
    put_bom();
    const auto kind = is_dropped_ ? Change::Kind::kDrop : changes.empty() ? Change::Kind::kKeep : changes[0].kind;
    if (kind == Change::Kind::kKeep) buffer_.append(reader_.cells()[0].raw);
    if (kind == Change::Kind::kReplace) buffer_.append(changes[0].text);
    if (buffer_.size() < kFlushBytes) return {};
    MLOPS_TRY(sink_.write(buffer_));
    buffer_.clear();
    return {};
  }

  Status finish() override {
    put_bom();
    if (!buffer_.empty()) MLOPS_TRY(sink_.write(buffer_));
    buffer_.clear();
    return {};
  }

 private:
  void put_bom() {
    if (reader_.has_bom() && !is_begun_) buffer_.append(kBom);
    is_begun_ = true;
  }

  Sink& sink_;
  const TextRecordReader& reader_;
  bool is_dropped_;
  bool is_begun_ = false;
  std::string buffer_;
};

Result<std::unique_ptr<RecordWriter>> TextRecordReader::writer(Sink& sink, std::vector<bool> dropped) {
  return std::make_unique<TextRecordWriter>(sink, *this, !dropped.empty() && dropped[0]);
}

}  // namespace

Result<std::unique_ptr<RecordReader>> open_text_records(Source& source, const TextOptions& options) {
  return std::make_unique<TextRecordReader>(source, options);
}

}  // namespace mlops::data
