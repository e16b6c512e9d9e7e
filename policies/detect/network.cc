// url, ipv4, ipv6, mac.
#include <algorithm>

#include "policies/detect/family.h"
#include "policies/detect/scan.h"

namespace mlops::detect {
namespace {

constexpr HeaderRule kUrlHeaders[] = {
    {"url", HeaderMatch::kAny, 0.95},      {"urls", HeaderMatch::kAny, 0.9},
    {"website", HeaderMatch::kAny, 0.9},   {"homepage", HeaderMatch::kAny, 0.9},
    {"uri", HeaderMatch::kAny, 0.7},       {"web page", HeaderMatch::kAny, 0.8},
    {"web site", HeaderMatch::kAny, 0.9},  {"web address", HeaderMatch::kAny, 0.9},
    {"hyperlink", HeaderMatch::kAny, 0.7},
};
constexpr HeaderRule kIpHeaders[] = {
    {"ip address", HeaderMatch::kAny, 0.95}, {"ip addr", HeaderMatch::kAny, 0.95},
    {"ipaddress", HeaderMatch::kAny, 0.95},  {"ipaddr", HeaderMatch::kAny, 0.95},
    {"client ip", HeaderMatch::kAny, 0.95},  {"remote ip", HeaderMatch::kAny, 0.95},
    {"source ip", HeaderMatch::kAny, 0.95},  {"src ip", HeaderMatch::kAny, 0.95},
    {"host ip", HeaderMatch::kAny, 0.9},     {"ipv", HeaderMatch::kAny, 0.9},
    {"ip", HeaderMatch::kSole, 0.6},         {"login ip", HeaderMatch::kAny, 0.95},
};
constexpr HeaderRule kMacHeaders[] = {
    {"mac address", HeaderMatch::kAny, 0.95}, {"mac addr", HeaderMatch::kAny, 0.95},
    {"macaddress", HeaderMatch::kAny, 0.95},  {"macaddr", HeaderMatch::kAny, 0.95},
    {"mac", HeaderMatch::kSole, 0.7},
};
constexpr std::string_view kIpWords[] = {"ip", "ip address", "host", "server", "login from", "logged in from"};
constexpr std::string_view kVersionWords[] = {"version", "ver", "release", "oid", "section", "v"};
constexpr std::string_view kClauseWords[] = {"clause", "per",       "see",  "standard", "chapter", "table",
                                             "figure", "paragraph", "para", "annex",    "ieee",    "iso"};
// Top-level domains a bare host is believed with; "file.py" and "U.S." are none.
constexpr std::string_view kTopLevels[] = {"com", "edu", "gov", "mil", "net", "org", "uk"};
// … that are names of members in programs as well.
constexpr std::string_view kRareTopLevels[] = {"app", "co", "dev", "eu", "health", "info", "io", "us"};

bool is_url_byte(char c) {
  return !is_blank(c) && c != '"' && c != '<' && c != '>' && c != '\0' && c != '|';
}

std::size_t url_end(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && is_url_byte(text[end])) ++end;
  while (end > at && std::string_view(".,;:!?)]}'").find(text[end - 1]) != std::string_view::npos) --end;
  return end;
}

class Url : public Family {
 public:
  Url() : Family({"url", kUrlHeaders, Needs::kDotOrColon, true}) {}

 protected:
  void search(std::string_view text, double column_score, std::vector<Span>& out) const override {
    std::size_t done = 0;
    const auto put = [&](std::size_t begin, double score) {
      const std::size_t end = url_end(text, begin);
      out.push_back({begin, end, score});
      done = end;
    };
    for (std::size_t at = 0; at < text.size(); ++at) {
      if ((text[at] != '.' && text[at] != ':') || at < done) continue;
      if (text[at] == ':') {
        if (const std::size_t begin = scheme_begin(text, at); begin != at)
          put(begin, is_placeholder(text, at + 3) ? 0.4 : 0.95);
        continue;
      }
      const std::size_t begin = host_begin(text, at, done);
      if (begin == at || before_or_nul(text, begin) == '@') continue;
      if (has_at(text, begin, "www.") && is_word(at_or_nul(text, begin + 4)))
        put(begin, 0.9);
      else if (is_bare_host(text, begin))
        put(begin, column_score >= kAgrees ? 0.9 : ends_in(text, begin, kTopLevels) ? 0.5 : 0.4);
    }
  }

