// What Spanish (and English) clinical prose says about a person: age, sex, relatives, work; dates with a month's word
// and no comma; names behind titles are labelled_field.cc's and person_name's.
//
// A word is looked at when it is one of kCues; everything else follows from its neighbours.
#include <algorithm>
#include <array>

#include "policies/detect/clues.h"
#include "policies/detect/name_words.h"
#include "policies/detect/scan.h"

namespace mlops::detect {
namespace {

enum class Cue : std::uint8_t {
  kNone,
  kYears,
  kMonths,
  kYearsOld,
  kSex,
  kPerson,
  kKin,
  kKinEnd,
  kWork,
  kMonth,
  kNumber
};

struct CueRow {
  std::string_view word;
  Cue cue;
};

// Sorted. kYears and kMonths are units of an age; kPerson and kSex words let one follow.
constexpr CueRow kCues[] = {
    {"abogada", Cue::kWork},
    {"abogado", Cue::kWork},
    {"abril", Cue::kMonth},
    {"abuela", Cue::kKin},
    {"abuelas", Cue::kKin},
    {"abuelo", Cue::kKin},
    {"abuelos", Cue::kKin},
    {"administrativa", Cue::kWork},
    {"administrativo", Cue::kWork},
    {"adolescente", Cue::kPerson},
    {"agosto", Cue::kMonth},
    {"agricultor", Cue::kWork},
    {"agricultora", Cue::kWork},
    {"albanil", Cue::kWork},
    {"anciana", Cue::kPerson},
    {"anciano", Cue::kPerson},
    {"ano", Cue::kYears},
    {"anos", Cue::kYears},
    {"aunt", Cue::kKin},
    {"auxiliar", Cue::kWork},
    {"azafata", Cue::kWork},
    {"bisabuela", Cue::kKin},
    {"bisabuelo", Cue::kKin},
    {"bombero", Cue::kWork},
    {"bomberos", Cue::kWork},
    {"boy", Cue::kSex},
    {"brother", Cue::kKin},
    {"brothers", Cue::kKin},
    {"camarera", Cue::kWork},
    {"camarero", Cue::kWork},
    {"camionero", Cue::kWork},
    {"carnicero", Cue::kWork},
    {"carpintero", Cue::kWork},
    {"catorce", Cue::kNumber},
    {"chica", Cue::kSex},
    {"chico", Cue::kSex},
    {"cinco", Cue::kNumber},
    {"cincuenta", Cue::kNumber},
    {"cocinera", Cue::kWork},
    {"cocinero", Cue::kWork},
    {"cuarenta", Cue::kNumber},
    {"cuatro", Cue::kNumber},
    {"cunada", Cue::kKin},
    {"cunado", Cue::kKin},
    {"daughter", Cue::kKin},
    {"dependienta", Cue::kWork},
    {"deportista", Cue::kWork},
    {"dia", Cue::kMonths},
    {"dias", Cue::kMonths},
    {"diciembre", Cue::kMonth},
    {"diecinueve", Cue::kNumber},
    {"dieciocho", Cue::kNumber},
    {"dieciseis", Cue::kNumber},
    {"diecisiete", Cue::kNumber},
    {"diez", Cue::kNumber},
    {"doce", Cue::kNumber},
    {"dos", Cue::kNumber},
    {"electricista", Cue::kWork},
    {"empleado", Cue::kWork},
    {"enero", Cue::kMonth},
    {"esposa", Cue::kKin},
    {"esposo", Cue::kKin},
    {"estudiante", Cue::kWork},
    {"familia", Cue::kKin},
    {"father", Cue::kKin},
    {"febrero", Cue::kMonth},
    {"female", Cue::kSex},
    {"femenina", Cue::kSex},
    {"femenino", Cue::kSex},
    {"fontanero", Cue::kWork},
    {"ganadero", Cue::kWork},
    {"girl", Cue::kSex},
    {"grandfather", Cue::kKin},
    {"grandmother", Cue::kKin},
    {"hermana", Cue::kKin},
    {"hermanas", Cue::kKin},
    {"hermano", Cue::kKin},
    {"hermanos", Cue::kKin},
    {"hija", Cue::kKin},
    {"hijas", Cue::kKin},
    {"hijo", Cue::kKin},
    {"hijos", Cue::kKin},
    {"hombre", Cue::kSex},
    {"husband", Cue::kKin},
    {"jornalero", Cue::kWork},
    {"joven", Cue::kPerson},
    {"jubilada", Cue::kWork},
    {"jubilado", Cue::kWork},
    {"julio", Cue::kMonth},
    {"junio", Cue::kMonth},
    {"lactante", Cue::kPerson},
    {"madre", Cue::kKin},
    {"maestra", Cue::kWork},
    {"maestro", Cue::kWork},
    {"male", Cue::kSex},
    {"man", Cue::kSex},
    {"marido", Cue::kKin},
    {"marinero", Cue::kWork},
    {"marzo", Cue::kMonth},
    {"masculina", Cue::kSex},
    {"masculino", Cue::kSex},
    {"materna", Cue::kKinEnd},
    {"materno", Cue::kKinEnd},
    {"maternos", Cue::kKinEnd},
    {"mayo", Cue::kMonth},
    {"mayor", Cue::kKinEnd},
    {"mediano", Cue::kKinEnd},
    {"menor", Cue::kKinEnd},
    {"mes", Cue::kMonths},
    {"meses", Cue::kMonths},
    {"militar", Cue::kWork},
    {"minero", Cue::kWork},
    {"monitora", Cue::kWork},
    {"month-old", Cue::kYearsOld},
    {"months-old", Cue::kYearsOld},
    {"mother", Cue::kKin},
    {"mujer", Cue::kSex},
    {"neonato", Cue::kPerson},
    {"nieta", Cue::kKin},
    {"nieto", Cue::kKin},
    {"nietos", Cue::kKin},
    {"nina", Cue::kSex},
    {"nino", Cue::kSex},
    {"noventa", Cue::kNumber},
    {"noviembre", Cue::kMonth},
    {"nueve", Cue::kNumber},
    {"ochenta", Cue::kNumber},
    {"ocho", Cue::kNumber},
    {"octubre", Cue::kMonth},
    {"once", Cue::kNumber},
    {"paciente", Cue::kPerson},
    {"padre", Cue::kKin},
    {"padres", Cue::kKin},
    {"panadero", Cue::kWork},
    {"pareja", Cue::kKin},
    {"paterna", Cue::kKinEnd},
    {"paterno", Cue::kKinEnd},
    {"paternos", Cue::kKinEnd},
    {"peluquera", Cue::kWork},
    {"pescador", Cue::kWork},
    {"pintor", Cue::kWork},
    {"policia", Cue::kWork},
    {"prima", Cue::kKin},
    {"primo", Cue::kKin},
    {"primos", Cue::kKin},
    {"profesor", Cue::kWork},
    {"profesora", Cue::kWork},
    {"progenitores", Cue::kKin},
    {"quince", Cue::kNumber},
    {"secretaria", Cue::kWork},
    {"seis", Cue::kNumber},
    {"semana", Cue::kMonths},
    {"semanas", Cue::kMonths},
    {"senor", Cue::kPerson},
    {"senora", Cue::kPerson},
    {"septiembre", Cue::kMonth},
    {"sesenta", Cue::kNumber},
    {"setenta", Cue::kNumber},
    {"setiembre", Cue::kMonth},
    {"siete", Cue::kNumber},
    {"sister", Cue::kKin},
    {"sisters", Cue::kKin},
    {"sobrina", Cue::kKin},
    {"sobrino", Cue::kKin},
    {"soldador", Cue::kWork},
    {"soldadora", Cue::kWork},
    {"suegra", Cue::kKin},
    {"suegro", Cue::kKin},
    {"taxista", Cue::kWork},
    {"tia", Cue::kKin},
    {"tio", Cue::kKin},
    {"tios", Cue::kKin},
    {"trece", Cue::kNumber},
    {"treinta", Cue::kNumber},
    {"tres", Cue::kNumber},
    {"un", Cue::kNumber},
    {"una", Cue::kNumber},
    {"uncle", Cue::kKin},
    {"varon", Cue::kSex},
    {"veinte", Cue::kNumber},
    {"veinticinco", Cue::kNumber},
    {"veinticuatro", Cue::kNumber},
    {"veintidos", Cue::kNumber},
    {"veintinueve", Cue::kNumber},
    {"veintiocho", Cue::kNumber},
    {"veintiseis", Cue::kNumber},
    {"veintisiete", Cue::kNumber},
    {"veintitres", Cue::kNumber},
    {"veintiuno", Cue::kNumber},
    {"wife", Cue::kKin},
    {"woman", Cue::kSex},
    {"year-old", Cue::kYearsOld},
    {"years-old", Cue::kYearsOld},
};
constexpr bool is_before(const CueRow& a, const CueRow& b) {
  return a.word < b.word;
}
static_assert(std::is_sorted(std::begin(kCues), std::end(kCues), is_before));

constexpr WordGate kGate = [] {
  WordGate gate;
  for (const CueRow& row : kCues) gate.add(row.word);
  return gate;
}();

Cue cue_of(std::string_view word) {
  if (!kGate.may_be(word)) return Cue::kNone;
  const LowerWord lower(word);
  const auto* row = std::lower_bound(std::begin(kCues), std::end(kCues), CueRow{lower.text(), Cue::kNone}, is_before);
  return row != std::end(kCues) && row->word == lower.text() ? row->cue : Cue::kNone;
}

constexpr std::string_view kCourseWords[] = {"evolucion",  "duracion",   "seguimiento", "tratamiento", "historia",
                                             "residencia", "antiguedad", "exposicion",  "vida"};
constexpr std::string_view kAgeVerbs[] = {"edad", "tiene", "tenia", "age", "aged"};
constexpr std::string_view kNoAgeBefore[] = {"cabo", "gestacion", "embarazada", "embarazo", "gestante", "despues"};
constexpr std::string_view kUntil[] = {"a", "hasta", "desde", "de"};
constexpr std::string_view kAgeGroups[] = {"lactante", "adolescente", "neonato"};
constexpr std::string_view kYearLeads[] = {"en", "desde", "hasta", "ano", "finales", "principios", "mediados"};
constexpr std::string_view kNoMother[] = {"dura", "pia", "celulas", "celula"};
constexpr std::string_view kWorkLeads[] = {"como", "profesion", "trabaja", "trabajaba", "es", "era"};
constexpr std::string_view kMonthLeads[] = {"en", "desde", "hasta", "mes", "de", "durante"};
constexpr std::string_view kYearFillers[] = {"de", "del", "ano", "el"};

class Finder {
 public:
  Finder(const Reading& reading, Clues& out) : reading_(reading), tokens_(reading.tokens()), out_(out) {
    cues_.reserve(tokens_.size());
    for (const Token& token : tokens_) cues_.push_back(token.is_word() ? cue_of(reading.word(token)) : Cue::kNone);
  }

