"""Environments, policies and people that several functional tests share. Everybody and everything here is invented."""

import csv
import functools
import io
import runpy

from harness import REPOSITORY

ENVIRONMENTS = """apiVersion: mlops/v1
kind: Environments
environments:
  - {name: clinical, clearance: special_category}
  - {name: research, clearance: pseudonymous, policies: [deid]}
  - {name: staging, clearance: pseudonymous, policies: [gates]}
  - name: prod
    after: [staging]
    clearance: pseudonymous
    policies: [gates]
    protection: {approvals: 1, reason_required: true}
"""

GATES = """apiVersion: mlops/v1
kind: PrivacyPolicy
metadata: {name: gates, version: 1.0.0}
spec:
  select: {kinds: [model]}
  gates:
    - id: auc-floor
      metric: {name: auc, min: 0.7}
    - id: auc-no-regression
      metric: {name: auc, not_below_current_by: 0.02}
    - id: origin
      lineage: {complete: true, roles: [train]}
"""

DEID = """apiVersion: mlops/v1
kind: PrivacyPolicy
metadata:
  name: deid
  version: 1.0.0
  extends: [pack/hipaa-safe-harbor]
spec:
  select: {kinds: [dataset]}
  attestations: {no_actual_knowledge: {ref: A-1, by: officer, at: 2026-01-01}}
  classification:
    columns:
      mrn: {class: mrn}
      first_name: {class: person_name}
      last_name: {class: person_name}
      ssn: {class: us_ssn}
      birth_date: {class: birth_date}
      street: {class: street_address}
      city: {class: city}
      zip: {class: us_zip}
      phone: {class: phone}
      email: {class: email}
      admission_date: {class: date}
      age: {class: age}
      note: {class: free_text}
      sex: {class: clinical}
      state: {class: clinical}
      prior_admissions: {class: clinical}
      length_of_stay_days: {class: clinical}
      hba1c: {class: clinical}
      systolic_bp: {class: clinical}
      creatinine: {class: clinical}
      medications: {class: clinical}
      icd10: {class: clinical}
      readmitted_30d: {class: clinical}
    unknown_column: quarantine
  transforms:
    rules:
      - {match: {class: mrn}, apply: {suppress: {}}}
      - {match: {class: person_name}, apply: {redact: {with: "[NAME]"}}}
      - {match: {class: us_ssn}, apply: {suppress: {}}}
      - {match: {class: birth_date}, apply: {date_truncate: {to: year, cap_age: 89, reference: "column:admission_date"}}}
      - {match: {class: date}, apply: {date_truncate: {to: year}}}
      - {match: {class: street_address}, apply: {suppress: {}}}
      - {match: {class: city}, apply: {suppress: {}}}
      - {match: {class: us_zip}, apply: {generalize: {zip3: {census: union}}}}
      - {match: {class: phone}, apply: {redact: {with: "[PHONE]"}}}
      - {match: {class: email}, apply: {redact: {with: "[EMAIL]"}}}
      - {match: {class: age}, apply: {generalize: {age_cap: 89}}}
      - {match: {class: free_text}, apply: {suppress: {}}}
      - {match: {class: clinical}, apply: {keep: {}}}
"""


@functools.lru_cache(maxsize=4)
def patients_csv(rows=5000, seed=7):
    """The example's table of invented patients, as CSV text."""
    generator = runpy.run_path(str(REPOSITORY / "examples" / "readmission" / "generate_patients.py"))
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, generator["COLUMNS"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(generator["generate"](rows, seed))
    return out.getvalue()


def read_csv(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def write_csv(rows, columns=None):
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns or list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def apply_all(case, deid=DEID, gates=GATES, environments=ENVIRONMENTS):
    """Applies both policies and the environments as the administrator."""
    case.ok("policy", "apply", case.file("deid.yaml", deid))
    case.ok("policy", "apply", case.file("gates.yaml", gates))
    case.ok("env", "apply", case.file("environments.yaml", environments))
