#!/usr/bin/env bash
# A readmission model on its way from a raw patients table to production and back, told with real mlopsctl commands.
#
# Every command shows, runs, and must end with the exit status the story expects; otherwise the story stops. Needs
# mlopsctl on the PATH, an administrator's context or MLOPS_SERVER and MLOPS_TOKEN_FILE, and a daemon with an empty data
# directory; ./run at the top of the checkout provides all three. Files of the story go to STORY_DIR.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
checkout=$(cd "$here/../.." && pwd -P)
story=${STORY_DIR:?STORY_DIR names the folder for the files of the story}
admin_token_file=${MLOPS_TOKEN_FILE-}
unset MLOPS_TOKEN MLOPS_TOKEN_FILE MLOPS_OUTPUT
export PYTHONDONTWRITEBYTECODE=1

data=hospital/patients
model=hospital/readmission

mkdir -p "$story/tokens"
chmod 700 "$story" "$story/tokens"
# shellcheck source=examples/readmission/telling.sh
source "$here/telling.sh"

# --- told before? ---------------------------------------------------------------------------------------------------

retell() {
  title "The story has been told; this is where it stands"
  as admin
  expect 0 mlopsctl status
  expect 0 mlopsctl history --env prod
  expect 0 mlopsctl lineage "$model#prod" --up
  expect 0 mlopsctl audit verify
}

# --- chapters -------------------------------------------------------------------------------------------------------

set_the_stage() {
  title "The cast, the places and the rules"
  tell "The administrator declares four environments and two policies. clinical may hold identified patients; research" \
    "masks what comes in; staging and prod want a model that is good enough, and prod wants a second person's yes."
  as admin
  expect 0 mlopsctl policy lint "$here/policies/clinical-deid.yaml"
  expect 0 mlopsctl policy apply "$here/policies/clinical-deid.yaml"
  expect 0 mlopsctl policy apply "$here/policies/model-gates.yaml"
  expect 0 mlopsctl env apply "$here/environments.yaml"
  expect 0 mlopsctl env list
  tell "Each acts with a token of their own, written to a file of mode 0600 and shown nowhere: the training pipeline, Rita" \
    "the release engineer, and Omar who approves. Rita has an approver's token too, for other people's releases."
  expect 0 mlopsctl token create pipeline --role ci --service --out tokens/pipeline
  expect 0 mlopsctl token create rita --role release --out tokens/rita
  expect 0 mlopsctl token create rita --role approver --out tokens/rita-approving
  expect 0 mlopsctl token create omar --role approver --out tokens/omar
  as rita
  expect 0 mlopsctl whoami
}

raw_data_and_a_tainted_model() {
  title "A raw table, and a model trained on it"
  tell "6,000 invented patients, with names, SSNs, addresses and notes. The pipeline registers the table and says what" \
    "it is; then somebody trains on it as it is, which is where the trouble starts."
  script generate_patients.py patients.csv
  as pipeline
  expect 0 mlopsctl register dataset "$data" patients.csv --sensitivity special_category \
    --description "Discharges of two years, identified"
  script train.py patients.csv model-raw
  register_model model-raw "$data@v1"
  as rita
  expect 0 mlopsctl promote "$data@v1" --to clinical --reason "the ward's table, for quality work"
}

prod_refuses_the_tainted_model() {
  title "prod refuses the model that saw the patients"
  tell "The model inherits the label of what it was trained on. The plan shows every gate, the path that taints the" \
    "model, and what would pass; the promotion is refused with exit status 3, and nothing has changed."
  expect 3 mlopsctl plan "$model@v1" --to prod --reason "first version"
  expect 3 mlopsctl promote "$model@v1" --to prod --reason "first version"
}

mask_the_data() {
  title "The data go to research, masked"
  tell "research is not cleared for identified patients, so promoting the table there runs the policy on the server." \
    "Out comes a new dataset version with its evidence: what was done to each column, and a scan that found nothing left."
  expect 0 mlopsctl promote "$data@v1" --to research --reason "readmission study 2026-14"
  expect 0 mlopsctl show "$data-deid@v1"
}

