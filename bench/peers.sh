#!/usr/bin/env bash
# peers.sh: runs retinago and the programs that people use instead, side by side on the same weights, pictures and sizes,
# in turn and over several rounds, and prints a table of medians, minima and ratios as Markdown.
#
#   bench/peers.sh                            every row; about an hour
#   bench/peers.sh -rows 'r50-640 train-r18' -rounds 5 -out table.md
#   bench/peers.sh -help                      the rows, and how to add one
#
# Installs with apt and npm what the machine lacks. The Python and JavaScript here are for the comparison alone: retinago
# needs neither. Files go to $WORK, by default out/peers.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { printf 'peers: %s\n' "$*" >&2; exit 1; }

python=/usr/bin/python3
work=${WORK:-out/peers}
mkdir -p "$work"
work=$(cd "$work" && pwd)

packages=()
[ -x "$python" ] || packages+=(python3)
for m in torch:python3-torch torchvision:python3-torchvision cv2:python3-opencv numpy:python3-numpy; do
  [ -x "$python" ] && "$python" -c "import importlib.util, sys; sys.exit(importlib.util.find_spec('${m%%:*}') is None)" || packages+=("${m##*:}")
done
command -v node >/dev/null || packages+=(nodejs)
command -v npm >/dev/null || packages+=(npm)
if [ ${#packages[@]} -gt 0 ]; then
  command -v apt-get >/dev/null || fail "no apt here; install what these Debian packages hold: ${packages[*]}"
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "neither root nor sudo; ask an administrator for: apt-get install --no-install-recommends ${packages[*]}"
    as_root=(sudo)
  fi
  echo "peers: installing ${packages[*]}" >&2
  { "${as_root[@]}" apt-get -q update && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "${packages[@]}"; } >"$work/apt.log" 2>&1 ||
    fail "apt could not install ${packages[*]}; see $work/apt.log"
fi

ort=${XDG_CACHE_HOME:-$HOME/.cache}/retinago-bench
mkdir -p "$ort" && cp bench/package.json "$ort/"
(cd "$ort" && npm install --silent --ignore-scripts --no-audit --no-fund) || fail "npm brings no onnxruntime-node"

make -s build >&2

# Debian's OpenBLAS takes processors that it does not know for a Prescott, which is several times slower: nothing to win
# against. Kernels for AVX-512 or AVX2 run on all that have them.
if [ -z "${OPENBLAS_CORETYPE:-}" ]; then
  flags=$(grep -m1 '^flags' /proc/cpuinfo || true)
  case " $flags " in
  *' avx512f '*) export OPENBLAS_CORETYPE=SKYLAKEX ;;
  *' avx2 '*) export OPENBLAS_CORETYPE=HASWELL ;;
  esac
fi
exec "$python" bench/peers.py -work "$work" -ort "$ort" "$@"
