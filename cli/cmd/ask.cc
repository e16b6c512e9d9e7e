#include "cli/cmd/ask.h"

namespace mlops::cli {
namespace {

constexpr std::size_t kBatch = 50'000;

}  // namespace

Result<std::vector<bool>> ask_server(ApiClient& api, const std::vector<cas::Question>& questions) {
  std::vector<bool> answers;
  answers.reserve(questions.size());
  std::string body;
  for (std::size_t at = 0; at < questions.size();) {
    body.clear();
    const auto end = std::min(questions.size(), at + kBatch);
    const auto count = end - at;
    for (; at < end; ++at) {
      const auto bytes = cas::question_bytes(questions[at]);
      body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    MLOPS_ASSIGN(const auto answer, api.post_bytes("/api/v1/store/missing", body));
    if (answer.size() != count) {
      return fail(ErrorCode::kInternal, "bad_answer",
                  "the server answered another number of questions than were asked");
    }
    for (const char here : answer) answers.push_back(here == '\1');
  }
  return answers;
}

}  // namespace mlops::cli
