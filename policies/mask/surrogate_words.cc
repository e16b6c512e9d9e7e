#include "policies/mask/surrogate_words.h"

namespace mlops::mask {
namespace {

constexpr std::string_view kFirstNames[] = {
    "Adam",    "Alice",  "Amelia", "Andrew", "Anna",   "Anthony", "Barbara", "Benjamin", "Bruno",  "Carla", "Charles",
    "Clara",   "Daniel", "David",  "Diana",  "Edward", "Elena",   "Emily",   "Erik",     "Eva",    "Felix", "Frances",
    "George",  "Grace",  "Hannah", "Helen",  "Henry",  "Hugo",    "Irene",   "Isabel",   "Jacob",  "Jane",  "Julia",
    "Karen",   "Laura",  "Leo",    "Linda",  "Lucas",  "Maria",   "Martin",  "Michael",  "Monica", "Nina",  "Oliver",
    "Oscar",   "Paul",   "Peter",  "Rachel", "Robert", "Rosa",    "Ruth",    "Samuel",   "Sarah",  "Simon", "Sofia",
    "Stephen", "Susan",  "Teresa", "Thomas", "Victor", "Vera",    "Walter",  "William",  "Yvonne"};

constexpr std::string_view kLastNames[] = {
    "Abbott",   "Adler",   "Almeida", "Andersen", "Barnes",   "Becker",  "Bennett", "Bianchi", "Blake",   "Bowen",
    "Brennan",  "Carter",  "Castro",  "Clarke",   "Conti",    "Cooper",  "Costa",   "Dalton",  "Doyle",   "Dubois",
    "Ellis",    "Engel",   "Farrell", "Ferrari",  "Fischer",  "Foster",  "Garner",  "Graham",  "Greco",   "Hansen",
    "Hartley",  "Herrera", "Hoffman", "Holt",     "Ingram",   "Jansen",  "Jensen",  "Keller",  "Kennedy", "Knight",
    "Kowalski", "Lambert", "Larsen",  "Leclerc",  "Lindgren", "Marino",  "Marsh",   "Meyer",   "Molina",  "Moreau",
    "Nielsen",  "Norris",  "Novak",   "Olsen",    "Ortega",   "Palmer",  "Pearson", "Petrov",  "Quinn",   "Ramsey",
    "Reyes",    "Ricci",   "Romero",  "Rossi",    "Rowe",     "Sanders", "Schmitt", "Serrano", "Shaw",    "Silva",
    "Stone",    "Tanaka",  "Turner",  "Vargas",   "Vogel",    "Walsh",   "Weber",   "Winter",  "Yates",   "Zimmer"};

constexpr std::string_view kCities[] = {
    "Albany",     "Arlington", "Austin",   "Bergen",     "Bologna",  "Boston",    "Bremen",     "Bristol",
    "Buffalo",    "Calgary",   "Chicago",  "Cleveland",  "Columbus", "Dallas",    "Denver",     "Dresden",
    "Dublin",     "Edinburgh", "Florence", "Geneva",     "Glasgow",  "Halifax",   "Hamburg",    "Helsinki",
    "Houston",    "Leeds",     "Lisbon",   "Liverpool",  "Lyon",     "Madison",   "Manchester", "Memphis",
    "Milwaukee",  "Montreal",  "Munich",   "Oakland",    "Omaha",    "Oslo",      "Ottawa",     "Phoenix",
    "Pittsburgh", "Portland",  "Prague",   "Sacramento", "Salzburg", "Seattle",   "Sheffield",  "Stockholm",
    "Toronto",    "Toulouse",  "Turin",    "Utrecht",    "Valencia", "Vancouver", "Vienna",     "Zurich"};

constexpr std::string_view kStreets[] = {
    "Maple Street",  "Oak Avenue",   "Cedar Lane",  "Elm Street",    "Pine Road",     "Birch Drive",   "Walnut Street",
    "Chestnut Way",  "Willow Court", "Spruce Lane", "Ash Street",    "Poplar Road",   "Hazel Avenue",  "Linden Street",
    "River Road",    "Hill Street",  "Lake Drive",  "Park Avenue",   "Mill Lane",     "Church Street", "Garden Road",
    "Bridge Street", "Station Road", "Meadow Lane", "Orchard Drive", "Forest Avenue", "Harbor Street", "Valley Road"};

}  // namespace

std::span<const std::string_view> surrogate_first_names() {
  return kFirstNames;
}
std::span<const std::string_view> surrogate_last_names() {
  return kLastNames;
}
std::span<const std::string_view> surrogate_cities() {
  return kCities;
}
std::span<const std::string_view> surrogate_streets() {
  return kStreets;
}

}  // namespace mlops::mask
