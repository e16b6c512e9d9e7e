#!/usr/bin/env python3
"""Writes a table of invented hospital patients as CSV; the same seed gives the same bytes.

Nobody in it exists: names are drawn from two short lists, SSNs use the area 9xx that the Social Security
Administration never issues, telephone numbers end in the reserved 555-01xx block, addresses end in example.org.
ZIP codes are real places, some of them in the three-digit areas with so few inhabitants that the HIPAA Safe Harbor
rule wants "000" (036, 059, 102, ...), because a masking that never meets them proves nothing. Some patients are
older than 89, for the same reason.

The label `readmitted_30d` is drawn from a logistic model over the clinical columns: there is a signal to learn, and
noise that nobody can learn. Standard library only.
"""

import argparse
import csv
import datetime
import math
import random
import sys

COLUMNS = [
    "mrn", "first_name", "last_name", "ssn", "birth_date", "sex", "street", "city", "state", "zip", "phone", "email",
    "admission_date", "age", "prior_admissions", "length_of_stay_days", "hba1c", "systolic_bp", "creatinine",
    "medications", "icd10", "note", "readmitted_30d",
]

FIRST_NAMES = {
    "F": ["Adaline", "Beatrix", "Carmelita", "Delphine", "Eleanora", "Fiorella", "Gwendolyn", "Henrietta", "Isadora",
          "Josephine", "Katarzyna", "Lucinda", "Marguerite", "Nadezhda", "Ottoline", "Philippa", "Quintina",
          "Rosalinda", "Seraphina", "Theodora", "Ursulina", "Valentina", "Wilhelmina", "Xiomara", "Yolanda",
          "Zuleika", "María José", "Zoë", "Anneliese", "Bronwyn"],
    "M": ["Alastair", "Bartholomew", "Cornelius", "Demetrius", "Ebenezer", "Ferdinand", "Giancarlo", "Humphrey",
          "Ignatius", "Jedediah", "Kristoffer", "Leopold", "Montgomery", "Nathaniel", "Octavian", "Percival",
          "Quentin", "Reginald", "Sebastián", "Thaddeus", "Ulysses", "Vladimir", "Winthrop", "Xavier", "Yaroslav",
          "Zebadiah", "Ambrose", "Barnaby", "Caspian", "Dashiell"],
}
LAST_NAMES = [
    "Abernathy", "Blenkinsop", "Castellanos", "Dombrowski", "Eichelberger", "Fitzwilliam", "Gruberova",
    "Higginbotham", "Iwanowski", "Jankowski", "Kowalczyk", "Lindqvist", "McAllister", "Nakagawa", "O'Shaughnessy",
    "Papadopoulos", "Quisenberry", "Rasmussen", "Szymanski", "Thistlewood", "Underhill-Voss", "Vandermeer",
    "Wojciechowski", "Xanthopoulos", "Yamanouchi", "Zielinski", "Featherstone", "Ramachandran", "Oyelaran",
    "Müllenhoff", "Nguyen-Tran", "Delacroix", "Brzezinski", "Steinhauer", "Chukwuemeka", "Villanueva",
]
STREETS = ["Larkspur", "Mill Pond", "Cobblestone", "Harrowgate", "Windermere", "Fernhill", "Quarry", "Birchwood",
           "Tanglewood", "Juniper", "Saddleback", "Old Ferry", "Orchard", "Bellweather"]
SUFFIXES = ["St", "Ave", "Rd", "Ln", "Dr", "Ct", "Blvd", "Way"]

# (city, state, ZIP): the first group lies in ZIP3 areas of more than 20,000 people, the second does not.
LARGE_PLACES = [
    ("Brattleboro", "VT", "05301"), ("Burlington", "VT", "05401"), ("Worcester", "MA", "01608"),
    ("Cambridge", "MA", "02139"), ("Nashua", "NH", "03060"), ("Manchester", "NH", "03101"),
    ("Hartford", "CT", "06103"), ("Poughkeepsie", "NY", "12601"), ("Pittsburgh", "PA", "15213"),
    ("Durham", "NC", "27701"), ("Minneapolis", "MN", "55401"), ("Albuquerque", "NM", "87102"),
    ("Sacramento", "CA", "95814"), ("Tacoma", "WA", "98402"),
]
SMALL_PLACES = [
    ("Acworth", "NH", "03601"), ("Alstead", "NH", "03602"), ("Charlestown", "NH", "03603"),
    ("Averill", "VT", "05901"), ("Beecher Falls", "VT", "05902"), ("Canaan", "VT", "05903"),
    ("New York", "NY", "10270"), ("New York", "NY", "10281"), ("Alexander", "ND", "58831"),
    ("Cheyenne Wells", "CO", "80810"), ("Alzada", "MT", "59311"), ("Alamo", "NV", "89001"),
    ("Caliente", "NV", "89008"), ("Aladdin", "WY", "82710"), ("Yellowstone", "WY", "82190"),
    ("Wendover", "UT", "84083"), ("Bombay Beach", "CA", "92257"),
]
DIAGNOSES = [("I50.9", 0.24), ("J44.1", 0.19), ("E11.9", 0.20), ("N18.3", 0.12), ("I21.4", 0.11), ("K57.3", 0.14)]

REFERENCE_DAY = datetime.date(2026, 6, 30)


