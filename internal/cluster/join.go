package cluster

import (
	"os"
	"strconv"
)

// launched returns how many processes a launcher started with this one, as its environment variables say: those of Open MPI's mpirun, of
// PMI-2 and of PMIx, which srun sets with --mpi=pmi2 and --mpi=pmix. ok is false without a launcher.
func launched(getenv func(string) string) (n int, ok bool) {
	for _, name := range []string{"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"} {
		if n, err := strconv.Atoi(getenv(name)); err == nil && n > 0 {
			return n, true
		}
	}
	if getenv("PMIX_RANK") == "" {
		return 1, false
	}
	if n, err := strconv.Atoi(getenv("SLURM_STEP_NUM_TASKS")); err == nil && n > 0 {
		return n, true
	}
	return 1, true
}

// Join connects this process with those that mpirun or srun started with it. It returns nil, one process, where no launcher did, or where
// it started one process only. A program joins once.
func Join() (*World, error) {
	n, ok := launched(os.Getenv)
	if !ok || n == 1 && os.Getenv("PMIX_RANK") == "" {
		return nil, nil
	}
	return join(n)
}
