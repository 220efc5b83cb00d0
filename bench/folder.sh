#!/usr/bin/env bash
# folder.sh: runs `retinago detect` on a folder of synthetic pictures, of which one in fifty is cut short. Prints the network's share of
# the time, the resident memory after 500 pictures and later, and whether detect named each broken picture.
#
#   bench/folder.sh -weights runs/shapes_tiny/best.safetensors
#   bench/folder.sh -weights W -count 20000 -work out/folder
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { printf 'folder.sh: %s\n' "$*" >&2; exit 1; }
weights='' count=5000 work=out/folder
while [ $# -gt 0 ]; do
  case $1 in
    -weights) weights=$2; shift 2 ;;
    -count) count=$2; shift 2 ;;
    -work) work=$2; shift 2 ;;
    *) sed -n '2,6p' "$0"; exit 2 ;;
  esac
done
[ -n "$weights" ] || fail "give -weights"
[ "$count" -gt 500 ] || fail "-count $count: give more than 500"

pictures=$work/$count
if [ ! -e "$pictures/done" ]; then
  bin/retinago data shapes -out "$pictures" -train 1 -val "$count" >/dev/null
  n=0
  for f in "$pictures"/val/*.jpg; do
    n=$((n + 1))
    if [ $((n % 50)) -eq 0 ]; then
      size=$(stat -c %s "$f")
      truncate -s $((size / 2)) "$f"
      echo "$f"
    fi
  done >"$pictures/cut"
  touch "$pictures/done"
fi

lines=$work/found.jsonl
: >"$lines"
# The exit code reports the broken ones.
bin/retinago detect -weights "$weights" -source "$pictures/val" -jsonl "$lines" -quiet -times >"$work/summary" 2>"$work/messages" &
detect=$!
while kill -0 "$detect" 2>/dev/null; do
  echo "$(wc -l <"$lines") $(awk '/VmRSS/ { print $2 / 1024 }' "/proc/$detect/status" 2>/dev/null)"
  sleep .5
done | awk 'NF == 2' >"$work/memory"
wait "$detect" || code=$?
cat "$work/summary"
echo "exit code ${code:-0}; $(wc -l <"$lines") lines"
awk '$1 >= 500 { if (!start) { start = $2; at = $1 } last = $2; if ($2 > most) most = $2 }
  END { printf "memory: %.1f MB after %d pictures, %.1f MB at most from there on, %.1f MB at the end: %+.1f %%\n", start, at, most, last, 100 * (last / start - 1) }' "$work/memory"
unnamed=$(while read -r f; do grep -qF "$f" "$work/messages" || echo "$f"; done <"$pictures/cut" | wc -l)
echo "$(wc -l <"$pictures/cut") pictures were cut, $unnamed of them are not named in the messages"
