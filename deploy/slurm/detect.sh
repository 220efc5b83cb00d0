#!/bin/bash
# Detects on a folder in parts, each a task of an array: copies with boxes in FOUND, detections in FOUND.json.
#   sbatch --array 0-15 --cpus-per-task 4 deploy/slurm/detect.sh runs/my photos found
# Afterwards: retinago results merge found.*-of-16.json -out found.json
#SBATCH --job-name=retinago-detect
#SBATCH --requeue
set -euo pipefail
if [ $# -ne 3 ]; then
  echo "usage: sbatch --array 0-N [options] $0 MODEL SOURCE FOUND" >&2
  exit 2
fi
exec "${RETINAGO:-retinago}" detect "$1" "$2" -out "$3" -json "$3.json" -overwrite -shard auto