  void run() {
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      switch (cues_[i]) {
        case Cue::kYears:
        case Cue::kMonths:
        case Cue::kYearsOld:
          age(i);
          break;
        case Cue::kSex:
          put(Field::kSex, i, i + 1, 0.4);
          break;
        case Cue::kKin:
          kin(i);
          break;
        case Cue::kPerson:
          if (is(i, kAgeGroups)) put(Field::kAge, i, i + 1, 0.35);
          break;
        case Cue::kWork:
          work(i);
          break;
        case Cue::kMonth:
          month(i);
          break;
        default:
          if (tokens_[i].is_number() && tokens_[i].letters == 4) year(i);
      }
    }
  }

 private:
  void put(Field field, std::size_t first, std::size_t end, double score) {
    out_.push_back({field, {tokens_[first].begin, tokens_[end - 1].end, score}});
  }
  bool is(std::size_t i, std::span<const std::string_view> words) const {
    if (i >= tokens_.size() || !tokens_[i].is_word()) return false;
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view word) { return equals_ignoring_case(reading_.word(tokens_[i]), word); });
  }
  bool is(std::size_t i, std::string_view word) const { return is(i, {&word, 1}); }
  int number(std::size_t i) const {
    return tokens_[i].is_number() && tokens_[i].letters <= 4 ? to_int(reading_.word(tokens_[i])) : -1;
  }
  bool ends_sentence(std::size_t i) const { return reading_.gap(i).find_first_of(".;\n") != std::string_view::npos; }

  // A word for a person up to `most` tokens before token `i`, in its sentence.
  bool person_before(std::size_t i, std::size_t most) const {
    for (std::size_t k = i; k > 0 && i - k < most; --k) {
      if (ends_sentence(k - 1)) return false;
      if (cues_[k - 1] == Cue::kSex || cues_[k - 1] == Cue::kPerson || cues_[k - 1] == Cue::kKin) return true;
    }
    return false;
  }

  // `unit` is "años", "meses" … or "year-old".
  void age(std::size_t unit) {
    if (unit == 0) return;
    const auto gap = reading_.gap(unit - 1);
    if (gap != " " && gap != "-" && gap != "  ") return;
    std::size_t first = unit - 1;
    if (tokens_[first].is_number()) {
      if (number(first) < 0 || number(first) > 130) return;
    } else if (cues_[first] == Cue::kNumber) {
      while (first >= 2 && is(first - 1, "y") && cues_[first - 2] == Cue::kNumber) first -= 2;  // treinta y dos
    } else {
      return;
    }
    if (cues_[unit] == Cue::kYearsOld) return put(Field::kAge, first, unit + 1, 0.45);
    std::size_t last = unit;  // of "3 años y 8 meses"
    if (is(unit + 1, "y") && unit + 3 < tokens_.size() && cues_[unit + 3] == Cue::kMonths) last = unit + 3;
    if (const double score = rate_age(first, last); score > 0) put(Field::kAge, first, last + 1, score);
  }
  double rate_age(std::size_t first, std::size_t unit) const {
    if (is(unit + 1, "de") && is(unit + 2, "edad")) return 0.45;
    if (is(unit + 1, "de") && is(unit + 2, kCourseWords)) return 0;
    if (first == 0 || is(unit + 1, "despues")) return 0;
    if (is(first - 1, "de") && first > 1 && is(first - 2, kNoAgeBefore)) return 0;
    const bool comma = reading_.gap(first - 1).find(',') != std::string_view::npos;
    if (is(first - 1, kAgeVerbs) || (is(first - 1, "de") && first > 1 && is(first - 2, "edad"))) return 0.45;
    const Cue before = cues_[first - 1];
    if (before == Cue::kSex || before == Cue::kPerson) return 0.45;
    if ((comma || is(first - 1, "de") || is(first - 1, "con")) && person_before(first, 7)) return 0.45;
    if (cues_[unit] == Cue::kYears && is(first - 1, "los") && first > 1 && is(first - 2, kUntil) &&
        !is(unit + 1, "de") && !is(unit + 1, "del"))
      return 0.35;
    return 0;
  }

  void kin(std::size_t i) {
    if (i > 0 && is(i - 1, kNoMother)) return;
    std::size_t first = i, end = i + 1;
    if (i > 0 && reading_.gap(i - 1) == " " &&
        (number(i - 1) > 0 || (cues_[i - 1] == Cue::kNumber && tokens_[i - 1].letters > 3)))
      first = i - 1;
    while (end < tokens_.size() && cues_[end] == Cue::kKinEnd && reading_.gap(end - 1) == " ") ++end;
    put(Field::kKinship, first, end, 0.4);
  }

  void work(std::size_t i) {
    if (!person_before(i, 10) && !(i > 0 && is(i - 1, kWorkLeads))) return;
    std::size_t end = i + 1;
    if (is(end, "de") && reading_.gap(i) == " " && end + 1 < tokens_.size() && tokens_[end + 1].is_word() &&
        !ends_sentence(end)) {
      end += 2;
    }
    put(Field::kProfession, i, end, 0.35);
  }

  // "12 de enero de 2004", "mayo del 2003", "27-abril-2004", "en marzo"
  void month(std::size_t i) {
    std::size_t first = i;
    if (i >= 1 && number(i - 1) > 0 && number(i - 1) <= 31 && reading_.gap(i - 1).size() == 1) first = i - 1;
    if (i >= 2 && is(i - 1, "de") && number(i - 2) > 0 && number(i - 2) <= 31) first = i - 2;
    std::size_t end = i + 1;
    while (end < tokens_.size() && end - i < 4 && is(end, kYearFillers) && reading_.gap(end - 1) == " ") ++end;
    if (end < tokens_.size() && number(end) >= 0 && reading_.gap(end - 1).size() == 1 && !ends_sentence(end - 1) &&
        (tokens_[end].letters == 4 || tokens_[end].letters == 2)) {
      return put(Field::kDate, first, end + 1, 0.6);
    }
    if (first < i) return put(Field::kDate, first, i + 1, 0.55);
    if (i > 0 && is(i - 1, kMonthLeads)) put(Field::kDate, i, i + 1, 0.4);
  }

  void year(std::size_t i) {
    const int value = number(i);
    if (value < 1900 || value > 2049 || i == 0) return;
    const auto before = reading_.gap(i - 1);
    const bool led = before == " " && (is(i - 1, kYearLeads) || (is(i - 1, "de") && i > 1 && is(i - 2, kYearLeads)));
    const bool alone = !before.empty() && before.back() == '(' && at_or_nul(reading_.text(), tokens_[i].end) == ')';
    if (!led && !alone) return;
    const std::size_t first = led && is(i - 1, "ano") ? i - 1 : i;
    put(Field::kYear, first, i + 1, 0.35);
  }

  const Reading& reading_;
  const std::vector<Token>& tokens_;
  Clues& out_;
  std::vector<Cue> cues_;
};

}  // namespace

void find_spanish_persons(const Reading& reading, Clues& out) {
  Finder(reading, out).run();
}

}  // namespace mlops::detect
