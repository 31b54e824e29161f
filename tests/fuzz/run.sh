#!/usr/bin/env bash
# tests/fuzz/run.sh BUILD [SECONDS]: runs the five fuzzers of a build of the preset `fuzz` at once, each on a copy of its corpus. What
# they find is left in BUILD and named; then the exit status is 1.
set -uo pipefail
build="$(cd "${1:?a build folder of the preset fuzz}" && pwd)"
seconds="${2:-${IOTSTREAM_FUZZ_SECONDS:-10}}"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
status=0
declare -A runs
for name in json csv xml points mqtt; do
  corpus="$build/corpus-$name"
  mkdir -p "$corpus"
  cp -n "$here/corpus/$name"/* "$corpus"
  "$build/tests/fuzz/fuzz_$name" -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
    -artifact_prefix="$build/found-$name-" "$corpus" >"$build/fuzz-$name.log" 2>&1 &
  runs[$name]=$!
done
for name in "${!runs[@]}"; do
  if wait "${runs[$name]}"; then
    printf '%s: %s inputs\n' "$name" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/fuzz-$name.log")"
  else
    tail -n 40 "$build/fuzz-$name.log"
    status=1
  fi
done
exit $status