 private:
  // Where the scheme of "scheme://" ends at the colon; `colon` when it is none.
  static std::size_t scheme_begin(std::string_view text, std::size_t colon) {
    if (at_or_nul(text, colon + 1) != '/' || at_or_nul(text, colon + 2) != '/' ||
        !is_url_byte(at_or_nul(text, colon + 3))) {
      return colon;
    }
    std::size_t begin = colon;
    while (begin > 0 && colon - begin < 12 && (is_alnum(text[begin - 1]) || text[begin - 1] == '+')) --begin;
    return begin;
  }
  // "http://host:port" names no host: neither a dot in it nor anything behind it, and no number for a port.
  static bool is_placeholder(std::string_view text, std::size_t host) {
    std::size_t end = host;
    while (is_alpha(at_or_nul(text, end))) ++end;
    if (at_or_nul(text, end) != ':' || !is_alpha(at_or_nul(text, end + 1))) return false;
    while (is_alpha(at_or_nul(text, end + 1))) ++end;
    return url_end(text, host) == end + 1;
  }
  static std::size_t host_begin(std::string_view text, std::size_t dot, std::size_t from) {
    std::size_t begin = dot;
    while (begin > from && dot - begin < 63 && (is_word(text[begin - 1]) || text[begin - 1] == '-')) --begin;
    return begin;
  }
  static bool is_bare_host(std::string_view text, std::size_t begin) {
    const std::string_view host = host_at(text, begin);
    const std::size_t end = begin + host.size();
    const std::size_t dot = host.rfind('.');
    if (dot == std::string_view::npos || dot < 2 || at_or_nul(text, end) == '@') return false;
    if (at_or_nul(text, end) == '_' || at_or_nul(text, end) == '(') return false;  // listen.io_threads
    return ends_in(text, begin, kTopLevels) || ends_in(text, begin, kRareTopLevels);
  }
  // Is the last label of the host at `begin` one of these?
  static bool ends_in(std::string_view text, std::size_t begin, std::span<const std::string_view> tops) {
    const std::string_view host = host_at(text, begin);
    const std::string_view last = host.substr(host.rfind('.') + 1);
    return std::any_of(tops.begin(), tops.end(), [&](std::string_view top) { return equals_ignoring_case(last, top); });
  }
  static std::string_view host_at(std::string_view text, std::size_t begin) {
    std::size_t end = begin;
    while (end < text.size() && end - begin < 255 && (is_alnum(text[end]) || text[end] == '-' || text[end] == '.'))
      ++end;
    while (end > begin && text[end - 1] == '.') --end;
    return text.substr(begin, end - begin);
  }
};

// 127.0.0.1, 0.0.0.0: every machine's own.
bool is_nobodys(std::string_view address) {
  return address.starts_with("127.") || address.starts_with("0.0.0.0");
}

class Ipv4 : public Family {
 public:
  Ipv4() : Family({"ipv4", kIpHeaders, Needs::kDotOrColon, true}) {}

 protected:
  void search(std::string_view text, double column_score, std::vector<Span>& out) const override {
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t digits = digits_at(text, at);
      const std::size_t end = digits == 0 ? at : end_of(text, at);
      if (end != at) {
        const bool context = column_score >= kAgrees || keyword_before(text, at, kIpWords);
        const double score = is_nobodys(text.substr(at, end - at))     ? 0.3
                             : context                                 ? 0.95
                             : keyword_before(text, at, kVersionWords) ? 0.2
                             : is_clause(text, at, end)                ? 0.4
                                                                       : 0.6;
        if (score >= 0.3) out.push_back({at, end, score});
        at = end;
      } else {
        at += std::max<std::size_t>(digits, 1);
      }
    }
  }

