#!/usr/bin/env bash
# serve.sh: loads `retinago serve` with wrk. Prints the answers by status, the latency of the accepted requests, and the memory.
#
#   bench/serve.sh -weights runs/shapes_tiny/best.safetensors -picture out/shapes/val/000001.jpg
#   bench/serve.sh ... -seconds 120 -clients 128 -stop      # SIGTERM while it is loaded
#
# First one client finds the capacity, then -clients at once ask for more than there is: all that is not answered must be 429.
# Latencies are those of /metrics, of accepted requests: from the whole body to the answer. A first load of 5 s, which makes the
# graphs of all batch sizes, does not count.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { printf 'serve.sh: %s\n' "$*" >&2; exit 1; }
weights='' picture='' seconds=30 clients=64 queue=32 batch=4 threads=0 addr=localhost:18080 stop=
while [ $# -gt 0 ]; do
  case $1 in
    -weights) weights=$2; shift 2 ;;
    -picture) picture=$2; shift 2 ;;
    -seconds) seconds=$2; shift 2 ;;
    -clients) clients=$2; shift 2 ;;
    -queue) queue=$2; shift 2 ;;
    -batch) batch=$2; shift 2 ;;
    -threads) threads=$2; shift 2 ;;
    -addr) addr=$2; shift 2 ;;
    -stop) stop=1; shift ;;
    *) sed -n '2,10p' "$0"; exit 2 ;;
  esac
done
if [ -z "$weights" ] || [ -z "$picture" ]; then fail "give -weights and -picture"; fi
command -v wrk >/dev/null || fail "wrk is not here: apt-get install wrk"

log=$(mktemp)
bin/retinago serve -weights "model=$weights" -addr "$addr" -queue "$queue" -batch "$batch" -threads "$threads" >"$log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true; rm -f "$log" "$log.load" "$log.before"' EXIT
for _ in $(seq 100); do
  curl -fs "http://$addr/readyz" >/dev/null && break
  kill -0 "$server" 2>/dev/null || { cat "$log" >&2; fail "the server ended"; }
  sleep .1
done
memory() { awk '/VmRSS/ { printf "%d MB", $2 / 1024 }' "/proc/$server/status"; }

export PICTURE=$picture
load() { wrk -t "$1" -c "$2" -d "$3" --timeout 60s -s bench/serve.lua "http://$addr/v1/detect" | tail -n 1; }
echo "memory at the start: $(memory)"
echo "one client:  $(load 1 1 5)"
load 2 "$clients" 5 >/dev/null
curl -fs "http://$addr/metrics" >"$log.before"
echo "memory: $(memory)"
load 2 "$clients" "$seconds" >"$log.load" &
wrk=$!
if [ -n "$stop" ]; then
  sleep $((seconds / 2))
  kill -TERM "$server"
  wait "$server" || { cat "$log" >&2; fail "the server ended with $?"; }
  wait "$wrk" || true
  echo "$clients clients, stopped after $((seconds / 2)) s: $(cat "$log.load")"
  tail -n 1 "$log"
  exit
fi
while kill -0 "$wrk" 2>/dev/null; do sleep 5; echo "memory: $(memory)"; done
echo "$clients clients: $(cat "$log.load")"
curl -fs "http://$addr/metrics" | awk '
  # A quantile lies below the upper bound of its bucket.
  function upto(share, n,  i) { for (i = 1; i <= n; i++) if (count[i] >= share * count[n]) return bound[i]; }
  NR == FNR { before[$1] = $NF; next }
  /^retinago_accepted_seconds_bucket/ { match($0, /le="[^"]*"/); bound[++n] = substr($0, RSTART + 4, RLENGTH - 5); count[n] = $NF - before[$1] }
  /^retinago_batch_pictures_(sum|count)/ { total[$1 ~ /_sum/] = $NF - before[$1] }
  END { printf "accepted requests: p50 <= %.2f s, p99 <= %.2f s, all <= %.2f s; %.2f pictures a batch\n", upto(.5, n), upto(.99, n), upto(1, n), total[1] / total[0] }' "$log.before" -
