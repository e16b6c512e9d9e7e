// The fields of forms: "label: value", several to a line. A label is the longest row of kLabels right before a colon;
// the value ends at the end of the line, at the next label, or where its shape does.
#include <algorithm>
#include <array>
#include <string>

#include "policies/detect/clues.h"
#include "policies/detect/family.h"
#include "policies/detect/name_words.h"
#include "policies/detect/scan.h"

namespace mlops::detect {
namespace {

enum class Shape : std::uint8_t {
  kEnd,       // only ends the value before it
  kFullName,  // the whole value is a name, however it is written
  kName,      // a name begins the value, perhaps behind a title
  kWeakName,  // … when the dictionary knows it
  kLine,      // the whole value
  kPlace,     // … when it begins with a capital
  kNumber,    // digits with some letters and separators
  kAge,
  kDate,
  kWord,
};

struct Label {
  std::string_view words;  // small, without accents, letters and digits only, separated by one blank
  Field field;
  Shape shape;
  double score;
};

constexpr double kSure = 0.85, kLikely = 0.6, kWeak = 0.4;

// Sorted by words. Languages: Spanish, English, German, French, Italian, Portuguese.
constexpr Label kLabels[] = {
    {"address", Field::kStreet, Shape::kLine, kWeak},
    {"adresse", Field::kStreet, Shape::kLine, kLikely},
    {"age", Field::kAge, Shape::kAge, kWeak},
    {"alter", Field::kAge, Shape::kAge, kWeak},
    {"anschrift", Field::kStreet, Shape::kLine, kLikely},
    {"antecedentes", Field::kName, Shape::kEnd, 0},
    {"apellido", Field::kName, Shape::kFullName, kSure},
    {"apellidos", Field::kName, Shape::kFullName, kSure},
    {"apellidos y nombre", Field::kName, Shape::kFullName, kSure},
    {"arzt", Field::kName, Shape::kName, kLikely},
    {"attending", Field::kName, Shape::kWeakName, kLikely},
    {"attending physician", Field::kName, Shape::kName, kLikely},
    {"beruf", Field::kProfession, Shape::kLine, kWeak},
    {"birthplace", Field::kCity, Shape::kPlace, kLikely},
    {"c p", Field::kPostcode, Shape::kNumber, kSure},
    {"case number", Field::kAccount, Shape::kNumber, kLikely},
    {"cip", Field::kPlan, Shape::kNumber, kSure},
    {"cipa", Field::kMrn, Shape::kNumber, kSure},
    {"citta", Field::kCity, Shape::kPlace, kWeak},
    {"city", Field::kCity, Shape::kPlace, kWeak},
    {"ciudad", Field::kCity, Shape::kPlace, kSure},
    {"code postal", Field::kPostcode, Shape::kNumber, kSure},
    {"codice fiscale", Field::kPlan, Shape::kNumber, kLikely},
    {"codigo postal", Field::kPostcode, Shape::kNumber, kSure},
    {"cognome", Field::kName, Shape::kFullName, kSure},
    {"colegiado", Field::kLicence, Shape::kNumber, kLikely},
    {"correo electronico", Field::kName, Shape::kEnd, 0},
    {"country", Field::kCountry, Shape::kPlace, kWeak},
    {"country of birth", Field::kCountry, Shape::kPlace, kWeak},
    {"cp", Field::kPostcode, Shape::kNumber, kLikely},
    {"data di nascita", Field::kDate, Shape::kDate, kSure},
    {"date de naissance", Field::kDate, Shape::kDate, kSure},
    {"date of birth", Field::kDate, Shape::kDate, kSure},
    {"datos asistenciales", Field::kName, Shape::kEnd, 0},
    {"direccion", Field::kStreet, Shape::kLine, kLikely},
    {"direccion para correspondencia", Field::kName, Shape::kName, kLikely},
    {"dob", Field::kDate, Shape::kDate, kSure},
    {"domicile", Field::kStreet, Shape::kLine, kLikely},
    {"domicilio", Field::kStreet, Shape::kLine, kSure},
    {"e mail", Field::kName, Shape::kEnd, 0},
    {"e mail autor", Field::kName, Shape::kEnd, 0},
    {"edad", Field::kAge, Shape::kAge, kWeak},
    {"email", Field::kName, Shape::kEnd, 0},
    {"email address", Field::kName, Shape::kEnd, 0},
    {"emergency contact", Field::kName, Shape::kName, kLikely},
    {"employer", Field::kOrganization, Shape::kPlace, kWeak},
    {"encounter number", Field::kAccount, Shape::kNumber, kLikely},
    {"episodio", Field::kAccount, Shape::kNumber, kSure},
    {"especialidad", Field::kName, Shape::kEnd, 0},
    {"eta", Field::kAge, Shape::kAge, kWeak},
    {"facultativo", Field::kName, Shape::kName, kSure},
    {"fallnummer", Field::kAccount, Shape::kNumber, kSure},
    {"familienname", Field::kName, Shape::kFullName, kSure},
    {"family name", Field::kName, Shape::kFullName, kSure},
    {"fax", Field::kPhone, Shape::kNumber, kLikely},
    {"fecha de alta", Field::kDate, Shape::kDate, kSure},
    {"fecha de ingreso", Field::kDate, Shape::kDate, kSure},
    {"fecha de nacimiento", Field::kDate, Shape::kDate, kSure},
    {"firmado", Field::kName, Shape::kName, kLikely},
    {"first name", Field::kName, Shape::kFullName, kSure},
    {"forename", Field::kName, Shape::kFullName, kSure},
    {"full name", Field::kName, Shape::kFullName, kLikely},
    {"geburtsdatum", Field::kDate, Shape::kDate, kSure},
    {"geburtsort", Field::kCity, Shape::kPlace, kSure},
    {"gender", Field::kSex, Shape::kWord, kWeak},
    {"geschlecht", Field::kSex, Shape::kWord, kWeak},
    {"given name", Field::kName, Shape::kFullName, kSure},
    {"hausarzt", Field::kName, Shape::kName, kSure},
    {"historia actual", Field::kName, Shape::kEnd, 0},
    {"historia clinica", Field::kMrn, Shape::kNumber, kLikely},
    {"home address", Field::kStreet, Shape::kLine, kSure},
    {"indirizzo", Field::kStreet, Shape::kLine, kLikely},
    {"informe clinico", Field::kName, Shape::kEnd, 0},
    {"informe clinico del paciente", Field::kName, Shape::kEnd, 0},
    {"insurance id", Field::kPlan, Shape::kNumber, kSure},
    {"ip address", Field::kName, Shape::kEnd, 0},
    {"ipp", Field::kMrn, Shape::kNumber, kLikely},
    {"krankenversichertennummer", Field::kPlan, Shape::kNumber, kSure},
    {"last name", Field::kName, Shape::kFullName, kSure},
    {"license number", Field::kLicence, Shape::kNumber, kLikely},
    {"localidad", Field::kCity, Shape::kPlace, kSure},
    {"localidad provincia", Field::kCity, Shape::kPlace, kSure},
    {"lugar de nacimiento", Field::kCity, Shape::kPlace, kSure},
    {"mac address", Field::kName, Shape::kEnd, 0},
    {"maiden name", Field::kName, Shape::kFullName, kSure},
    {"medecin", Field::kName, Shape::kName, kSure},
    {"medecin traitant", Field::kName, Shape::kName, kSure},
    {"medical record number", Field::kMrn, Shape::kNumber, kSure},
    {"medico", Field::kName, Shape::kName, kSure},
    {"medico responsable", Field::kName, Shape::kName, kSure},
    {"morada", Field::kStreet, Shape::kLine, kLikely},
    {"motivo de consulta", Field::kName, Shape::kEnd, 0},
    {"motivo de ingreso", Field::kName, Shape::kEnd, 0},
    {"movil", Field::kPhone, Shape::kNumber, kSure},
    {"mrn", Field::kMrn, Shape::kNumber, kSure},
    {"municipio", Field::kCity, Shape::kPlace, kSure},
    {"n col", Field::kLicence, Shape::kNumber, kSure},
    {"n colegiado", Field::kLicence, Shape::kNumber, kSure},
    {"n historia", Field::kMrn, Shape::kNumber, kSure},
    {"nachname", Field::kName, Shape::kFullName, kSure},
    {"nacionalidad", Field::kCountry, Shape::kPlace, kWeak},
    {"name", Field::kName, Shape::kWeakName, kLikely},
    {"nass", Field::kPlan, Shape::kNumber, kSure},
    {"ncol", Field::kLicence, Shape::kNumber, kSure},
    {"ncolegiado", Field::kLicence, Shape::kNumber, kSure},
    {"next of kin", Field::kName, Shape::kName, kLikely},
    {"nhc", Field::kMrn, Shape::kNumber, kSure},
    {"nhs", Field::kMrn, Shape::kNumber, kLikely},
    {"no col", Field::kLicence, Shape::kNumber, kSure},
    {"no colegiado", Field::kLicence, Shape::kNumber, kSure},
    {"no de historia", Field::kMrn, Shape::kNumber, kSure},
    {"no episodio", Field::kAccount, Shape::kNumber, kSure},
    {"no historia", Field::kMrn, Shape::kNumber, kSure},
    {"no ss", Field::kPlan, Shape::kNumber, kSure},
    {"nocol", Field::kLicence, Shape::kNumber, kSure},
    {"nocolegiado", Field::kLicence, Shape::kNumber, kSure},
    {"nom", Field::kName, Shape::kWeakName, kLikely},
    {"nom de famille", Field::kName, Shape::kFullName, kSure},
    {"nombre", Field::kName, Shape::kFullName, kSure},
    {"nombre y apellidos", Field::kName, Shape::kFullName, kSure},
    {"nome", Field::kName, Shape::kWeakName, kLikely},
    {"nss", Field::kPlan, Shape::kNumber, kSure},
    {"num col", Field::kLicence, Shape::kNumber, kSure},
    {"numero de colegiado", Field::kLicence, Shape::kNumber, kSure},
    {"numero de episodio", Field::kAccount, Shape::kNumber, kSure},
    {"numero de historia", Field::kMrn, Shape::kNumber, kSure},
    {"numero de historia clinica", Field::kMrn, Shape::kNumber, kSure},
    {"numero de securite sociale", Field::kPlan, Shape::kNumber, kSure},
    {"numero de seguridad social", Field::kPlan, Shape::kNumber, kSure},
    {"occupation", Field::kProfession, Shape::kLine, kWeak},
    {"ort", Field::kCity, Shape::kPlace, kWeak},
    {"pais", Field::kCountry, Shape::kPlace, kWeak},
    {"pais de nacimiento", Field::kCountry, Shape::kPlace, kWeak},
    {"patient id", Field::kMrn, Shape::kNumber, kLikely},
    {"patient name", Field::kName, Shape::kFullName, kSure},
    {"patientennummer", Field::kMrn, Shape::kNumber, kSure},
    {"physician", Field::kName, Shape::kWeakName, kLikely},
    {"place of birth", Field::kCity, Shape::kPlace, kSure},
    {"plz", Field::kPostcode, Shape::kNumber, kSure},
    {"poblacion", Field::kCity, Shape::kPlace, kWeak},
    {"postleitzahl", Field::kPostcode, Shape::kNumber, kSure},
    {"prenom", Field::kName, Shape::kFullName, kSure},
    {"prenoms", Field::kName, Shape::kFullName, kSure},
    {"procedencia", Field::kCity, Shape::kPlace, kWeak},
    {"profesion", Field::kProfession, Shape::kLine, kWeak},
    {"profession", Field::kProfession, Shape::kLine, kWeak},
    {"provider", Field::kName, Shape::kWeakName, kLikely},
    {"provincia", Field::kCity, Shape::kPlace, kSure},
    {"referring physician", Field::kName, Shape::kName, kLikely},
    {"remitente", Field::kName, Shape::kName, kLikely},
    {"remitido por", Field::kName, Shape::kName, kSure},
    {"residence", Field::kStreet, Shape::kPlace, kWeak},
    {"responsable", Field::kName, Shape::kName, kLikely},
    {"responsable clinico", Field::kName, Shape::kName, kSure},
    {"servicio", Field::kName, Shape::kEnd, 0},
    {"sesso", Field::kSex, Shape::kWord, kWeak},
    {"sex", Field::kSex, Shape::kWord, kWeak},
    {"sexe", Field::kSex, Shape::kWord, kWeak},
    {"sexo", Field::kSex, Shape::kWord, kWeak},
    {"sozialversicherungsnummer", Field::kPlan, Shape::kNumber, kSure},
    {"ssn", Field::kPlan, Shape::kEnd, 0},
    {"stra e", Field::kStreet, Shape::kLine, kLikely},
    {"strasse", Field::kStreet, Shape::kLine, kLikely},
    {"surname", Field::kName, Shape::kFullName, kSure},
    {"telefono", Field::kPhone, Shape::kNumber, kSure},
    {"town", Field::kCity, Shape::kPlace, kWeak},
    {"tratamiento", Field::kName, Shape::kEnd, 0},
    {"versichertennummer", Field::kPlan, Shape::kNumber, kSure},
    {"ville", Field::kCity, Shape::kPlace, kWeak},
    {"vorname", Field::kName, Shape::kFullName, kSure},
    {"web address", Field::kName, Shape::kEnd, 0},
    {"wohnort", Field::kCity, Shape::kPlace, kSure},
    {"zip code", Field::kPostcode, Shape::kNumber, kLikely},
};
static_assert(std::is_sorted(std::begin(kLabels), std::end(kLabels),
                             [](const Label& a, const Label& b) { return a.words < b.words; }));
constexpr std::size_t kMostLabelBytes = 44;
constexpr std::size_t kMostValueBytes = 120;

const Label* label_of(std::string_view words) {
  const auto* row = std::lower_bound(std::begin(kLabels), std::end(kLabels), words,
                                     [](const Label& one, std::string_view value) { return one.words < value; });
  return row != std::end(kLabels) && row->words == words ? row : nullptr;
}

struct Place {
  std::size_t begin;  // of the label
  std::size_t value;  // behind the colon
  const Label* label;
};

// The longest label that ends right before the colon.
const Label* label_before(std::string_view text, std::size_t colon, std::size_t& begin) {
  std::array<char, kMostLabelBytes> words{};  // filled from its end
  std::size_t from = words.size();
  const Label* best = nullptr;
  bool blank = false;
  const std::size_t least = colon > kMostLabelBytes ? colon - kMostLabelBytes : 0;
  for (std::size_t at = colon; at > least && from > 1; --at) {
    const char c = text[at - 1];
    if (c == '\n' || c == ':') break;
    if (!is_alnum(c)) {
      blank = from < words.size();
      continue;
    }
    if (blank) words[--from] = ' ';
    blank = false;
    words[--from] = to_lower(c);
    if (is_alnum(before_or_nul(text, at - 1))) continue;
    if (const Label* label = label_of({words.data() + from, words.size() - from})) {
      best = label;
      begin = at - 1;
    }
  }
  return best;
}

std::vector<Place> places_of(std::string_view text) {
  std::vector<Place> places;
  for (std::size_t colon = text.find(':'); colon != std::string_view::npos; colon = text.find(':', colon + 1)) {
    Place place{0, colon + 1, nullptr};
    place.label = label_before(text, colon, place.begin);
    if (place.label) places.push_back(place);
  }
  return places;
}

class Values {
 public:
  Values(const Reading& reading, Clues& out) : reading_(reading), text_(reading.text()), out_(out) {}

