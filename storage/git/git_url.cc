// URLs of remotes: which are accepted, and when two of them mean one repository.
#include <fmt/format.h>

#include "core/base/text.h"
#include "storage/git/git_repository.h"
#include "storage/git/git_source.h"

namespace mlops::git {
namespace {

constexpr std::string_view kFile = "file://";

Failure bad_url(std::string_view why) {
  return fail(ErrorCode::kInvalid, "bad_git_url", fmt::format("the url of a git repository {}", why),
              "for example https://HOST/TEAM/NAME.git, ssh://git@HOST/TEAM/NAME.git or file:///srv/git/NAME.git");
}

bool is_scp_form(std::string_view url) {
  const auto colon = url.find(':');
  return url.find("://") == url.npos && colon != url.npos && colon != 0 && colon < url.find('/');
}

}  // namespace

std::string local_path(std::string_view url) {
  if (url.starts_with('/')) return std::string(url);
  if (url.starts_with(kFile)) return std::string(url.substr(kFile.size()));
  return {};
}

Status check_remote_url(std::string_view url) {
  if (printable(url) != url || url.find_first_of(" \\") != url.npos) return bad_url("has bytes no URL has");
  if (const auto path = local_path(url); !path.empty()) {
    if (!path.starts_with('/')) return bad_url("names a folder that is not absolute");
    // git would decode it, and only behind file://.
    if (path.find('%') != path.npos) return bad_url("has a % in a folder's name");
    return {};
  }
  if (is_scp_form(url)) return {};
  const auto scheme_end = url.find("://");
  if (scheme_end == url.npos) return bad_url("is neither a URL nor an absolute path");
  const auto scheme = url.substr(0, scheme_end);
  const auto rest = url.substr(scheme_end + 3);
  const auto authority = rest.substr(0, rest.find('/'));
  const auto at = authority.rfind('@');
  if (scheme != "https" && scheme != "http" && scheme != "ssh")
    return bad_url("has another protocol than https or ssh");
  const bool has_secret =
      at != authority.npos && (scheme != "ssh" || authority.substr(0, at).find(':') != authority.npos);
  if (has_secret || rest.find_first_of("?#") != rest.npos)
    return bad_url("must not hold a user's secret: use `credential`");
  if (authority.empty()) return bad_url("names no host");
  return {};
}

std::string normalised_url(std::string_view url) {
  if (url.empty()) return {};
  auto text = local_path(url);
  if (text.empty()) {
    text = without_credentials(url);
    const auto scheme_end = text.find("://");
    std::string host;
    std::string path;
    if (scheme_end != text.npos) {
      const auto scheme = to_lower_ascii(std::string_view(text).substr(0, scheme_end));
      const auto rest = text.substr(scheme_end + 3);
      host = rest.substr(0, rest.find('/'));
      path = rest.find('/') == rest.npos ? "" : rest.substr(rest.find('/') + 1);
      const std::string usual = scheme == "ssh" ? ":22" : scheme == "http" ? ":80" : ":443";
      if (host.ends_with(usual)) host.erase(host.size() - usual.size());
    } else if (is_scp_form(text)) {
      host = text.substr(0, text.find(':'));
      path = text.substr(text.find(':') + 1);
    } else {
      return text;
    }
    while (path.starts_with('/')) path.erase(0, 1);
    text = to_lower_ascii(host) + "/" + path;
  }
  while (text.size() > 1 && text.ends_with('/')) text.pop_back();
  if (text.ends_with(".git")) text.erase(text.size() - 4);
  while (text.size() > 1 && text.ends_with('/')) text.pop_back();
  return text;
}

}  // namespace mlops::git
