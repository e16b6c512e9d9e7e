// photo_ref, biometric: data about the body itself, known by the first bytes of its file formats (raw or in
// base64), by the column's name, and in text by references to such files.
#include <algorithm>

#include "policies/detect/family.h"
#include "policies/detect/long_runs.h"
#include "policies/detect/scan.h"
#include "policies/detect/special_ids.h"

namespace mlops::detect {
namespace {

constexpr HeaderRule kPhotoHeaders[] = {
    {"photo", HeaderMatch::kAny, 0.95},         {"photos", HeaderMatch::kAny, 0.95},
    {"photograph", HeaderMatch::kAny, 0.95},    {"selfie", HeaderMatch::kAny, 0.95},
    {"headshot", HeaderMatch::kAny, 0.95},      {"portrait", HeaderMatch::kAny, 0.9},
    {"avatar", HeaderMatch::kAny, 0.9},         {"picture", HeaderMatch::kAny, 0.9},
    {"profile image", HeaderMatch::kAny, 0.95}, {"face image", HeaderMatch::kAny, 0.95},
    {"patient image", HeaderMatch::kAny, 0.95}, {"foto", HeaderMatch::kAny, 0.95},
    {"lichtbild", HeaderMatch::kAny, 0.9},      {"mugshot", HeaderMatch::kAny, 0.95},
};
constexpr HeaderRule kBiometricHeaders[] = {
    {"fingerprint", HeaderMatch::kAny, 0.9},
    {"fingerprints", HeaderMatch::kAny, 0.9},
    {"finger print", HeaderMatch::kAny, 0.9},
    {"iris", HeaderMatch::kExact, 0.7},
    {"iris template", HeaderMatch::kAny, 0.95},
    {"iris code", HeaderMatch::kAny, 0.95},
    {"retina scan", HeaderMatch::kAny, 0.95},
    {"voiceprint", HeaderMatch::kAny, 0.95},
    {"voice print", HeaderMatch::kAny, 0.95},
    {"face emb", HeaderMatch::kAny, 0.95},
    {"face embedding", HeaderMatch::kAny, 0.95},
    {"face vector", HeaderMatch::kAny, 0.95},
    {"face template", HeaderMatch::kAny, 0.95},
    {"face encoding", HeaderMatch::kAny, 0.95},
    {"faceprint", HeaderMatch::kAny, 0.95},
    {"voice emb", HeaderMatch::kAny, 0.95},
    {"voice embedding", HeaderMatch::kAny, 0.95},
    {"speaker embedding", HeaderMatch::kAny, 0.95},
    {"gait", HeaderMatch::kExact, 0.7},
    {"gait signature", HeaderMatch::kAny, 0.95},
    {"palm print", HeaderMatch::kAny, 0.95},
    {"palmprint", HeaderMatch::kAny, 0.95},
    {"biometric", HeaderMatch::kAny, 0.9},
    {"biometrics", HeaderMatch::kAny, 0.9},
    {"minutiae", HeaderMatch::kAny, 0.95},
    {"fingerabdruck", HeaderMatch::kAny, 0.95},
    {"huella dactilar", HeaderMatch::kAny, 0.95},
    {"empreinte digitale", HeaderMatch::kAny, 0.95},
    {"impronta digitale", HeaderMatch::kAny, 0.95},
    {"vingerafdruk", HeaderMatch::kAny, 0.95},
    {"device fingerprint", HeaderMatch::kAny, 0},
    {"key fingerprint", HeaderMatch::kAny, 0},
    {"sha fingerprint", HeaderMatch::kAny, 0},
};
constexpr std::string_view kPhotoWords[] = {"photo",    "photograph", "picture", "selfie", "headshot",
                                            "portrait", "foto",       "mugshot", "avatar"};
constexpr std::string_view kImageNames[] = {".jpeg", ".jpg", ".png", ".heic", ".tiff", ".bmp", ".dcm", ".webp"};

struct Magic {
  std::string_view bytes;
  std::size_t at;  // in the file
};
constexpr Magic kImages[] = {{"\xFF\xD8\xFF", 0}, {"\x89PNG\r\n\x1A\n", 0}, {"GIF87a", 0}, {"GIF89a", 0},
                             {"DICM", 128},       {{"II*\0", 4}, 0},        {"WEBPVP8", 8}};
constexpr Magic kTemplates[] = {
    {{"\xFF\xA0\xFF", 3}, 0}, {{"FMR\0", 4}, 0}, {{"FAC\0", 4}, 0}, {{"IIR\0", 4}, 0}, {{"FIR\0", 4}, 0}};
// The same in base64; the last sextet may belong to the next byte and is left out.
constexpr std::string_view kImages64[] = {"/9j/", "iVBORw0KGgo", "R0lGODdh", "R0lGODlh"};
constexpr std::string_view kTemplates64[] = {"/6D/", "Rk1SA", "RkFDA", "SUlSA", "RklSA"};

template <std::size_t N>
bool begins_with_magic(std::string_view cell, const Magic (&magics)[N]) {
  return std::any_of(std::begin(magics), std::end(magics), [&](const Magic& magic) {
    return cell.size() > magic.at && cell.substr(magic.at, magic.bytes.size()) == magic.bytes;
  });
}

// Bytes in base64 are of all kinds soon; a path ("/6D/…") is not.
bool looks_random(std::string_view run) {
  const std::string_view head = run.substr(0, 128);
  return std::any_of(head.begin(), head.end(), is_digit) && std::any_of(head.begin(), head.end(), is_upper) &&
         std::any_of(head.begin(), head.end(), is_lower);
}
bool is_base64(char c) {
  return is_alnum(c) || c == '+' || c == '/' || c == '=' || c == '-' || c == '_';
}

// Runs of base64 that begin with one of the magics and go on for a while.
template <std::size_t N>
void find_base64(std::string_view text, const std::string_view (&magics)[N], std::vector<Span>& out) {
  constexpr std::size_t kShortest = 48;
  for_each_long_run(text, kShortest, is_base64, [&](std::size_t begin, std::size_t end) {
    const std::string_view run = text.substr(begin, end - begin);
    const bool ours = std::any_of(std::begin(magics), std::end(magics),
                                  [&](std::string_view magic) { return run.starts_with(magic); });
    if (ours && looks_random(run)) out.push_back({begin, end, 0.9});
  });
}

bool takes_whole(std::string_view text, double column_score, std::vector<Span>& out) {
  if (column_score < kAgrees || is_masked_already(text)) return false;
  const Range whole = trimmed(text);
  if (whole.begin < whole.end) out.push_back({whole.begin, whole.end, 0.9});
  return true;
}

class PhotoRef : public Family {
 public:
  PhotoRef() : Family({"photo_ref", kPhotoHeaders, Needs::kNothing, true}) {}

