package cluster

import "testing"

func TestLaunched(t *testing.T) {
	for _, k := range []struct {
		env map[string]string
		n   int
		ok  bool
	}{
		{nil, 1, false},
		{map[string]string{"SLURM_NTASKS": "8", "SLURM_STEP_NUM_TASKS": "8"}, 1, false}, // a job, whose program runs alone
		{map[string]string{"OMPI_COMM_WORLD_SIZE": "4", "PMIX_RANK": "1"}, 4, true},
		{map[string]string{"OMPI_COMM_WORLD_SIZE": "1"}, 1, true},
		{map[string]string{"PMI_SIZE": "2", "PMI_RANK": "0"}, 2, true},
		{map[string]string{"PMIX_RANK": "0", "SLURM_STEP_NUM_TASKS": "16"}, 16, true},
		{map[string]string{"PMIX_RANK": "0"}, 1, true},
		{map[string]string{"OMPI_COMM_WORLD_SIZE": "x"}, 1, false},
	} {
		if n, ok := launched(func(name string) string { return k.env[name] }); n != k.n || ok != k.ok {
			t.Errorf("%v: %d, %t, want %d, %t", k.env, n, ok, k.n, k.ok)
		}
	}
}
