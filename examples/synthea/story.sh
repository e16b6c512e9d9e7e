#!/usr/bin/env bash
# From data nobody has described to a policy that is linted, tested, explained, enforced and replayed: the tables and the
# FHIR bundle of Synthea, with real mlopsctl commands.
#
# Every command shows, runs, and must end with the exit status the story expects. Needs mlopsctl on the PATH,
# MLOPS_SERVER and MLOPS_TOKEN_FILE of an administrator, and a daemon with an empty data directory. Files go to
# STORY_DIR. SYNTHEA_CSV and SYNTHEA_FHIR name folders of real Synthea output; without them people are made up.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
checkout=$(cd "$here/../.." && pwd -P)
story=${STORY_DIR:?STORY_DIR names the folder for the files of the story}
admin_token_file=${MLOPS_TOKEN_FILE-}
model=none
unset MLOPS_TOKEN MLOPS_OUTPUT
export PYTHONDONTWRITEBYTECODE=1
mkdir -p "$story"
[[ -z $(ls -A "$story") ]] || { echo "STORY_DIR must be an empty folder: $story" >&2; exit 2; }
# shellcheck source=examples/readmission/telling.sh
source "$here/../readmission/telling.sh"
cd "$story"

data() {
  title "Data that nobody has described"
  if [[ -n ${SYNTHEA_CSV-} && -n ${SYNTHEA_FHIR-} ]]; then
    cp -R "$SYNTHEA_CSV" csv
    mkdir -p fhir
    # Synthea names a bundle after its patient, which would be published with it.
    local number=0
    for bundle in "$SYNTHEA_FHIR"/*.json; do
      number=$((number + 1))
      cp "$bundle" "fhir/bundle-$number.json"
    done
  else
    script generate.py .
  fi
  ls csv fhir
}

draft() {
  title "The data speak first"
  tell "scan reads every cell, says for each column what it probably is and on which counts, and drafts a policy. Output" \
    "holds names and counts, never a value."
  expect 0 mlopsctl policy scan csv --name synthea-csv --draft draft-csv.yaml
  expect 0 mlopsctl policy scan fhir --name synthea-fhir --draft draft-fhir.yaml
}

review() {
  title "A person reads the draft"
  tell "What was changed, and whether it loosens or tightens (exit status 3: there is a difference). Descriptions of codes" \
    "are kept, suffixes are names, and keys become random tokens instead of codes derived from the person."
  expect "$DIFFERENT" mlopsctl policy diff draft-csv.yaml "$here/policies/synthea-csv.yaml"
  expect "$DIFFERENT" mlopsctl policy diff draft-fhir.yaml "$here/policies/synthea-fhir.yaml"
  expect 0 mlopsctl policy lint "$here/policies/synthea-csv.yaml" "$here/policies/synthea-fhir.yaml"
  expect 0 mlopsctl policy test "$here/policies/synthea-csv.yaml" "$here/cases/fhir-references-meet.yaml"
  expect 0 mlopsctl policy explain "$here/policies/synthea-csv.yaml"
}

enforce() {
  title "The server enforces it"
  as admin
  expect 0 mlopsctl policy apply "$here/policies/synthea-csv.yaml"
  expect 0 mlopsctl policy apply "$here/policies/synthea-fhir.yaml"
  expect 0 mlopsctl env apply "$here/environments.yaml"
  expect 0 mlopsctl register dataset synthea/tables csv --sensitivity special_category
  expect 0 mlopsctl register dataset synthea/bundles fhir --sensitivity special_category
  expect 0 mlopsctl promote synthea/tables@v1 --to clinical --reason "as exported"
  expect 0 mlopsctl promote synthea/tables@v1 --to research --reason "method comparison"
  expect 0 mlopsctl promote synthea/bundles@v1 --to research-fhir --reason "method comparison"
  expect 0 mlopsctl pull synthea/tables-deid@v1 masked-csv
  expect 0 mlopsctl pull synthea/bundles-deid@v1 masked-fhir
  head -n 2 masked-csv/patients.csv
}

replay() {
  title "What would a stricter policy have said?"
  tell "A second person's yes is added. replay decides every past decision again, on the facts of its time, and lists what" \
    "flips (exit status 3); nothing is changed."
  sed -e 's/version: 1.0.0/version: 1.1.0/' \
    -e 's/^  tests:/  gates: [{id: two-eyes, approvals: {count: 1, roles: [approver]}}]\n  tests:/' \
    "$here/policies/synthea-csv.yaml" >stricter.yaml
  expect "$DIFFERENT" mlopsctl policy diff "$here/policies/synthea-csv.yaml" stricter.yaml
  expect 0 mlopsctl policy replay "$here/policies/synthea-csv.yaml"
  expect 3 mlopsctl policy replay stricter.yaml
  expect 0 mlopsctl audit verify
}

data
draft
review
enforce
replay
title "The end"
