package cluster

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// World is the processes of a run. Every process calls the same methods in the same order; a call returns when all processes have made it
// or when a connection fails. One goroutine at a time may use a World. All methods work on a nil World, which is this process alone.
type World struct {
	transport Transport
	hosts     []string // by process
	sharing   int      // processes of this machine that run on the same processors, this one included
	received  []byte   // of Sum32, kept from call to call
}

// New returns the world of a transport. All processes call it at once: they exchange the names of their machines and the processors on which
// they may run.
func New(t Transport) (*World, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("cluster: the name of this machine: %w", err)
	}
	w := &World{transport: t}
	var may unix.CPUSet
	if err := unix.SchedGetaffinity(0, &may); err != nil {
		return nil, fmt.Errorf("cluster: the processors of this process: %w", err)
	}
	own := fmt.Sprintf("%s\n%x", host, may)
	all, err := w.Gather([]byte(own))
	if err != nil {
		return nil, err
	}
	for _, b := range all {
		h, _, _ := strings.Cut(string(b), "\n")
		w.hosts = append(w.hosts, h)
		if string(b) == own {
			w.sharing++
		}
	}
	return w, nil
}

// Rank returns the number of this process, from 0.
func (w *World) Rank() int {
	if w == nil {
		return 0
	}
	return w.transport.Rank()
}

// Size returns the number of processes.
func (w *World) Size() int {
	if w == nil {
		return 1
	}
	return w.transport.Size()
}

// First reports whether this process has number 0, which writes the files of a run.
func (w *World) First() bool { return w.Rank() == 0 }

// Local returns the number of this process among those of its machine, from 0, and how many these are.
func (w *World) Local() (rank, size int) {
	if w == nil {
		return 0, 1
	}
	for p, h := range w.hosts {
		if h != w.hosts[w.Rank()] {
			continue
		}
		if p < w.Rank() {
			rank++
		}
		size++
	}
	return rank, size
}

// Sharing returns how many processes, this one included, run on the processors of this one. A launcher may bind each process to processors
// of its own; then it is 1.
func (w *World) Sharing() int {
	if w == nil {
		return 1
	}
	return w.sharing
}

// String describes the processes and their machines in one line, as in "4 processes by Open MPI v4.1.4: 0-1 on a, 2-3 on b".
func (w *World) String() string {
	if w == nil {
		return "1 process"
	}
	var machines []string
	for from := 0; from < len(w.hosts); {
		to := from + 1
		for to < len(w.hosts) && w.hosts[to] == w.hosts[from] {
			to++
		}
		name := fmt.Sprint(from)
		if to > from+1 {
			name += fmt.Sprintf("-%d", to-1)
		}
		machines = append(machines, name+" on "+w.hosts[from])
		from = to
	}
	return fmt.Sprintf("%d processes by %s: %s", w.Size(), w.transport.Name(), strings.Join(machines, ", "))
}

// Process names a process and its machine for a message.
func (w *World) Process(rank int) string {
	switch {
	case w == nil:
		return "process 0"
	case rank >= len(w.hosts): // in New
		return fmt.Sprintf("process %d", rank)
	}
	return fmt.Sprintf("process %d on %s", rank, w.hosts[rank])
}

// Gather returns what each process passes, by process.
func (w *World) Gather(b []byte) ([][]byte, error) {
	if w.Size() == 1 {
		return [][]byte{slices.Clone(b)}, nil
	}
	length := binary.LittleEndian.AppendUint64(nil, uint64(len(b)))
	lengths := w.blocks(func(int) int { return len(length) })
	if err := w.exchange(w.same(length), lengths); err != nil {
		return nil, err
	}
	out := w.blocks(func(p int) int {
		if p == w.Rank() {
			return 0
		}
		return int(binary.LittleEndian.Uint64(lengths[p]))
	})
	if err := w.exchange(w.same(b), out); err != nil {
		return nil, err
	}
	out[w.Rank()] = slices.Clone(b)
	return out, nil
}

// Share returns what process 0 passes; the argument of other processes is not read.
func (w *World) Share(b []byte) ([]byte, error) {
	if !w.First() {
		b = nil
	}
	all, err := w.Gather(b)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// ShareNumber returns the number that process 0 passes, to the bit.
func (w *World) ShareNumber(v float64) (float64, error) {
	if w.Size() == 1 {
		return v, nil
	}
	b, err := w.Share(binary.LittleEndian.AppendUint64(nil, math.Float64bits(v)))
	if err != nil {
		return 0, err
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(b)), nil
}

// Any reports whether a process passes true.
func (w *World) Any(v bool) (bool, error) {
	b := []byte{0}
	if v {
		b[0] = 1
	}
	all := w.blocks(func(int) int { return 1 })
	if err := w.exchange(w.same(b), all); err != nil {
		return false, err
	}
	all[w.Rank()] = b
	return slices.ContainsFunc(all, func(b []byte) bool { return b[0] != 0 }), nil
}

// Barrier returns when every process has called it.
func (w *World) Barrier() error {
	_, err := w.Any(false)
	return err
}

// Abort ends all processes with an exit code. On a nil World it does nothing.
func (w *World) Abort(code int) {
	if w != nil {
		w.transport.Abort(code)
	}
}

// Close waits until all processes call it and ends the connection.
func (w *World) Close() error {
	if w == nil {
		return nil
	}
	if err := w.Barrier(); err != nil {
		return err
	}
	return w.transport.Close()
}

// same returns b as what every process is sent.
func (w *World) same(b []byte) [][]byte {
	out := make([][]byte, w.Size())
	for p := range out {
		out[p] = b
	}
	return out
}

// blocks returns room for what every process sends.
func (w *World) blocks(length func(p int) int) [][]byte {
	out := make([][]byte, w.Size())
	for p := range out {
		out[p] = make([]byte, length(p))
	}
	return out
}

func (w *World) exchange(send, recv [][]byte) error {
	if w.Size() == 1 {
		return nil
	}
	if err := w.transport.Exchange(send, recv); err != nil {
		return fmt.Errorf("cluster: %s: %w", w.Process(w.Rank()), err)
	}
	return nil
}
