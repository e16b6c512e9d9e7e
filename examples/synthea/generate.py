#!/usr/bin/env python3
"""Writes tables and a FHIR bundle in the form Synthea gives them, about people who do not exist.

generate.py FOLDER [PATIENTS] fills FOLDER/csv and FOLDER/fhir; the same number of patients gives the same bytes. SSNs use
the area 999, telephone numbers 555-01xx, and names carry digits, as Synthea's do.
"""

import csv
import json
import pathlib
import random
import sys
import uuid

TABLES = {
    "allergies": "START STOP PATIENT ENCOUNTER CODE SYSTEM DESCRIPTION TYPE CATEGORY REACTION1 DESCRIPTION1 SEVERITY1 REACTION2"
                 " DESCRIPTION2 SEVERITY2",
    "conditions": "START STOP PATIENT ENCOUNTER CODE DESCRIPTION",
    "encounters": "Id START STOP PATIENT ORGANIZATION PROVIDER PAYER ENCOUNTERCLASS CODE DESCRIPTION BASE_ENCOUNTER_COST"
                  " TOTAL_CLAIM_COST PAYER_COVERAGE REASONCODE REASONDESCRIPTION",
    "immunizations": "DATE PATIENT ENCOUNTER CODE DESCRIPTION BASE_COST",
    "medications": "START STOP PATIENT PAYER ENCOUNTER CODE DESCRIPTION BASE_COST PAYER_COVERAGE DISPENSES TOTALCOST REASONCODE"
                   " REASONDESCRIPTION",
    "observations": "DATE PATIENT ENCOUNTER CATEGORY CODE DESCRIPTION VALUE UNITS TYPE",
    "organizations": "Id NAME ADDRESS CITY STATE ZIP LAT LON PHONE REVENUE UTILIZATION",
    "patients": "Id BIRTHDATE DEATHDATE SSN DRIVERS PASSPORT PREFIX FIRST LAST SUFFIX MAIDEN MARITAL RACE ETHNICITY GENDER"
                " BIRTHPLACE ADDRESS CITY STATE COUNTY ZIP LAT LON HEALTHCARE_EXPENSES HEALTHCARE_COVERAGE",
    "procedures": "START STOP PATIENT ENCOUNTER CODE DESCRIPTION BASE_COST REASONCODE REASONDESCRIPTION",
    "providers": "Id ORGANIZATION NAME GENDER SPECIALITY ADDRESS CITY STATE ZIP LAT LON UTILIZATION",
}
GIVEN = "Wilhelmina Quentin Carolee Maynard Leonor Ezra Jolanda Thaddeus Mirela Osvaldo".split()
FAMILY = "Okonkwo Vandermeer Quisenberry Mosciski Laurila Brandsma Tewolde Szabo Hallgren Obregon".split()
TOWNS = [("Boston", "Suffolk County", "02118"), ("Worcester", "Worcester County", "01604"),
         ("Somerville", "Middlesex County", "02143"), ("Pittsfield", "Berkshire County", "01201")]
CONDITIONS = [("44054006", "Diabetes mellitus type 2 (disorder)"), ("59621000", "Essential hypertension (disorder)"),
              ("195662009", "Acute viral pharyngitis (disorder)")]


