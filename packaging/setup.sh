# Shared by ./run and ./test: packages and building. Sourced with `root` set to the checkout and errexit on.
# Everything here talks on standard error; standard output belongs to the caller.

say() { printf '%s\n' "$*" >&2; }
die() { say "${0##*/}: $*"; exit 1; }

# Long fuzzing is asked for: libFuzzer drives the targets, built by clang. Without it they are built with the rest.
fuzzes_long() { [[ -n ${MLOPS_FUZZ_SECONDS-} ]]; }

# The names in apt-packages.txt, one a line; for long fuzzing those in apt-packages-fuzz.txt too.
listed_packages() {
  local lists=("$root/packaging/apt-packages.txt")
  if fuzzes_long; then lists+=("$root/packaging/apt-packages-fuzz.txt"); fi
  sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d' "${lists[@]}"
}

missing_packages() {
  local package
  for package in $(listed_packages); do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || echo "$package"
  done
}

# The line a person would type; all packages, so that it also serves an image build.
print_apt_line() {
  local missing
  echo "apt-get install -y --no-install-recommends $(listed_packages | paste -sd ' ')"
  missing=$(missing_packages | paste -sd ' ')
  if [[ -n $missing ]]; then say "missing here: $missing"; else say "nothing is missing here"; fi
}

install_missing_packages() {
  command -v dpkg-query >/dev/null || die "this needs Debian 12, Debian 13 or Ubuntu 24.04 (no dpkg-query found)"
  local missing as_root=() log
  missing=$(missing_packages)
  [[ -n $missing ]] || return 0
  if [[ $(id -u) != 0 ]]; then
    command -v sudo >/dev/null || die "packages are missing and neither root nor sudo is at hand; as root:
  apt-get install -y --no-install-recommends $(paste -sd ' ' <<<"$missing")"
    as_root=(sudo)
  fi
  say "installing $(wc -w <<<"$missing") missing packages: $(paste -sd ' ' <<<"$missing")"
  log=$(mktemp)
  if ! { "${as_root[@]}" apt-get update -q &&
         # shellcheck disable=SC2086  # one word a package
         "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
       } >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    die "apt-get failed (above); ./${0##*/} --no-install prints the line to run yourself"
  fi
  rm -f "$log"
}

# Copies a build's output to a log; on a terminal shows one moving line with Ninja's [done/total].
follow_build() {
  local log=$1 line
  if [[ ! -t 2 ]]; then cat >"$log"; return; fi
  : >"$log"
  while IFS= read -r line; do
    printf '%s\n' "$line" >>"$log"
    [[ $line == \[* ]] && printf '\r  %s\033[K' "${line%%]*}]" >&2
  done
  printf '\r\033[K' >&2
}

# build PRESET LOG [TARGET…]: configures when needed and builds; the end of the log on failure.
build() {
  local preset=$1 log=$2 targets=() started=$SECONDS
  shift 2
  if (($#)); then targets=(--target "$@"); fi
  mkdir -p "${log%/*}"
  if ! (cd "$root" && cmake --preset "$preset") >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    die "configuring failed; the whole log is $log"
  fi
  [[ -e $root/build/.built-$preset ]] || say "building, preset $preset; the first time takes some minutes …"
  if ! (cd "$root" && cmake --build --preset "$preset" "${targets[@]}" 2>&1) | follow_build "$log"; then
    grep -nE 'error|FAILED' "$log" | head -n 20 >&2 || true
    tail -n 25 "$log" >&2
    die "the build failed; the whole log is $log"
  fi
  touch "$root/build/.built-$preset"
  say "built (preset $preset, $((SECONDS - started)) s)"
}