train_on_masked_data() {
  title "The same model, trained on what may be used"
  tell "Pulled bytes are checked against their hashes. Two rows of what a researcher sees:"
  expect 0 mlopsctl pull "$data-deid@v1" masked
  masked=$(find masked -name '*.csv' | sort | head -n 1)
  [[ -n $masked ]] || stop "the pulled dataset holds no CSV file"
  head -n 3 "$masked"
  script train.py "$masked" model-first --features age,prior_admissions,length_of_stay_days,hba1c,creatinine
  as pipeline
  register_model model-first "$data-deid@v1"
}

first_release() {
  title "research, staging, prod: with a plan and a second person"
  as rita
  expect 0 mlopsctl promote "$model@v2" --to research --reason "trained on masked data"
  expect 0 mlopsctl promote "$model@v2" --to staging --reason "candidate for prod"
  tell "prod wants a yes from somebody who did not ask. The plan pins the facts by digest; the approval signs that digest."
  expect "$PENDING" mlopsctl plan "$model@v2" --to prod --reason "first version on masked data"
  plan=$(open_plan prod)
  expect 3 mlopsctl promote --plan "$plan"
  tell "Rita may approve other people's plans, but this one is her own."
  as rita-approving
  expect 4 mlopsctl approve "$plan" --reason "looks good to me"
  as omar
  expect 0 mlopsctl approve "$plan" --reason "AUC, lineage and masking evidence reviewed"
  as rita
  expect 0 mlopsctl promote --plan "$plan" --wait
  moment first_live
  expect 0 mlopsctl status
}

worse_version_refused() {
  title "A worse version stops at the metric gate"
  script train.py "$masked" model-worse --features age,systolic_bp,medications
  as pipeline
  register_model model-worse "$data-deid@v1"
  as rita
  expect 0 mlopsctl promote "$model@v3" --to research --reason "fewer features, cheaper to run"
  expect 3 mlopsctl promote "$model@v3" --to staging --reason "fewer features, cheaper to run"
}

third_version_live() {
  title "A better version goes live"
  script train.py "$masked" model-better
  as pipeline
  register_model model-better "$data-deid@v1"
  expect "$DIFFERENT" mlopsctl diff "$model@v2" "$model@v4"
  as rita
  expect 0 mlopsctl promote "$model@v4" --to research --reason "all clinical features"
  expect 0 mlopsctl promote "$model@v4" --to staging --reason "candidate for prod"
  expect "$PENDING" mlopsctl plan "$model@v4" --to prod --reason "all clinical features"
  plan=$(open_plan prod)
  as omar
  expect 0 mlopsctl approve "$plan" --reason "better on every metric"
  as rita
  expect 0 mlopsctl promote --plan "$plan" --wait
  moment third_live
  tell "What prod runs really predicts: the model of the release, pulled by the environment's name."
  expect 0 mlopsctl pull "$model#prod" live
  script predict.py "$(find live -name model.json)" "$masked" --limit 3
}

roll_back() {
  title "Back to the release before"
  tell "A rollback is the same machine as a promotion and runs today's gates again. The approval that this release had when" \
    "it ran here before still counts: going back in an incident must not wait for it."
  expect 0 mlopsctl rollback "$model" --env prod --reason "ward 7 reports implausible scores"
  moment rolled_back
}

two_hospitals() {
  title "Two hospitals, two regions, two approvers"
  tell "One declaration gives each hospital an environment. Both want two signed approvals; the European one is frozen while" \
    "it is certified. Omar and Vera make their signing keys; from now on only their signatures speak for them."
  as admin
  expect 0 mlopsctl env apply "$here/tenants.yaml"
  expect 0 mlopsctl env graph
  expect 0 mlopsctl token create vera --role approver --out tokens/vera
  expect 0 mlopsctl token create ona --role oncall --out tokens/ona
  as omar
  expect 0 mlopsctl key add --name workstation --expires 365d
  as vera
  expect 0 mlopsctl key add --name workstation --expires 365d
  as rita
  moment before_wards
  expect 3 mlopsctl plan "$model@v4" --to 'wards/*' --reason "all clinical features, both hospitals"
  plan=$(open_plan wards/st-elsewhere)
  as omar
  expect 0 mlopsctl approve "$plan" --reason "metrics and lineage reviewed" --meaning "technically fit"
  as vera
  expect 0 mlopsctl approve "$plan" --reason "thresholds agreed with the ward" --meaning "clinically safe"
  as rita
  expect 0 mlopsctl promote --plan "$plan"
}