def pick_place(rng):
    return rng.choice(SMALL_PLACES if rng.random() < 0.12 else LARGE_PLACES)


def pick_diagnosis(rng):
    return rng.choices([code for code, _ in DIAGNOSES], [weight for _, weight in DIAGNOSES])[0]


def identity(rng, number):
    """Who the invented person is; nothing here carries signal about the label, but sex."""
    sex = rng.choice("FM")
    first, last = rng.choice(FIRST_NAMES[sex]), rng.choice(LAST_NAMES)
    city, state, zip_code = pick_place(rng)
    plain = "".join(ch for ch in f"{first}.{last}".lower() if ch.isascii() and (ch.isalnum() or ch == "."))
    return {
        "mrn": f"{70000000 + number * 37 + rng.randrange(37)}",
        "first_name": first,
        "last_name": last,
        "ssn": f"9{rng.randrange(10, 100)}-{rng.randrange(10, 50)}-{rng.randrange(1000, 10000)}",
        "sex": sex,
        "street": f"{rng.randrange(1, 990)} {rng.choice(STREETS)} {rng.choice(SUFFIXES)}",
        "city": city,
        "state": state,
        "zip": zip_code,
        "phone": f"({rng.randrange(201, 990)}) 555-01{rng.randrange(100):02d}",
        "email": f"{plain}{number}@example.org",
    }


def clinical(rng, sex):
    age = min(102, max(19, round(rng.gauss(66, 15))))
    admitted = REFERENCE_DAY - datetime.timedelta(days=rng.randrange(2 * 365))
    born = admitted - datetime.timedelta(days=int(age * 365.25) + rng.randrange(1, 364))
    diagnosis = pick_diagnosis(rng)
    diabetic = diagnosis == "E11.9" or rng.random() < 0.18
    renal = diagnosis == "N18.3" or rng.random() < 0.08
    return {
        "birth_date": born.isoformat(),
        "admission_date": admitted.isoformat(),
        "age": age,
        "prior_admissions": min(9, int(rng.expovariate(0.9) + (age > 75) * rng.random())),
        "length_of_stay_days": 1 + min(40, int(rng.gammavariate(1.6, 2.8))),
        "hba1c": round(max(4.4, rng.gauss(8.1 if diabetic else 5.6, 1.1 if diabetic else 0.4)), 1),
        "systolic_bp": max(84, round(rng.gauss(134 + 0.12 * (age - 60), 17))),
        "creatinine": round(max(0.4, rng.gauss((1.9 if renal else 0.95) + 0.08 * (sex == "M"), 0.35)), 2),
        "medications": min(24, max(0, round(rng.gauss(3.5 + age / 18, 2.6)))),
        "icd10": diagnosis,
    }


def readmission_probability(row):
    score = (-3.35
             + 0.80 * row["prior_admissions"]
             + 0.12 * row["length_of_stay_days"]
             + 0.36 * (row["hba1c"] - 6.0)
             + 1.00 * (row["creatinine"] - 1.0)
             + 0.028 * (min(row["age"], 90) - 65)
             + 0.085 * (row["medications"] - 7)
             + 0.70 * (row["icd10"] == "I50.9")
             - 0.005 * (row["systolic_bp"] - 134))
    return 1.0 / (1.0 + math.exp(-score))


def note(rng, row):
    """Free text; about two in three carry something that identifies the patient."""
    title = "Ms." if row["sex"] == "F" else "Mr."
    admitted = datetime.date.fromisoformat(row["admission_date"])
    return rng.choice([
        "Stable on discharge, oral intake good, follow-up in clinic.",
        "Wound dry, mobilising with a frame, medication reviewed with the ward team.",
        "Breathless on exertion, diuretics increased, weight chart started.",
        f"{title} {row['last_name']} was admitted on {admitted:%m/%d/%Y}, stable on discharge.",
        f"Patient {row['first_name']} {row['last_name']} asks to be called at {row['phone']} with results.",
        f"Pt: {row['last_name']}, {row['first_name']}. Seen {admitted.isoformat()}, diet advice given.",
        f"Daughter reachable at {row['phone']}; discharge letter to {row['email']}.",
        f"Identity checked against SSN {row['ssn']}, MRN {row['mrn']}. Home care arranged.",
        "Lives alone, second floor; social work informed, home oxygen ordered.",
    ])


def generate(rows, seed):
    rng = random.Random(seed)
    for number in range(rows):
        row = identity(rng, number)
        row.update(clinical(rng, row["sex"]))
        row["note"] = note(rng, row)
        row["readmitted_30d"] = int(rng.random() < readmission_probability(row))
        yield row


def main():
    parser = argparse.ArgumentParser(description="Writes a table of invented patients as CSV.")
    parser.add_argument("output", nargs="?", default="-", help="the file to write (default: standard output)")
    parser.add_argument("--rows", type=int, default=6000, help="patients to invent (default 6000)")
    parser.add_argument("--seed", type=int, default=20260630, help="the same seed gives the same bytes")
    options = parser.parse_args()
    if options.rows < 1:
        parser.error("--rows must be at least 1")

    stream = sys.stdout if options.output == "-" else open(options.output, "w", encoding="utf-8", newline="")
    with stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(generate(options.rows, options.seed))


if __name__ == "__main__":
    main()