  void add(const Place& place, std::size_t next_label) {
    const std::size_t line = std::min(text_.find('\n', place.value), text_.size());
    Range value{place.value, std::min({line, next_label, place.value + kMostValueBytes})};
    while (value.begin < value.end && is_blank(text_[value.begin])) ++value.begin;
    while (value.end > value.begin && (is_blank(text_[value.end - 1]) || is_end_mark(text_[value.end - 1])))
      --value.end;
    if (value.begin == value.end || text_[value.begin] == '[' || is_masked_already(part(value))) return;
    take(*place.label, value);
  }

 private:
  static bool is_end_mark(char c) { return c == '.' || c == ',' || c == ';' || c == '|'; }
  std::string_view part(const Range& value) const { return text_.substr(value.begin, value.end - value.begin); }
  void put(const Label& label, const Range& value) {
    out_.push_back({label.field, {value.begin, value.end, label.score}});
  }

  void take(const Label& label, const Range& value) {
    const std::string_view text = part(value);
    switch (label.shape) {
      case Shape::kEnd:
        return;
      case Shape::kFullName:
        return is_plain_name(text) ? put(label, value) : take_name(label, value);
      case Shape::kName:
      case Shape::kWeakName:
        return take_name(label, value);
      case Shape::kLine:
        if (label.score >= kSure || is_written_out(text)) put(label, value);
        return;
      case Shape::kPlace:
        if ((is_upper(text[0]) || is_high(text[0])) && text.size() <= 60) put(label, value);
        return;
      case Shape::kNumber:
        return take_number(label, value);
      case Shape::kAge:
        if (is_digit(text[0]) && text.size() <= 24) put(label, value);
        return;
      case Shape::kDate:
        return take_date(label, value);
      case Shape::kWord: {
        std::size_t end = value.begin;
        while (end < value.end && is_word(text_[end])) ++end;
        if (end > value.begin && end - value.begin <= 12) put(label, {value.begin, end});
      }
    }
  }

