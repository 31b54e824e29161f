#!/usr/bin/env bash
# Checks log.pml with spin: every state of every run. `check.sh` alone: no violation may be found. `check.sh without <precaution>`:
# the model without that precaution, in which a violation must be found. Needs spin and gcc; exit status 77 when there is no spin.
set -euo pipefail
model="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/log.pml"
command -v spin >/dev/null || { echo "skipped: there is no spin (Debian's package spin; tools/setup --tests installs it)"; exit 77; }
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"

# Two producers with the fetch_add of one unit; one of each kind; one that goes round the ring; a disk that fails.
fast="-DFAST=2 -DEXACT=0"
mixed="-DFAST=1 -DEXACT=1"
laps="-DFAST=1 -DEXACT=0 -DFAST_RECORDS=7"
disk="-DDISK -DFAST=1 -DEXACT=0 -DFAST_RECORDS=3"

explore() {  # definitions: spin's verifier over all states; its words on stdout
  # shellcheck disable=SC2086  # several words on purpose
  spin $1 -a "$model"
  "${CC:-gcc}" -O1 -w -DSAFETY -DCOLLAPSE -DMEMLIM=2000 -o pan pan.c
  ./pan -m100000 -w22 >pan.out 2>&1 || true
  if grep -q 'errors: 1' pan.out; then
    sed -n 's/^pan:1: //p' pan.out
    return 1
  fi
  # Only a search that came to its end says that there is none.
  if ! grep -q 'errors: 0' pan.out || grep -Eq 'not completed|too small|MEMLIM' pan.out; then
    cat pan.out
    exit 2
  fi
  awk '/states, stored/ { print $1 " states, no violation" }' pan.out
}

if [ $# = 0 ]; then
  for run in "$fast" "$mixed" "$laps" "$disk"; do
    printf '%s: ' "$run"
    explore "$run"
  done
  exit 0
fi

[ "$1" = without ] && [ $# = 2 ] || { echo "usage: check.sh [without <precaution>]" >&2; exit 2; }
case "$2" in
  admitted_bound | copy_before_commit | look_behind_seal | second_look | parking_order) run="$fast" ;;
  exchange) run="$mixed" ;;
  cleaning | cleaning_first) run="$laps" ;;
  written_first | sync_before_ack | sync_before_mark | read_only) run="$disk" ;;
  *) echo "log.pml knows no precaution '$2'" >&2; exit 2 ;;
esac
define="WITHOUT_$(echo "$2" | tr '[:lower:]' '[:upper:]')"
grep -q "$define" "$model" || { echo "log.pml has no $define" >&2; exit 2; }
if explore "$run -D$define"; then
  echo "without $2 the model still holds: it does not see what that is for"
  exit 1
fi
echo "found, as it must be"
