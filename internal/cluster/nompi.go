//go:build !mpi

package cluster

import "fmt"

func join(n int) (*World, error) {
	if n == 1 {
		return nil, nil
	}
	return nil, fmt.Errorf("cluster: %d processes were started together, and this program is built without MPI: build it with make build TAGS='opencv mpi', or start one process", n)
}
