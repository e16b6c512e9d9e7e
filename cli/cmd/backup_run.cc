#include "cli/cmd/backup_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/cmd/backup_database.h"
#include "cli/cmd/fields.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

constexpr std::string_view kDatabaseItem = "mlops.db";
constexpr std::string_view kPackSuffix = ".pack";
// Gathered before a record is written; the longest frame comes on top.
constexpr std::size_t kGatherBytes = 16u << 20;
// Longer than any frame with the head of the one before: two packs that differ show it in there.
constexpr std::uint64_t kTailBytes = 384u << 10;
// More damage than that in one pack is not worth asking for again place by place.
constexpr std::size_t kSuspectsMax = 64;

Failure bad_offer(std::string_view what) {
  return fail(ErrorCode::kInternal, "bad_answer",
              fmt::format("the server's answer about the backup is not understood: {}", what),
              "`mlopsctl version` shows whether server and mlopsctl belong together");
}

Failure diverged(const std::string& path, std::string_view why) {
  return fail(ErrorCode::kConflict, "backup_diverged",
              fmt::format("the server's data does not continue what is in {}: {}", printable(path), why),
              "back up to a new file, and keep this one as long as its snapshots are needed");
}

std::string item_of(const BackupPack& pack) {
  return pack_word(pack.id) + std::string(kPackSuffix);
}

Status take_item(const Json& item, BackupSnapshot& state) {
  const auto name = text_of(item, "name");
  const auto size_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(int_of(item, "size_bytes"), 0));
  if (name == kDatabaseItem) {
    MLOPS_ASSIGN(state.database_digest, crypto::Digest::parse(text_of(item, "digest")));
    state.database_bytes = size_bytes;
    return {};
  }
  const auto id = name.ends_with(kPackSuffix)
                      ? pack_id_of(std::string_view(name).substr(0, name.size() - kPackSuffix.size()))
                      : std::nullopt;
  if (!id || size_bytes % cas::kFrameAlign != 0) return bad_offer("an item");
  MLOPS_ASSIGN(const auto born_us, parse_rfc3339(text_of(item, "created_at")));
  state.packs.push_back({*id, born_us, size_bytes});
  return {};
}

}  // namespace

Result<BackupOffer> BackupOffer::parse(const Json& answer) {
  BackupOffer offer;
  offer.id = text_of(answer, "id");
  offer.state.at = text_of(answer, "at");
  offer.state.server_version = text_of(answer, "server");
  const auto& audit = member(answer, "audit");
  offer.state.audit_entries = int_of(audit, "entries");
  offer.state.audit_head = text_of(audit, "head");
  for (const auto& item : array_of(answer, "items")) {
    if (auto taken = take_item(item, offer.state); !taken) return bad_offer(taken.error().message);
  }
  if (offer.id.empty() || offer.state.database_bytes == 0) return bad_offer("no database");
  return offer;
}

BackupRun::~BackupRun() {
  if (!offer_.id.empty()) source_.end(offer_.id);
}

Result<BackupPlan> BackupRun::plan() {
  Json request = Json::object();
  if (const auto& known = writer_.file().snapshots(); !known.empty()) {
    request["continues"] = {{"entries", known.back().audit_entries}, {"head", known.back().audit_head}};
  }
  auto answer = source_.start(request);
  if (!answer && answer.error().slug == "backup_diverged")
    return diverged(writer_.file().path(), answer.error().message);
  if (!answer) return fail(std::move(answer.error()));
  MLOPS_ASSIGN(offer_, BackupOffer::parse(*answer));
  auto plan = compare();
  const auto& file = writer_.file();
  if (!plan && plan.error().slug == "backup_diverged" && file.size_bytes() > file.finished_bytes()) {
    // What an interrupted run left may be of a state that the server has lost since; the snapshots may still continue.
    MLOPS_TRY(writer_.drop_unfinished());
    plan = compare();
  }
  if (plan) plan_ = *plan;
  return plan;
}