  // Not "0x7ffe0000", "example.org:80".
  static bool is_written_out(std::string_view text) {
    return (is_upper(text[0]) || is_digit(text[0]) || is_high(text[0])) && text.find_first_of("@=<>{}") == text.npos &&
           (text.find(' ') != text.npos || is_alpha(text[0])) && text.find("://") == text.npos;
  }
  // Up to six words and nothing else, whatever their case.
  static bool is_plain_name(std::string_view text) {
    if (text.size() > 60) return false;
    for (const char c : text) {
      if (!is_alpha(c) && !is_high(c) && c != ' ' && c != '-' && c != '\'' && c != '.' && c != ',') return false;
    }
    return std::count(text.begin(), text.end(), ' ') <= 6;
  }

  void take_name(const Label& label, const Range& value) {
    const auto& tokens = reading_.tokens();
    std::size_t first = token_at(reading_, value.begin);
    while (first < tokens.size() && tokens[first].begin < value.end && is_courtesy(tokens[first])) ++first;
    const std::size_t end = name_run_end(reading_, first, 7);
    if (end == first || tokens[first].begin > value.begin + 12 || tokens[end - 1].end > value.end + 1) return;
    unsigned known = 0;
    for (std::size_t i = first; i < end; ++i) known += tokens[i].has(kFirstName | kSurname) ? 1 : 0;
    if (label.shape == Shape::kWeakName && known == 0) return;
    const double score = label.shape == Shape::kWeakName && known < 2 ? kWeak : label.score;
    out_.push_back({label.field, {tokens[first].begin, tokens[end - 1].end, score}});
  }
  // "Dr.", "D.", "Dña."
  bool is_courtesy(const Token& token) const {
    if (token.has(kTitle)) return true;
    const LowerWord word(reading_.word(token));
    return at_or_nul(text_, token.end) == '.' && (word.text() == "d" || word.text() == "da" || word.text() == "dna");
  }

