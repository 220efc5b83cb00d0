//go:build mpi

package cluster_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"retinago/internal/cluster"
)

// role is the variable that makes a test a process of mpirun.
const role = "RETINAGO_TEST_CLUSTER"

// mpirun starts a test of this binary as n processes.
func mpirun(t *testing.T, n int, test, as string) (string, error) {
	t.Helper()
	path, err := exec.LookPath("mpirun")
	if err != nil {
		t.Skip("no mpirun here: Open MPI is not installed")
	}
	c := exec.Command(path, "--oversubscribe", "--allow-run-as-root", "-n", fmt.Sprint(n), os.Args[0], "-test.run", "^"+test+"$", "-test.v")
	c.Env = append(os.Environ(), role+"="+as)
	out, err := c.CombinedOutput()
	return string(out), err
}

// MPI conforms, on 2 and 4 processes.
func TestMPI(t *testing.T) {
	if os.Getenv(role) == "conform" {
		w, err := cluster.Join()
		if err != nil {
			t.Fatal(err)
		}
		if err := conform(w); err != nil {
			t.Fatal(err)
		}
		if rank, size := w.Local(); rank != w.Rank() || size != w.Size() {
			t.Errorf("process %d of %d is %d of %d of its machine", w.Rank(), w.Size(), rank, size)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		fmt.Printf("CONFORMS %v\n", w)
		return
	}
	for _, n := range []int{2, 4} {
		out, err := mpirun(t, n, "TestMPI", "conform")
		if err != nil || strings.Count(out, fmt.Sprintf("CONFORMS %d processes by Open MPI v", n)) != n {
			t.Errorf("%d processes: %v\n%s", n, err, out)
		}
	}
}

// A process that aborts ends those that wait for it, at once and with its exit code.
func TestMPIAbort(t *testing.T) {
	if os.Getenv(role) == "abort" {
		w, err := cluster.Join()
		if err != nil {
			t.Fatal(err)
		}
		if w.Rank() == 1 {
			w.Abort(7)
		}
		err = w.Barrier()
		t.Fatalf("process %d went on: %v", w.Rank(), err)
	}
	begin := time.Now()
	out, err := mpirun(t, 2, "TestMPIAbort", "abort")
	if e, ok := err.(*exec.ExitError); !ok || e.ExitCode() != 7 || strings.Contains(out, "went on") {
		t.Errorf("%v\n%s", err, out)
	}
	if d := time.Since(begin); d > 10*time.Second {
		t.Errorf("the others ended after %v", d)
	}
}

// Without mpirun the program is one process.
func TestMPIAlone(t *testing.T) {
	for _, name := range []string{"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK"} {
		t.Setenv(name, "")
	}
	if w, err := cluster.Join(); w != nil || err != nil {
		t.Errorf("%v, %v", w, err)
	}
}