 protected:
  void search(std::string_view text, double column_score, std::vector<Span>& out) const override {
    if (takes_whole(text, column_score, out)) return;
    if (begins_with_magic(text, kImages)) {
      out.push_back({0, text.size(), 0.95});
      return;
    }
    for (std::size_t at = text.find(':'); at != std::string_view::npos; at = text.find(':', at + 1)) {
      if (has_at(text, at + 1, "image/") && at >= 4 && has_at(text, at - 4, "data")) at = data_url(text, at - 4, out);
    }
    find_base64(text, kImages64, out);
    for (std::size_t at = text.find('.'); at != std::string_view::npos; at = text.find('.', at + 1))
      named_file(text, at, out);
  }

 private:
  // Its last byte.
  static std::size_t data_url(std::string_view text, std::size_t at, std::vector<Span>& out) {
    std::size_t end = at;
    const auto ends = [](char c) {
      return static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '\'' || c == ')' || c == '<';
    };
    while (end < text.size() && !ends(text[end])) ++end;
    out.push_back({at, end, 0.95});
    return end - 1;
  }
  // jane_doe.jpg where a photograph is spoken of.
  static void named_file(std::string_view text, std::size_t dot, std::vector<Span>& out) {
    constexpr std::size_t kLongestName = 200;
    const auto extension = std::find_if(std::begin(kImageNames), std::end(kImageNames),
                                        [&](std::string_view name) { return has_at(text, dot, name); });
    if (extension == std::end(kImageNames)) return;
    const std::size_t end = dot + extension->size();
    const auto belongs = [](char c) { return is_word(c) || c == '-' || c == '.' || c == '/' || c == ':' || c == '%'; };
    std::size_t begin = dot;
    while (begin > 0 && dot - begin < kLongestName && belongs(text[begin - 1])) --begin;
    if (begin == dot || is_word(at_or_nul(text, end)) || !keyword_near(text, begin, end, kPhotoWords)) return;
    out.push_back({begin, end, 0.6});
  }
};

class Biometric : public Family {
 public:
  Biometric() : Family({"biometric", kBiometricHeaders, Needs::kNothing, true}) {}

 protected:
  void search(std::string_view text, double column_score, std::vector<Span>& out) const override {
    if (takes_whole(text, column_score, out)) return;
    if (begins_with_magic(text, kTemplates))
      out.push_back({0, text.size(), 0.95});
    else
      find_base64(text, kTemplates64, out);
  }
};

}  // namespace

const Detector& photo_ref() {
  static const PhotoRef kDetector;
  return kDetector;
}
const Detector& biometric() {
  static const Biometric kDetector;
  return kDetector;
}
}  // namespace mlops::detect