  // Also what is no date by the calendar ("26708/2017"); a year alone is a year.
  void take_date(const Label& label, const Range& value) {
    std::size_t end = value.begin;
    while (end < value.end && (is_digit(text_[end]) || text_[end] == '/' || text_[end] == '-' || text_[end] == '.' ||
                               (text_[end] == ' ' && at_or_nul(text_, end + 1) == '/')))
      ++end;
    const std::size_t size = end - value.begin;
    if (size >= 5 && size <= 12) put(label, {value.begin, end});
    if (size == 4) out_.push_back({Field::kYear, {value.begin, end, kWeak}});
  }

  // "36 47656743 36", "nhc-789412", "87293652/875"
  void take_number(const Label& label, const Range& value) {
    std::size_t digits = 0, letters = 0, end = value.begin, last = value.begin;
    while (end < value.end && last - value.begin < 40) {
      const char c = text_[end];
      if (is_digit(c)) {
        ++digits;
        letters = 0;
        last = end + 1;
      } else if (is_alpha(c)) {
        if (++letters > 4 || (letters > 1 && digits > 0)) break;
        if (!is_alnum(at_or_nul(text_, end + 1))) last = digits > 0 ? end + 1 : last;
      } else if (c != ' ' && c != '-' && c != '/' && c != '.' && c != '(' && c != ')' && c != '+') {
        break;
      } else if (c == ' ' && !is_digit(at_or_nul(text_, end + 1))) {
        break;
      }
      ++end;
    }
    if (digits >= (label.field == Field::kPostcode ? 4 : 3)) put(label, {value.begin, last});
  }

  const Reading& reading_;
  std::string_view text_;
  Clues& out_;
};

}  // namespace

void find_labelled_fields(const Reading& reading, Clues& out) {
  const std::vector<Place> places = places_of(reading.text());
  Values values(reading, out);
  for (std::size_t i = 0; i < places.size(); ++i) {
    values.add(places[i], i + 1 < places.size() ? places[i + 1].begin : reading.text().size());
  }
}

}  // namespace mlops::detect