// Exactly the bytes asked for, or an error.
Status BackupRun::get(const std::string& item, std::uint64_t begin, std::uint64_t end,
                      const std::function<Status(ByteView)>& sink) const {
  auto at = begin;
  const auto wrong = [&] {
    return fail(ErrorCode::kCorrupt, "transfer_damaged",
                fmt::format("{} bytes of {} were asked for, others came", end - begin, item),
                "run it again; it goes on where it was");
  };
  MLOPS_TRY(source_.fetch(offer_.id, item, begin, end, [&](ByteView bytes) -> Status {
    if (bytes.size() > end - at) return wrong();
    at += bytes.size();
    return sink(bytes);
  }));
  return at == end ? Status{} : wrong();
}

Result<BackupPlan> BackupRun::compare() {
  BackupPlan plan;
  const auto& file = writer_.file();
  for (const auto& pack : offer_.state.packs) {
    const auto held = file.held_bytes(pack.id, pack.born_us);
    if (held > pack.size_bytes) return diverged(file.path(), fmt::format("pack {} was longer", pack_word(pack.id)));
    if (held == pack.size_bytes) continue;
    plan.parts.push_back({pack, held});
    plan.bytes += pack.size_bytes - held;
    if (held > 0) MLOPS_TRY(check_tail(plan.parts.back()));
  }
  plan.bytes += offer_.state.database_bytes;
  return plan;
}

Status BackupRun::check_tail(const PlannedPart& part) {
  const auto& file = writer_.file();
  const auto begin = part.from - std::min(part.from, kTailBytes);
  std::vector<std::uint8_t> ours;
  for (const auto& head : file.parts_held(part.pack.id, part.pack.born_us)) {
    if (head.offset + head.size_bytes <= begin) continue;
    const auto skip = begin > head.offset ? begin - head.offset : 0;
    const auto old_size = ours.size();
    ours.resize(old_size + head.size_bytes - skip);
    MLOPS_TRY(file.read_at(head.payload_at() + skip, std::span(ours).subspan(old_size)));
  }
  std::vector<std::uint8_t> theirs;
  MLOPS_TRY(get(item_of(part.pack), begin, part.from, [&](ByteView bytes) -> Status {
    theirs.insert(theirs.end(), bytes.begin(), bytes.end());
    return {};
  }));
  if (ours == theirs) return {};
  return diverged(file.path(), fmt::format("pack {} has other bytes", pack_word(part.pack.id)));
}

void BackupRun::fetched(std::size_t bytes) {
  fetched_bytes_ += bytes;
  if (progress_) progress_(fetched_bytes_);
}

Result<BackupOutcome> BackupRun::execute(const std::function<void(std::uint64_t)>& progress) {
  progress_ = progress;
  const auto before_bytes = writer_.size_bytes();
  for (const auto& part : plan_.parts) MLOPS_TRY(fetch_pack(part));
  auto& snapshot = outcome_.snapshot = offer_.state;
  snapshot.number = writer_.file().next_number();
  snapshot.chain = chain_to_continue(writer_.file()).value_or(snapshot.number);
  snapshot.damaged_places = outcome_.damaged.size();
  MLOPS_TRY(fetch_database());
  MLOPS_TRY(writer_.end_snapshot(snapshot));
  outcome_.fetched_bytes = fetched_bytes_;
  outcome_.added_bytes = writer_.size_bytes() - before_bytes;
  outcome_.parts = plan_.parts.size();
  return outcome_;
}

Status BackupRun::fetch_pack(const PlannedPart& part) {
  suspects_.clear();
  std::vector<std::uint8_t> buffer;
  auto offset = part.from;  // of the buffer's first byte
  MLOPS_TRY(get(item_of(part.pack), part.from, part.pack.size_bytes, [&](ByteView bytes) -> Status {
    buffer.insert(buffer.end(), bytes.begin(), bytes.end());
    fetched(bytes.size());
    if (buffer.size() < kGatherBytes + cas::kPayloadLimitBytes) return {};
    return keep_scanned(part.pack, offset, buffer, PackPart::kMoreFollows);
  }));
  if (!buffer.empty()) MLOPS_TRY(keep_scanned(part.pack, offset, buffer, PackPart::kLast));
  return fetch_again(part.pack);
}