class Maker:
    def __init__(self, patients):
        self.random = random.Random(20261129)
        self.rows = {name: [] for name in TABLES}
        self.entries = []
        self.people = [self.person() for _ in range(patients)]

    def key(self):
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def day(self, first=2012, last=2024):
        r = self.random
        return f"{r.randint(first, last)}-{r.randint(1, 12):02}-{r.randint(1, 28):02}"

    def place(self):
        town, county, zip_code = self.random.choice(TOWNS)
        return {"ADDRESS": f"{self.random.randint(10, 990)} Stamm Lock Unit {self.random.randint(1, 90)}", "CITY": town,
                "COUNTY": county, "STATE": "Massachusetts", "ZIP": zip_code,
                "LAT": f"{42 + self.random.random():.6f}", "LON": f"-{71 + self.random.random():.6f}"}

    def name(self):
        r = self.random
        return f"{r.choice(GIVEN)}{r.randint(10, 999)}", f"{r.choice(FAMILY)}{r.randint(10, 999)}"

    def add(self, table, **cells):
        self.rows[table].append([cells.get(column, "") for column in TABLES[table].split()])

    def person(self):
        r = self.random
        first, last = self.name()
        person = {"Id": self.key(), "BIRTHDATE": self.day(1930, 2010), "SSN": f"999-{r.randint(10, 99)}-{r.randint(1000, 9999)}",
                  "DRIVERS": f"S999{r.randint(10000, 99999)}", "PASSPORT": f"X{r.randint(10**7, 10**8 - 1)}X",
                  "PREFIX": r.choice(["Mr.", "Mrs.", "Ms."]), "FIRST": first, "LAST": last, "MARITAL": r.choice("MSD"),
                  "MAIDEN": self.name()[1], "RACE": r.choice(["white", "black", "asian"]), "ETHNICITY": "nonhispanic",
                  "GENDER": r.choice("MF"), "BIRTHPLACE": "Boston  Massachusetts  US", **self.place(),
                  "HEALTHCARE_EXPENSES": f"{r.uniform(100, 90000):.2f}", "HEALTHCARE_COVERAGE": f"{r.uniform(100, 9000):.2f}"}
        if r.random() < 0.1:
            person["DEATHDATE"] = self.day(2020)
        self.add("patients", **person)
        return person

    def tables(self):
        r = self.random
        for _ in range(6):
            organization, provider = self.key(), self.key()
            place = self.place()
            self.add("organizations", Id=organization, NAME=f"{place['CITY'].upper()} MEMORIAL HOSPITAL", **place,
                     PHONE=f"617555{r.randint(100, 199):04}", REVENUE="0.0", UTILIZATION=r.randint(1, 400))
            self.add("providers", Id=provider, ORGANIZATION=organization, NAME=" ".join(self.name()), GENDER=r.choice("MF"),
                     SPECIALITY="GENERAL PRACTICE", **place, UTILIZATION=r.randint(1, 400))
            for person in self.people[_::6]:
                self.visits(person, organization, provider)

    def visits(self, person, organization, provider):
        r = self.random
        for _ in range(8):
            encounter, day = self.key(), self.day()
            code, words = r.choice(CONDITIONS)
            at = {"START": f"{day}T09:12:44Z", "STOP": f"{day}T09:42:44Z", "PATIENT": person["Id"], "ENCOUNTER": encounter}
            money = {"BASE_COST": "7.24", "PAYER_COVERAGE": "0.00", "PAYER": organization}
            self.add("encounters", Id=encounter, **at, ORGANIZATION=organization, PROVIDER=provider, PAYER=organization,
                     ENCOUNTERCLASS=r.choice(["ambulatory", "wellness"]), CODE="185349003", DESCRIPTION="Encounter for check up",
                     BASE_ENCOUNTER_COST="129.16", TOTAL_CLAIM_COST="129.16", PAYER_COVERAGE="0.00", REASONCODE=code,
                     REASONDESCRIPTION=words)
            self.add("conditions", START=day, PATIENT=person["Id"], ENCOUNTER=encounter, CODE=code, DESCRIPTION=words)
            self.add("medications", **at, **money, CODE="665078", DESCRIPTION="Loratadine 5 MG Chewable Tablet", DISPENSES="12",
                     TOTALCOST="86.88", REASONCODE=code, REASONDESCRIPTION=words)
            self.add("procedures", **at, CODE="430193006", DESCRIPTION="Medication Reconciliation (procedure)",
                     BASE_COST="735.40", REASONCODE=code, REASONDESCRIPTION=words)
            self.add("immunizations", DATE=at["START"], PATIENT=person["Id"], ENCOUNTER=encounter, CODE="140",
                     DESCRIPTION="Influenza  seasonal  injectable  preservative free", BASE_COST="140.52")
            self.add("allergies", START=day, PATIENT=person["Id"], ENCOUNTER=encounter, CODE="111088007", SYSTEM="SNOMED-CT",
                     DESCRIPTION="Latex (substance)", TYPE="allergy", CATEGORY="environment", REACTION1="418290006",
                     DESCRIPTION1="Itching (finding)", SEVERITY1="MODERATE", REACTION2="271807003",
                     DESCRIPTION2="Eruption of skin (disorder)", SEVERITY2="MILD")
            for what, value, units, kind in [("Body Height", f"{r.uniform(150, 190):.1f}", "cm", "numeric"),
                                             ("Tobacco smoking status", "Never smoked tobacco (finding)", "", "text")]:
                self.add("observations", DATE=at["START"], PATIENT=person["Id"], ENCOUNTER=encounter, CATEGORY="vital-signs",
                         CODE="8302-2", DESCRIPTION=what, VALUE=value, UNITS=units, TYPE=kind)
            self.entry("Encounter", encounter, status="finished", subject={"reference": f"urn:uuid:{person['Id']}"},
                       period={"start": at["START"], "end": at["STOP"]})

    def entry(self, kind, key, **members):
        self.entries.append({"fullUrl": f"urn:uuid:{key}", "resource": {"resourceType": kind, "id": key, **members}})

    def patients(self):
        for person in self.people:
            self.entry("Patient", person["Id"], birthDate=person["BIRTHDATE"],
                       text={"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">Patient '
                                                           f'{person["FIRST"]} {person["LAST"]}, SSN {person["SSN"]}</div>'},
                       identifier=[{"type": {"coding": [{"code": "SS"}]}, "value": person["SSN"]}],
                       name=[{"use": "official", "family": person["LAST"], "given": [person["FIRST"]]}],
                       telecom=[{"system": "phone", "value": f"617-555-0{self.random.randint(100, 199)}"}],
                       gender="female" if person["GENDER"] == "F" else "male",
                       address=[{"line": [person["ADDRESS"]], "city": person["CITY"], "state": "MA", "postalCode": person["ZIP"]}])


def main():
    folder = pathlib.Path(sys.argv[1])
    maker = Maker(int(sys.argv[2]) if len(sys.argv) > 2 else 60)
    maker.patients()
    maker.tables()
    (folder / "csv").mkdir(parents=True, exist_ok=True)
    (folder / "fhir").mkdir(parents=True, exist_ok=True)
    for table, rows in maker.rows.items():
        with open(folder / "csv" / f"{table}.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(TABLES[table].split())
            writer.writerows(rows)
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": maker.entries}
    (folder / "fhir" / "bundle.json").write_text(json.dumps(bundle, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
