//go:build !mpi

package cluster

import (
	"strings"
	"testing"
)

// A program without MPI runs alone under mpirun -n 1, and says what is missing where there are several processes.
func TestWithoutMPI(t *testing.T) {
	t.Setenv("PMIX_RANK", "")
	t.Setenv("OMPI_COMM_WORLD_SIZE", "1")
	if w, err := Join(); w != nil || err != nil {
		t.Errorf("%v, %v", w, err)
	}
	t.Setenv("OMPI_COMM_WORLD_SIZE", "3")
	if _, err := Join(); err == nil || !strings.Contains(err.Error(), "3 processes") || !strings.Contains(err.Error(), "TAGS='opencv mpi'") {
		t.Errorf("%v", err)
	}
}
