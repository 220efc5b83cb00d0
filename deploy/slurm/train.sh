#!/bin/bash
# Trains in several processes and survives preemption and the time limit: Slurm signals the processes two minutes before the end, they save,
# and the job goes back into the queue. It continues with any number of tasks.
#   sbatch --nodes 4 --ntasks-per-node 2 --cpus-per-task 16 deploy/slurm/train.sh my.yaml runs/my
#SBATCH --job-name=retinago-train
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:USR1@120
set -euo pipefail
if [ $# -ne 2 ]; then
  echo "usage: sbatch [options] $0 CONFIG RUN" >&2
  exit 2
fi
config=$1 run=$2
resume=()
if [ -e "$run/last.state.safetensors" ]; then resume=(-resume); fi

again=
# Slurm sends USR1 to this script alone. srun passes TERM on to all processes, which end after the same step and save.
# shellcheck disable=SC2317 # trap calls it
stop() { again=yes; kill -TERM "$step" 2>/dev/null || true; }
trap stop USR1 TERM
srun --mpi="${RETINAGO_MPI:-pmix}" --kill-on-bad-exit=1 "${RETINAGO:-retinago}" train -config "$config" -out "$run" "${resume[@]}" &
step=$!
code=0
wait "$step" || code=$?
while kill -0 "$step" 2>/dev/null; do # a signal ended the wait, not the step
  code=0
  wait "$step" || code=$?
done
if [ -n "$again" ]; then
  scontrol requeue "$SLURM_JOB_ID"
  exit 0
fi
exit "$code"