 private:
  // "// 20.11.5.3 Arithmetic", "[17.4.3.6]", "per 9.4.2.22": a clause of a standard, numbered below a hundred.
  static bool is_clause(std::string_view text, std::size_t at, std::size_t end) {
    for (std::size_t i = at; i < end; ++i) {
      const std::size_t digits = digits_at(text, i);
      if (digits > 2) return false;
      i += digits;
    }
    if (before_or_nul(text, at) == '[') return at_or_nul(text, end) == ']';
    std::size_t before = at;
    while (before > 0 && text[before - 1] == ' ') --before;
    if (before == at) return false;
    const char mark = before_or_nul(text, before);
    if (mark == '/' || mark == '*') return true;
    std::size_t word = before;
    while (word > 0 && is_alpha(text[word - 1])) --word;
    return std::any_of(std::begin(kClauseWords), std::end(kClauseWords), [&](std::string_view known) {
      return equals_ignoring_case(text.substr(word, before - word), known);
    });
  }
  // The end of four octets from `at`, with an optional /prefix or :port; `at` when there are none.
  static std::size_t end_of(std::string_view text, std::size_t at) {
    const char before = before_or_nul(text, at);
    if (is_word(before) || before == '.') return at;
    std::size_t end = at;
    for (int octet = 0; octet < 4; ++octet) {
      if (octet > 0 && at_or_nul(text, end++) != '.') return at;
      const std::size_t digits = digits_at(text, end);
      if (digits == 0 || digits > 3 || to_int(text.substr(end, digits)) > 255) return at;
      end += digits;
    }
    if (is_word(at_or_nul(text, end)) || (at_or_nul(text, end) == '.' && is_digit(at_or_nul(text, end + 1)))) return at;
    return end;
  }
};

bool is_address_byte(char c) {
  return is_hex(c) || c == ':' || c == '.';
}

class Ipv6 : public Family {
 public:
  Ipv6() : Family({"ipv6", kIpHeaders, Needs::kDotOrColon, true}) {}

 protected:
  void search(std::string_view text, double column_score, std::vector<Span>& out) const override {
    for (std::size_t colon = text.find(':'); colon != std::string_view::npos; colon = text.find(':', colon + 1)) {
      std::size_t begin = colon;
      while (begin > 0 && colon - begin < 4 && is_hex(text[begin - 1])) --begin;
      std::size_t end = colon;
      while (end < text.size() && end - begin < 46 && is_address_byte(text[end])) ++end;
      while (end > begin && text[end - 1] == '.') --end;
      if (end - begin > 2 && text[end - 1] == ':' && text[end - 2] != ':') --end;
      const int groups = groups_of(text.substr(begin, end - begin));
      const bool bounded =
          !is_word(before_or_nul(text, begin)) && before_or_nul(text, begin) != ':' && !is_word(at_or_nul(text, end));
      if (groups >= 2 && bounded) {
        if (at_or_nul(text, end) == '%') {  // zone
          ++end;
          while (is_alnum(at_or_nul(text, end))) ++end;
        }
        out.push_back({begin, end, column_score >= kAgrees ? 0.95 : groups >= 3 ? 0.9 : 0.4});
      }
      colon = std::max(colon, end - 1);
    }
  }

