# How story.sh tells: titles, prose, commands with their expected exit status, and who is acting.
# Sourced with errexit on; needs story, here, checkout, model and admin_token_file.

# mlopsctl's answers that are not plain successes (its exit-status table).
PENDING=3    # a plan that still waits for approvals
DIFFERENT=3  # diff: there is a difference

if [[ -t 1 && -z ${NO_COLOR-} && ${TERM-} != dumb ]]; then
  bold=$'\e[1m' dim=$'\e[2m' accent=$'\e[36m' plain=$'\e[0m'
else
  bold='' dim='' accent='' plain=''
fi
chapter=0
actor=admin

title() {
  chapter=$((chapter + 1))
  printf '\n%s%s. %s%s\n' "$bold" "$chapter" "$*" "$plain"
}

tell() { printf '\n%s\n' "$(fold -s -w 100 <<<"$*" | sed 's/ $//')"; }

stop() {
  printf '%sThe story stops here: %s%s\n' "$bold" "$*" "$plain" >&2
  exit 1
}

# The command as a person would type it; the story's own scripts and files without their folder.
shown() {
  local word line=
  for word in "$@"; do
    word=${word#"$here/"}
    if [[ $word == *[[:space:]\;\&\|\<\>\(\)\$\"]* ]]; then word="\"$word\""; fi
    line+=" $word"
  done
  printf '%s' "${line# }"
}

# From here on this principal acts.
as() {
  actor=$1
  if [[ $actor == admin ]]; then
    if [[ -n $admin_token_file ]]; then export MLOPS_TOKEN_FILE=$admin_token_file; else unset MLOPS_TOKEN_FILE; fi
  else
    export MLOPS_TOKEN_FILE=$story/tokens/$actor
  fi
}

# expect STATUS COMMAND…: shows and runs it; another exit status ends the story.
expect() {
  local wanted=$1 status=0
  shift
  printf '\n%s[%s]%s %s$ %s%s\n' "$dim" "$actor" "$plain" "$accent" "$(shown "$@")" "$plain"
  "$@" 2>&1 || status=$?
  if ((wanted != 0 && status == wanted)); then printf '%s(exit status %s, as it should be)%s\n' "$dim" "$status" "$plain"; fi
  ((status == wanted)) || stop "that command ended with $status, not $wanted"
}

# One of the example's own programs.
script() {
  local name=$1 status=0
  shift
  printf '\n%s$ %s%s\n' "$accent" "$(shown "$name" "$@")" "$plain"
  python3 "$here/$name" "$@" || status=$?
  ((status == 0)) || stop "$name ended with $status"
}

# A member of the JSON on standard input: json_field auc
json_field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

# register_model DIR TRAINING-DATA: as the pipeline does after training, with the metrics that training measured.
register_model() {
  local folder=$1 trained_on=$2 metric metrics=() code=()
  for metric in auc accuracy brier; do
    metrics+=(--metric "$metric=$(json_field "$metric" <"$folder/metrics.json")")
  done
  # The code's provenance, when the checkout is a git repository with a commit.
  if git -C "$checkout" rev-parse --quiet --verify HEAD >/dev/null 2>&1; then code=(--git "$checkout"); fi
  expect 0 mlopsctl register model "$model" "$folder" --input "$trained_on" --role train "${metrics[@]}" "${code[@]}"
}

# The id of the newest plan for an environment that is still open.
open_plan() {
  mlopsctl plans --state open --env "$1" -o json | python3 -c '
import json, sys
plans = json.load(sys.stdin)
plans = plans["items"] if isinstance(plans, dict) else plans
print(max(plans, key=lambda plan: plan["requested_at"])["id"])' || stop "no open plan for $1"
}

# moment NAME: remembers the present time for --as-of.
moment() { printf -v "$1" '%s' "$(date -u +%Y-%m-%dT%H:%M:%S.%6NZ)"; }

# The break-glass promotion that waits longest for a review.
open_review() {
  mlopsctl review list -o json | python3 -c '
import json, sys
reviews = json.load(sys.stdin)
reviews = reviews["items"] if isinstance(reviews, dict) else reviews
print(reviews[-1]["deployment"])' || stop "no review is open"
}
