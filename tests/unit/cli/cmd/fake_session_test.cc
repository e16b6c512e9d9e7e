// The twins' own code, in one object of this test binary.
#include "tests/unit/cli/cmd/fake_session.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/unit/catch.h"

namespace mlops::cli {

Result<Json> FakeApi::call(const std::string& method, const std::string& path, const Json& body) {
  calls.push_back({method, path, body});
  const auto wanted = method + " " + path;
  // The longest prefix wins, so a list and its items can both be scripted.
  std::deque<Result<Json>>* best = nullptr;
  std::size_t best_size = 0;
  for (auto& [prefix, answers] : answers_) {
    if (wanted.starts_with(prefix) && prefix.size() >= best_size) {
      best = &answers;
      best_size = prefix.size();
    }
  }
  if (!best) return mlops::fail(ErrorCode::kInternal, "not_scripted", wanted);
  auto answer = best->front();
  if (best->size() > 1) best->pop_front();
  return answer;
}

FakeStore& FakeApi::store() const {
  if (!store_) store_ = std::make_shared<FakeStore>();
  return *store_;
}

Result<std::string> FakeApi::post_bytes(const std::string& path, std::string_view body) {
  if (path == "/api/v1/store/missing") return store().missing(body);
  return mlops::fail(ErrorCode::kInternal, "not_scripted", path);
}

Result<std::string> FakeApi::get_bytes(const std::string& path) {
  if (const auto found = bodies.find(path); found != bodies.end()) return found->second;
  if (path.starts_with("/api/v1/store/recipe/")) return store().recipe(path);
  return mlops::fail(ErrorCode::kInternal, "not_scripted", path);
}

Result<Json> FakeApi::post_stream(const std::string& path, const std::function<Result<ByteView>()>& next,
                                  std::uint64_t) {
  if (path == "/api/v1/blobs") return store().upload(next);
  if (path == "/api/v1/store/push") return store().push(next);
  return mlops::fail(ErrorCode::kInternal, "not_scripted", path);
}

Status FakeApi::get_for_stream(const std::string& path, const std::function<Status(ByteView)>& sink) {
  constexpr std::string_view kBlobs = "/api/v1/blobs/sha256%3A";
  const auto found = bodies.find(path);
  if (found == bodies.end() && !path.starts_with(kBlobs))
    return mlops::fail(ErrorCode::kInternal, "not_scripted", path);
  if (found != bodies.end()) return sink(as_bytes(found->second));
  return sink(as_bytes(store().read(*crypto::Digest::parse("sha256:" + path.substr(kBlobs.size())))));
}

Status FakeApi::post_for_stream(const std::string& path, std::string_view body,
                                const std::function<Status(ByteView)>& sink) {
  if (path == "/api/v1/store/fetch") return store().fetch(body, sink);
  return mlops::fail(ErrorCode::kInternal, "not_scripted", path);
}

Result<std::unique_ptr<ApiClient>> FakeApi::another() const {
  (void)store();
  auto other = std::make_unique<FakeApi>();
  other->store_ = store_;
  return std::unique_ptr<ApiClient>(std::move(other));
}

void FakeSession::print_list(const Json& items, const std::vector<Column>& columns,
                             const std::function<std::string(const Json&)>&, std::string_view when_empty) {
  if (json) return print_line(items.dump());
  if (items.empty()) return say(when_empty);
  for (const auto& item : items) {
    std::string line;
    for (const auto& column : columns) line += (line.empty() ? "" : "|") + column.cell(item);
    print_line(line);
  }
}

TemporaryDirectory::TemporaryDirectory() {
  auto pattern = (std::filesystem::temp_directory_path() / "mlops-cmd-XXXXXX").string();
  path_ = ::mkdtemp(pattern.data());
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryDirectory::write(const std::string& below, std::string_view content) const {
  const auto whole = path(below);
  std::filesystem::create_directories(std::filesystem::path(whole).parent_path());
  std::ofstream(whole, std::ios::binary) << content;
  return whole;
}

}  // namespace mlops::cli

TEST_CASE("a scripted answer goes to the longest matching prefix") {
  mlops::cli::FakeApi api;
  api.answer("GET /a", mlops::Json(1));
  api.answer("GET /a/b", mlops::Json(2));
  CHECK(api.get("/a/b/c")->get<int>() == 2);
  CHECK(api.get("/a?x")->get<int>() == 1);
  CHECK_FALSE(api.get("/z"));
}