break_the_glass() {
  title "An emergency during the freeze"
  tell "The freeze holds Rita up. Ona is on call and may pass over procedure, never over clearance or erasure; what she did is" \
    "loud, and nothing else moves there until somebody else has reviewed it."
  as rita
  expect 3 mlopsctl promote "$model@v4" --to wards/charite --reason "same version as in us-east"
  as ona
  expect 0 mlopsctl promote "$model@v4" --to wards/charite --break-glass --reason "incident 4711: the old scores are wrong"
  as rita
  expect 3 mlopsctl plan "$model@v2" --to wards/charite --reason "back to the first one"
  as ona
  expect 4 mlopsctl review close "$(open_review)" --outcome justified --note "my own"
  as vera
  expect 0 mlopsctl review list
  expect 0 mlopsctl review close "$(open_review)" --outcome justified --note "patients were at risk; watched for two hours"
}

what_the_auditor_asks() {
  title "What the auditor asks"
  as admin
  expect 0 mlopsctl board
  expect 0 mlopsctl status --as-of "$before_wards"
  expect "$DIFFERENT" mlopsctl diff "wards/charite@$before_wards" wards/charite@now
  expect 0 mlopsctl history --env wards/charite
  expect 0 mlopsctl audit log --action release.break_glass
  expect 0 mlopsctl decision verify
}

look_back() {
  title "What ran when, what it was made from, who did it"
  expect 0 mlopsctl status --env prod --as-of "$first_live"
  expect 0 mlopsctl status --env prod --as-of "$third_live"
  expect 0 mlopsctl status --env prod --as-of "$rolled_back"
  tell "What ran in prod at that moment, and what data trained it, in one command:"
  expect 0 mlopsctl ran prod --as-of "$third_live"
  expect 0 mlopsctl lineage "$model#prod" --up
  expect 0 mlopsctl lineage "$data@v1" --down
  expect 0 mlopsctl history --env prod
  as admin
  expect 0 mlopsctl audit log --action release.refused
  expect 0 mlopsctl audit verify
  expect 0 mlopsctl fsck --read-data
}

synthea() {
  title "The same masking on synthetic patients of another make"
  local table=$checkout/../shared/data/synthea-csv/patients.csv
  if [[ ! -f $table ]]; then
    tell "Skipped: ../shared/data/synthea-csv is not here."
    return
  fi
  as admin
  expect 0 mlopsctl policy apply "$here/policies/synthea-deid.yaml"
  expect 0 mlopsctl env apply "$here/synthea-environments.yaml"
  cp "$table" synthea-patients.csv
  as pipeline
  expect 0 mlopsctl register dataset hospital/synthea synthea-patients.csv --sensitivity special_category
  as rita
  expect 0 mlopsctl promote hospital/synthea@v1 --to synthea-research --reason "method comparison"
  expect 0 mlopsctl show hospital/synthea-deid@v1
}

# --- main -----------------------------------------------------------------------------------------------------------

cd "$story"
if [[ -e told ]]; then
  retell
  exit 0
fi
set_the_stage
raw_data_and_a_tainted_model
prod_refuses_the_tainted_model
mask_the_data
train_on_masked_data
first_release
worse_version_refused
third_version_live
roll_back
two_hospitals
break_the_glass
what_the_auditor_asks
look_back
synthea
touch told
title "The end"
tell "Every step above was enforced by the daemon and stands in the audit log, the refusals included."
