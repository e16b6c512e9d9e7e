// A server in memory with packs, a database and an audit log, whose bytes can be made wrong on the way or on its disk.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "cli/cmd/backup_run.h"
#include "cli/cmd/backup_verify.h"
#include "core/base/env.h"
#include "tests/unit/catch.h"
#include "tests/unit/cli/cmd/fake_session.h"
#include "tests/unit/storage/cas/append_frame.h"

namespace mlops::cli::test {

using Bytes = std::vector<std::uint8_t>;

inline Bytes noise(std::size_t size, std::uint32_t seed) {
  Bytes out(size);
  for (auto& byte : out) {
    seed = seed * 1664525u + 1013904223u;
    byte = static_cast<std::uint8_t>(seed >> 24);
  }
  return out;
}

class FakeServer {
 public:
  struct Pack {
    TimestampUs born_us = 0;
    Bytes bytes;
  };

  void begin_pack(std::uint32_t id, TimestampUs born_us) {
    const auto head = cas::pack_head_bytes({id, born_us});
    packs[id] = {born_us, Bytes(head.begin(), head.end())};
  }
  void add_frame(std::uint32_t id, std::size_t size, std::uint32_t seed) {
    const auto payload = noise(size, seed);
    cas::PackEntry entry;
    entry.key.digest = crypto::sha256(ByteView(payload));
    entry.raw_bytes = entry.stored_bytes = static_cast<std::uint32_t>(size);
    cas::append_frame(packs[id].bytes, entry, payload);
  }
  // As every start of a backup and every change does.
  void add_entry() { audit.push_back(crypto::sha256("entry " + std::to_string(audit.size()) + future).hex()); }

  BackupSource source() {
    BackupSource out;
    out.start = [this](const Json& request) { return start(request); };
    out.fetch = [this](const std::string&, const std::string& item, std::uint64_t begin, std::uint64_t end,
                       const std::function<Status(ByteView)>& sink) { return fetch(item, begin, end, sink); };
    out.end = [this](const std::string&) { ++ended; };
    return out;
  }

  std::map<std::uint32_t, Pack> packs;
  Bytes database;
  std::vector<std::string> audit;
  std::string future;  // what tells its entries from those of another one
  std::uint64_t fetched_bytes = 0;
  std::uint64_t fail_after_bytes = ~std::uint64_t{0};
  int bad_fetches = 0;  // so many answers have a flipped bit
  std::size_t piece_bytes = 1000;
  int ended = 0;

 private:
  Result<Json> start(const Json& request) {
    if (request.contains("continues")) {
      const auto& known = request["continues"];
      const auto entries = known["entries"].get<std::size_t>();
      if (entries > audit.size() || audit[entries - 1] != known["head"].get<std::string>()) {
        return fail(ErrorCode::kConflict, "backup_diverged", "another log");
      }
    }
    add_entry();
    Json items = Json::array();
    items.push_back({{"name", "mlops.db"},
                     {"size_bytes", database.size()},
                     {"digest", crypto::sha256(ByteView(database)).to_string()}});
    for (const auto& [id, pack] : packs) {
      items.push_back({{"name", pack_word(id) + ".pack"},
                       {"size_bytes", pack.bytes.size()},
                       {"created_at", format_rfc3339(pack.born_us)}});
    }
    return Json{{"id", "one"},
                {"at", format_rfc3339(1'800'000'000'000'000)},
                {"server", "mlopsd test"},
                {"audit", {{"entries", audit.size()}, {"head", audit.back()}}},
                {"items", std::move(items)}};
  }

  Status fetch(const std::string& item, std::uint64_t begin, std::uint64_t end,
               const std::function<Status(ByteView)>& sink) {
    const auto id = pack_id_of(std::string_view(item).substr(0, 8));
    Bytes bytes = item == "mlops.db" ? database : packs.at(id.value()).bytes;
    if (bad_fetches > 0 && item != "mlops.db") {
      --bad_fetches;
      bytes[begin + (end - begin) / 2] ^= 0x10;
    }
    for (auto at = begin; at < end; at += piece_bytes) {
      const auto size = std::min<std::uint64_t>(piece_bytes, end - at);
      fetched_bytes += size;
      if (fetched_bytes > fail_after_bytes) return fail(ErrorCode::kUnavailable, "connection_lost", "gone");
      MLOPS_TRY(sink(ByteView(bytes).subspan(at, size)));
    }
    return {};
  }
};

// A backup file in a directory of its own and the server it is of.
struct BackupWorld {
  BackupWorld() {
    server.begin_pack(1, 1'000'000);
    server.add_frame(1, 100, 1);
    server.add_frame(1, 70, 2);
    server.begin_pack(2, 2'000'000);
    server.add_frame(2, 64, 3);
    server.database = noise(400, 9);
  }

  Result<BackupOutcome> run() {
    auto writer = BackupWriter::open(posix_env(), path);
    if (!writer) return fail(writer.error());
    const auto source = server.source();
    BackupRun run(*writer, source);
    MLOPS_TRY(run.plan());
    return run.execute({});
  }
  BackupFile file() const {
    auto opened = BackupFile::open(posix_env(), path);
    REQUIRE(opened);
    return std::move(*opened);
  }
  BackupReport verify() const {
    auto report = verify_backup(file(), {});
    REQUIRE(report);
    return *report;
  }
  std::string content() const { return read_file(path).value(); }
  void write(std::string_view bytes) const {
    // Anew: a file that is truncated and written again is flushed by the file system, thousands of times here.
    std::filesystem::remove(path);
    directory.write("b.bak", bytes);
  }

  TemporaryDirectory directory;
  std::string path = directory.path("b.bak");
  FakeServer server;
};

}  // namespace mlops::cli::test
