//go:build mpi

package cluster

/*
#cgo pkg-config: ompi-c
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>
#include <mpi.h>

// cluster_init starts MPI for calls from one thread. Errors are returned from then on, instead of ending the process.
static int cluster_init(int *rank, int *size) {
	int have, e = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &have);
	if (e != MPI_SUCCESS) return e;
	if (have < MPI_THREAD_FUNNELED) return MPI_ERR_OTHER;
	MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
	if ((e = MPI_Comm_rank(MPI_COMM_WORLD, rank)) != MPI_SUCCESS) return e;
	return MPI_Comm_size(MPI_COMM_WORLD, size);
}

static double cluster_now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + 1e-9 * t.tv_nsec;
}

// cluster_wait waits until n requests are done. MPI's own wait keeps a core busy, which other processes of this machine may need; this one
// sleeps, for longer the longer it waits: a sixteenth of the time so far, at most half a millisecond.
static int cluster_wait(int n, MPI_Request *all) {
	const double begin = cluster_now();
	for (int turn = 0;; turn++) {
		int done = 0, e = MPI_Testall(n, all, &done, MPI_STATUSES_IGNORE);
		if (e != MPI_SUCCESS || done) return e;
		const double waited = cluster_now() - begin;
		if (waited < 50e-6) continue;
		if (waited < 500e-6) { sched_yield(); continue; }
		double nap = waited / 16;
		if (nap > 500e-6) nap = 500e-6;
		struct timespec t = {0, (long)(nap * 1e9)};
		nanosleep(&t, NULL);
	}
}

static int cluster_exchange(int n, int rank, void **send, int *out, void **recv, int *in) {
	MPI_Request *all = malloc(2 * n * sizeof *all);
	if (!all) return MPI_ERR_NO_MEM;
	int k = 0, e = MPI_SUCCESS;
	for (int p = 0; p < n && e == MPI_SUCCESS; p++)
		if (p != rank) e = MPI_Irecv(recv[p], in[p], MPI_BYTE, p, 0, MPI_COMM_WORLD, &all[k++]);
	for (int p = 0; p < n && e == MPI_SUCCESS; p++)
		if (p != rank) e = MPI_Isend(send[p], out[p], MPI_BYTE, p, 0, MPI_COMM_WORLD, &all[k++]);
	if (e == MPI_SUCCESS) e = cluster_wait(k, all);
	free(all);
	return e;
}

static void cluster_abort(int code) { MPI_Abort(MPI_COMM_WORLD, code); }
*/
import "C"

import (
	"fmt"
	"runtime"
	"strings"
	"unsafe"
)

// mpi is Open MPI. All its calls are made by one goroutine on a thread of its own, as MPI_THREAD_FUNNELED wants.
type mpi struct {
	calls      chan func()
	rank, size int
}

var _ Transport = (*mpi)(nil)

// join connects n processes, by what their launcher says.
func join(n int) (*World, error) {
	m := &mpi{calls: make(chan func())}
	go func() {
		runtime.LockOSThread()
		for call := range m.calls {
			call()
		}
	}()
	err := m.call("MPI_Init_thread", func() C.int {
		var rank, size C.int
		e := C.cluster_init(&rank, &size)
		m.rank, m.size = int(rank), int(size)
		return e
	})
	if err != nil {
		return nil, err
	}
	if m.size < n {
		m.Close()
		return nil, fmt.Errorf("cluster: the launcher started %d processes, and MPI connects %d: start the program with the mpirun of %s, or with srun --mpi=pmix", n, m.size, m.Name())
	}
	if m.size == 1 {
		return nil, m.Close()
	}
	return New(m)
}

// call makes a call on MPI's thread.
func (m *mpi) call(name string, f func() C.int) error {
	code := make(chan C.int)
	m.calls <- func() { code <- f() }
	e := <-code
	if e == C.MPI_SUCCESS {
		return nil
	}
	return fmt.Errorf("%s: MPI error %d", name, int(e))
}

// Name returns the first part of the library's description, as "Open MPI v4.1.4".
func (m *mpi) Name() string {
	text := make([]byte, C.MPI_MAX_LIBRARY_VERSION_STRING)
	var n C.int
	C.MPI_Get_library_version((*C.char)(unsafe.Pointer(&text[0])), &n) // allowed on any thread, at any time
	name, _, _ := strings.Cut(string(text[:n]), ",")
	return name
}

func (m *mpi) Rank() int { return m.rank }
func (m *mpi) Size() int { return m.size }

func (m *mpi) Exchange(send, recv [][]byte) error {
	var pin runtime.Pinner
	defer pin.Unpin()
	list := func(blocks [][]byte) ([]unsafe.Pointer, []C.int) {
		at, length := make([]unsafe.Pointer, m.size), make([]C.int, m.size)
		for p, b := range blocks {
			if len(b) > 0 && p != m.rank {
				pin.Pin(unsafe.SliceData(b))
				at[p], length[p] = unsafe.Pointer(unsafe.SliceData(b)), C.int(len(b))
			}
		}
		return at, length
	}
	out, outLength := list(send)
	in, inLength := list(recv)
	return m.call("exchange", func() C.int {
		return C.cluster_exchange(C.int(m.size), C.int(m.rank), &out[0], &outLength[0], &in[0], &inLength[0])
	})
}

func (m *mpi) Abort(code int) {
	m.calls <- func() { C.cluster_abort(C.int(code)) }
	select {} // MPI ends the process
}

func (m *mpi) Close() error {
	err := m.call("MPI_Finalize", func() C.int { return C.MPI_Finalize() })
	close(m.calls)
	return err
}