 private:
  // Groups when the text is a whole address (RFC 4291: eight, or fewer with one "::", or an IPv4 tail); 0 when not.
  static int groups_of(std::string_view text) {
    int groups = 0;
    bool compressed = false;
    std::size_t at = 0;
    if (text.starts_with("::")) {
      compressed = true;
      at = 2;
    }
    while (at < text.size()) {
      std::size_t end = at;
      while (end < text.size() && is_hex(text[end])) ++end;
      if (at_or_nul(text, end) == '.') {  // mapped IPv4: two groups
        groups += 2;
        return std::count(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), '.') == 3 &&
                       (compressed || groups == 8)
                   ? groups
                   : 0;
      }
      if (end == at || end - at > 4) return 0;
      ++groups;
      at = end;
      if (at == text.size()) break;
      if (text[at] != ':') return 0;
      ++at;
      if (at_or_nul(text, at) == ':') {
        if (compressed) return 0;
        compressed = true;
        ++at;
      } else if (at == text.size()) {
        return 0;
      }
    }
    return (compressed && groups < 8) || groups == 8 ? groups : 0;
  }
};

class Mac : public Family {
 public:
  Mac() : Family({"mac", kMacHeaders, Needs::kDotOrColon, true}) {}

 protected:
  void search(std::string_view text, double column_score, std::vector<Span>& out) const override {
    const std::size_t found_before = out.size();
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (!is_hex(text[at])) continue;
      const char before = before_or_nul(text, at);
      const bool may_begin = !is_word(before) && !((before == ':' || before == '-') && at > 1 && is_hex(text[at - 2]));
      const std::size_t size = !may_begin ? 0 : is_pairs(text, at) ? 17 : is_cisco(text, at) ? 14 : 0;
      if (size > 0) {
        out.push_back({at, at + size, column_score >= kAgrees ? 0.95 : 0.85});
        at += size;
      }
      while (is_word(at_or_nul(text, at))) ++at;
    }
    if (column_score >= kAgrees && out.size() == found_before) bare(text, out);
  }

 private:
  static bool ends(std::string_view text, std::size_t end, char separator) {
    const char after = at_or_nul(text, end);
    return !is_word(after) && !(after == separator && is_hex(at_or_nul(text, end + 1)));
  }
  static bool names_a_device(std::string_view text) {  // not all zeros, not broadcast
    return text.find_first_not_of("0:-.") != std::string_view::npos &&
           text.find_first_not_of("fF:-.") != std::string_view::npos;
  }
  static bool is_pairs(std::string_view text, std::size_t at) {
    const char separator = at_or_nul(text, at + 2);
    if ((separator != ':' && separator != '-') || at + 17 > text.size()) return false;
    for (std::size_t i = 0; i < 17; ++i) {
      if (i % 3 == 2 ? text[at + i] != separator : !is_hex(text[at + i])) return false;
    }
    return ends(text, at + 17, separator) && names_a_device(text.substr(at, 17));
  }
  static bool is_cisco(std::string_view text, std::size_t at) {
    if (at + 14 > text.size()) return false;
    for (std::size_t i = 0; i < 14; ++i) {
      if (i % 5 == 4 ? text[at + i] != '.' : !is_hex(text[at + i])) return false;
    }
    return ends(text, at + 14, '.') && names_a_device(text.substr(at, 14));
  }
  static void bare(std::string_view text, std::vector<Span>& out) {
    const Range whole = trimmed(text);
    const bool twelve = whole.end - whole.begin == 12;
    if (twelve && std::all_of(text.begin() + static_cast<std::ptrdiff_t>(whole.begin),
                              text.begin() + static_cast<std::ptrdiff_t>(whole.end), is_hex)) {
      out.push_back({whole.begin, whole.end, 0.8});
    }
  }
};

}  // namespace

const Detector& url() {
  static const Url kDetector;
  return kDetector;
}
const Detector& ipv4() {
  static const Ipv4 kDetector;
  return kDetector;
}
const Detector& ipv6() {
  static const Ipv6 kDetector;
  return kDetector;
}
const Detector& mac() {
  static const Mac kDetector;
  return kDetector;
}

}  // namespace mlops::detect
