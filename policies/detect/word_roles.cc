#include "policies/detect/word_roles.h"

#include <algorithm>
#include <unordered_map>

#include "policies/detect/scan.h"

namespace mlops::detect {
namespace {

struct Row {
  std::uint32_t role;
  std::string_view words;  // separated by one blank
};

constexpr Row kRows[] = {
    {role::kStreetSuffix,
     "alley av ave avenue bay bayou bend bluff bluffs blvd boulevard branch bridge brook burg bypass camp "
     "canyon cape causeway cir circle cliff cliffs close club commons corner corners course court cove "
     "coves creek crescent crest crossing crossroad crossroads ct curve dale dam divide dr drive esplanade "
     "estate expressway extension falls fasor ferry fields flats ford forest forge fork fort freeway garden "
     "gardens gate gateway glen glens green greens grove groves harbor haven heights highway hill hills "
     "hollow hwy inlet island isle junction key knoll knolls korut koz krt lake lakes landing lane ln lock "
     "lodge loop mall manor meadow mews mill mills mission mnt motorway mount mountain neck odboje orchard "
     "overpass park parks parkway pass passage path pike pine pines pkwy pl place plain plains plaza point "
     "points port prairie promenade prospekt quay ramp ranch rapids rd rest ridge ridges river road roads "
     "route row rue run setany shoal shoals shore shores skyway spring springs spur sq square squares st "
     "station str stravenue stream street streets summit tee ter terrace throughway trace track trafficway "
     "trail trl tunnel turnpike ulitsa underpass union ut utca utja vale valley valleys viaduct view "
     "village ville vista walk walks wall way ways wells wy"},
    {role::kSureSuffix,
     "ave avenue blvd boulevard court crescent ct drive highway hwy korut lane parkway prospekt rd road "
     "setany st street terrace ulitsa utca utja"},
    {role::kStreetPrefix,
     "alameda aleja allee av avda avenida avenue avinguda bairro barrio beco borgo boulevard bulevar "
     "bulevardi calle camino carrer carretera cesta chemin cl colonia contrada corso cours ctra estrada "
     "glorieta impasse jalan jl largo lungomare namesti osiedle paseo piazza piazzale plac plaza plza "
     "poligono praca put pza quai quinta rambla ronda rua rue salita sentier soi strada stradone strasse "
     "travesia travessa travessera trg trida ul ulica ulice urb urbanizacion via viale vicolo vila"},
    {role::kWeakPrefix,
     "al alte am an auf c fuente grosse hinter im kleine neue obere os passage place r route str unter "
     "untere zona zum zur"},
    {role::kUnit, "apartment apt bldg building dpto esc fl flat floor lot piso puerta rm room ste suite unit"},
    {role::kWeakUnit, "bldg building fl flat floor lot rm room unit"},
    {role::kIntroduces,
     "added adds asked attn called cheers dear explained hello hey hi i'm im love named regards replied "
     "said says signed sincerely thanks told wrote"},
    {role::kBeforeIs, "caller contact husband name names patient this wife"},
    {role::kSpeaks,
     "asked born called denies died explained explains lived lives presented replied reported reports said "
     "says stated states told worked works wrote"},
    {role::kInPlace, "in near outside via"},
    {role::kDirection, "at from to towards"},
    {role::kPlaceFollows, "around from in near outside visiting"},
    {role::kPlaceMayFollow, "at of to"},
    {role::kTown, "born city hometown live lives moved resides town village"},
    {role::kFirm,
     "agency association clinic co college company corp corporation foundation gmbh group hospital inc "
     "institute llc llp ltd partners plc solutions technologies university"},
    {role::kNotPeople,
     "airport association ave avenue bank blvd boulevard catheter center centre church city classification "
     "clinic co college company corp corporation county criteria disease drive foundation fracture gmbh "
     "group hospital inc institute island islands lake lane llc ltd lymphoma maneuver park phenomenon plc "
     "rd river road scale scan school score sign st street syndrome test university"},
    {role::kOrganisation,
     "bank clinic college company corp corporation foundation garden gmbh group hospital inc institute llc "
     "ltd maintenance solutions university"},
    {role::kNever, "atm cvv dob iban mrn nan null pin ssn visa zip"},
    {role::kEmptyField, "nan none null"},
    {role::kShip, "uscgc usns usnv usnvs uss"},
    {role::kBox, "cmr p po pobox post postboks postbox postfach psc uscgc usns usnv usnvs uss"},
    {role::kCorner, "corner the"},
    {role::kConjunction, "and or"},
    {role::kYearFollows,
     "after and around autumn back before between by circa during early fall from in late mid of since "
     "spring summer the till to until winter year"},
    {role::kCountryForm,
     "and democratic federal federated islamic kingdom of people people's republic socialist state states "
     "the union"},
    {role::kSpanish,
     "anos ano paciente por fecha calle apellidos nombre con para una avda mujer varon hijo hija medico telefono "
     "espana se "
     "su esta desde hasta nino nina domicilio nacimiento informe"},
    {role::kSpelledAge, "a centenarian hundred nineties ninety nonagenarian one supercentenarian"},
};

constexpr std::string_view kEndings[] = {
    "strasse",  "straße", "strase", "stasse", "straat", "strat",   "gasse", "gatan", "gata",  "gaten",  "gate",
    "gade",     "vagen",  "veien",  "vegen",  "vej",    "weg",     "laan",  "plein", "dreef", "kade",   "singel",
    "steenweg", "platz",  "allee",  "alleen", "ring",   "ufer",    "damm",  "katu",  "tie",   "kuja",   "polku",
    "utca",     "grand",  "plads",  "stien",  "bakken", "bakkene", "markt", "hof",   "lande", "landet", "plaats"};
constexpr std::size_t kLeastStem = 3;

std::unordered_map<std::string_view, std::uint32_t> make_table() {
  std::unordered_map<std::string_view, std::uint32_t> table;
  for (const Row& row : kRows) {
    std::string_view words = row.words;
    while (!words.empty()) {
      const std::size_t blank = words.find(' ');
      table[words.substr(0, blank)] |= row.role;
      words.remove_prefix(blank == std::string_view::npos ? words.size() : blank + 1);
    }
  }
  return table;
}

bool ends_like_street(std::string_view lower) {
  return std::any_of(std::begin(kEndings), std::end(kEndings), [&](std::string_view ending) {
    return lower.size() >= ending.size() + kLeastStem && lower.ends_with(ending);
  });
}

}  // namespace

std::uint32_t roles_of(std::string_view lower) {
  static const auto kTable = make_table();
  const auto row = kTable.find(lower);
  const std::uint32_t roles = row == kTable.end() ? 0 : row->second;
  return ends_like_street(lower) ? roles | role::kStreetEnding : roles;
}

}  // namespace mlops::detect
