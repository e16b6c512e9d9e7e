// Private to policies/detect: the words by which spanish_places.cc knows what stands in a Spanish letterhead. All
// tables are sorted, small, without accents. Thread-safety: constants.
#pragma once

#include <algorithm>
#include <span>
#include <string_view>

#include "policies/detect/clues.h"

namespace mlops::detect {

// Institutions.
inline constexpr std::string_view kHouses[] = {
    "ambulatorio", "centre",    "centro",      "clinic",       "clinica",     "complejo",
    "complexo",    "consorci",  "consorcio",   "consultorio",  "corporacio",  "escuela",
    "facultad",    "facultat",  "fundacio",    "fundacion",    "hospital",    "hospitales",
    "institut",    "instituto", "laboratorio", "laboratorios", "policlinica", "policlinico",
    "residencia",  "sanatorio", "universidad", "universidade", "universitat", "xarxa"};
inline constexpr std::string_view kStreets[] = {
    "alameda",   "apartado", "autovia",    "av",           "avd",     "avda",      "avenida",  "avgda",  "avinguda",
    "barrio",    "bulevar",  "calle",      "callejon",     "camino",  "campus",    "carr",     "carrer", "carrera",
    "carretera", "cno",      "costanilla", "crt",          "ctra",    "cuesta",    "glorieta", "gta",    "paraje",
    "parque",    "partida",  "pasaje",     "paseo",        "passeig", "placa",     "plaza",    "po",     "pol",
    "poligono",  "psg",      "pso",        "pza",          "rambla",  "ronda",     "rondilla", "rua",    "sector",
    "trav",      "travesia", "urb",        "urbanizacion", "via",     "zumarkalea"};
// … which a name written small may follow: they are hardly anything else.
inline constexpr std::string_view kPlainStreets[] = {"apartado", "av",        "avda", "avenida", "calle",
                                                     "carrera",  "carretera", "ctra", "paseo",   "plaza"};
static_assert(std::is_sorted(std::begin(kPlainStreets), std::end(kPlainStreets)));
inline constexpr std::string_view kFloors[] = {
    "a",         "bajo",   "bajos",    "bis", "bl",       "bloque", "d",      "dcha", "der",
    "derecha",   "dr",     "edificio", "esc", "escalera", "i",      "iz",     "izda", "izq",
    "izquierda", "km",     "local",    "n",   "no",       "num",    "numero", "o",    "p",
    "piso",      "planta", "portal",   "pta", "pto",      "puerta", "s",      "sn",   "y"};
inline constexpr std::string_view kPhones[] = {"fax",    "movil", "tel",    "telef", "telefono", "telefonos",
                                               "telefs", "telf",  "telfno", "telfs", "tfn",      "tfno",
                                               "tlf",    "tlfn",  "tlfno",  "tno"};
inline constexpr std::string_view kStops[] = {
    "c",       "cirugia", "correo", "departamento", "dpto", "e",        "email", "fax", "jefe",   "medicina",
    "seccion", "serv",    "servei", "servicio",     "tel",  "telefono", "tfno",  "tlf", "unidad", "unitat"};
// Before "de" or "en" and a place.
inline constexpr std::string_view kHomes[] = {
    "ciudad", "nacida",     "nacido",    "natural", "originaria", "originario", "procedente", "provincia",
    "reside", "residencia", "residente", "vecina",  "vecino",     "vive",       "vivia",      "viviendo"};
static_assert(std::is_sorted(std::begin(kHomes), std::end(kHomes)));
// Written small inside the name of an institution.
inline constexpr std::string_view kJoiners[] = {"a",
                                                "clinico",
                                                "comarcal",
                                                "d",
                                                "e",
                                                "en",
                                                "general",
                                                "i",
                                                "infantil",
                                                "materno",
                                                "medico",
                                                "o",
                                                "para",
                                                "provincial",
                                                "regional",
                                                "universitari",
                                                "universitaria",
                                                "universitario",
                                                "y"};
static_assert(std::is_sorted(std::begin(kJoiners), std::end(kJoiners)));
static_assert(std::is_sorted(std::begin(kHouses), std::end(kHouses)));
static_assert(std::is_sorted(std::begin(kStreets), std::end(kStreets)));
static_assert(std::is_sorted(std::begin(kFloors), std::end(kFloors)));
static_assert(std::is_sorted(std::begin(kPhones), std::end(kPhones)));
static_assert(std::is_sorted(std::begin(kStops), std::end(kStops)));

// Sorted. Before a dot they end no sentence.
inline constexpr std::string_view kAbbreviations[] = {"av",  "avda", "dr",   "dra",  "gral", "hosp",
                                                      "ma",  "ntra", "ntro", "prof", "s",    "sn",
                                                      "sra", "st",   "sta",  "sto",  "univ", "virg"};
static_assert(std::is_sorted(std::begin(kAbbreviations), std::end(kAbbreviations)));

inline constexpr WordGate kGate = [] {
  WordGate gate;
  const std::span<const std::string_view> tables[] = {kHouses, kStreets, kPhones, kStops};
  for (const auto& table : tables) {
    for (const std::string_view word : table) gate.add(word);
  }
  return gate;
}();

inline bool is_one_of(std::string_view word, std::span<const std::string_view> sorted) {
  return std::binary_search(sorted.begin(), sorted.end(), LowerWord(word).text());
}

}  // namespace mlops::detect
