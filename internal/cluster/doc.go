// Package cluster connects the processes of one run, which mpirun or srun starts on one machine or on many.
//
// A World has the sums and exchanges that data-parallel training needs. Its results have the same bits on every process and from run to
// run, since sums are taken in the order of the processes. A Transport moves the bytes: Open MPI in a build with the tag mpi, goroutines
// in tests. A nil World is one process.
package cluster