Status BackupRun::keep_scanned(const BackupPack& pack, std::uint64_t& offset, std::vector<std::uint8_t>& buffer,
                               PackPart part) {
  const auto scan = scan_pack(pack, offset, buffer, part);
  for (const auto& gap : scan.gaps) {
    const auto bytes = ByteView(buffer).subspan(gap.offset - offset, gap.size_bytes);
    suspects_.push_back({gap, crypto::sha256(bytes)});
  }
  BackupHead head;
  head.item = pack.id;
  head.born_us = pack.born_us;
  head.offset = offset;
  MLOPS_TRY(writer_.append(head, ByteView(buffer).first(scan.used_bytes)));
  offset += scan.used_bytes;
  buffer.erase(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(scan.used_bytes));
  return {};
}

// Bytes that are no whole frame are asked for once more: the same again means that the server's disk has them so, other
// ones that the way is at fault.
Status BackupRun::fetch_again(const BackupPack& pack) {
  const auto shown = std::min(suspects_.size(), kSuspectsMax);
  for (const auto& [gap, digest] : std::span(suspects_).first(shown)) {
    crypto::Hasher hasher;
    MLOPS_TRY(get(item_of(pack), gap.offset, gap.offset + gap.size_bytes, [&](ByteView bytes) -> Status {
      hasher.update(bytes);
      return {};
    }));
    if (hasher.finish() != digest) {
      return fail(ErrorCode::kCorrupt, "transfer_damaged",
                  fmt::format("bytes of pack {} at {} came differently when they were asked for again",
                              pack_word(pack.id), gap.offset),
                  "suspect the memory or a proxy in between, then back up to a new file");
    }
  }
  for (const auto& suspect : suspects_) outcome_.damaged.push_back({pack_word(pack.id), suspect.gap});
  return {};
}

// Only blocks that differ from those of the chain so far are kept.
Status BackupRun::fetch_database() {
  const auto& snapshot = outcome_.snapshot;
  const DatabaseImage known(writer_.file(), snapshot.chain, writer_.size_bytes());
  crypto::Hasher hasher;
  std::vector<std::uint8_t> block;
  std::uint64_t offset = 0;  // of the block's first byte
  const auto end_block = [&]() -> Status {
    if (block.empty()) return {};
    MLOPS_ASSIGN(const bool is_known, known.holds(offset, block));
    if (is_known || changed_.size() >= kGatherBytes) MLOPS_TRY(flush_blocks(offset));
    if (!is_known) changed_.insert(changed_.end(), block.begin(), block.end());
    offset += block.size();
    block.clear();
    return {};
  };
  const auto sink = [&](ByteView bytes) -> Status {
    hasher.update(bytes);
    fetched(bytes.size());
    while (!bytes.empty()) {
      const auto take = std::min(bytes.size(), kDatabaseBlockBytes - block.size());
      block.insert(block.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(take));
      bytes = bytes.subspan(take);
      if (block.size() == kDatabaseBlockBytes) MLOPS_TRY(end_block());
    }
    return {};
  };
  MLOPS_TRY(get(std::string(kDatabaseItem), 0, snapshot.database_bytes, sink));
  MLOPS_TRY(end_block());
  MLOPS_TRY(flush_blocks(offset));
  if (hasher.finish() == snapshot.database_digest) return {};
  return fail(ErrorCode::kCorrupt, "transfer_damaged", "the database's copy did not arrive as the server has it",
              "run it again; suspect the memory or a proxy in between when it stays");
}

// `end`: of the blocks gathered, in the database.
Status BackupRun::flush_blocks(std::uint64_t end) {
  if (changed_.empty()) return {};
  BackupHead head;
  head.type = BackupType::kDatabase;
  head.item = outcome_.snapshot.chain;
  head.offset = end - changed_.size();
  MLOPS_TRY(writer_.append(head, changed_));
  changed_.clear();
  return {};
}

}  // namespace mlops::cli
