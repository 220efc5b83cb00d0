#!/usr/bin/env bash
# gpu.sh: runs retinago and torchvision's RetinaNet side by side on an NVIDIA GPU, in turn and over several rounds, on the same weights
# and sizes, and prints medians, ratios and shares of the bf16 peak as Markdown.
#
#   bench/gpu.sh                                       every row: R50-FPN at 800x1344, training and inference
#   bench/gpu.sh -device cpu -arch resnet18 -size 128x160 -batch 2 -rounds 1 -repeat 2   tries the script out where there is no GPU
#   bench/gpu.sh -help
#
# PYTHON names a Python with PyTorch and torchvision for CUDA; retinago needs neither, but finds the cuDNN and cuBLASLt that pip put
# there. Builds bin/retinago where Go is, else takes the one that is there. Files go to $WORK, by default out/gpu.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { printf 'gpu: %s\n' "$*" >&2; exit 1; }

python=${PYTHON:-python3}
"$python" -c 'import torch, torchvision' || fail "$python has no torch and torchvision; PYTHON names another"
work=${WORK:-out/gpu}
mkdir -p "$work"
work=$(cd "$work" && pwd)
if command -v go >/dev/null; then
  make -s build TAGS="${TAGS-gpu}" >&2
else
  [ -x bin/retinago ] || fail "neither go nor bin/retinago; make build TAGS=gpu on another machine, and copy its bin/"
fi
PATH=$(dirname "$(command -v "$python")"):$PATH # where retinago looks for pip's packages
exec "$python" bench/gpu.py -work "$work" "$@"
