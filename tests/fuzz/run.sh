#!/usr/bin/env bash
# tests/fuzz/run.sh BUILD [NAME…]: runs fuzzers of a build of the preset `fuzz` (all but the canary by default), two side by side, each for
# IOTSTREAM_FUZZ_SECONDS (60) on a copy of its corpus. What they find is left in BUILD and named; then the exit status is 1.
set -uo pipefail
build="$(cd "${1:?a build folder of the preset fuzz}" && pwd)"
shift
[ $# -gt 0 ] || set -- json csv xml points mqtt toml
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

run() {
  local name="$1" corpus="$2/corpus-$1"
  mkdir -p "$corpus"
  cp -n "$3/corpus/${name/canary/mqtt}"/* "$corpus"
  if "$2/tests/fuzz/fuzz_$name" -max_total_time="${IOTSTREAM_FUZZ_SECONDS:-60}" -max_len=4096 -timeout=10 -rss_limit_mb=1024 \
    -print_final_stats=1 -artifact_prefix="$2/found-$name-" "$corpus" >"$2/fuzz-$name.log" 2>&1; then
    printf '%s: %s inputs\n' "$name" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$2/fuzz-$name.log")"
  else
    tail -n 60 "$2/fuzz-$name.log"
    printf '%s: an input that fails is kept as %s\n' "$name" "$(ls -t "$2/found-$name-"* 2>/dev/null | head -n 1)"
    return 1
  fi
}
export -f run
printf '%s\n' "$@" | xargs -P 2 -I NAME bash -c 'run "$@"' run NAME "$build" "$here" || exit 1
