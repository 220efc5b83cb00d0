package cluster_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"retinago/internal/cluster"
	"retinago/internal/cluster/clustertest"
)

// drawn returns number i of process p: values of very different size, whose sum in float32 depends on the order.
func drawn(p, i int) float32 {
	v := float32(1+(p*7919+i*104729)%1009) * float32(1-2*((p+i)%2))
	return v * sizes[(p*5+i*3)%len(sizes)]
}

var sizes = [...]float32{1e-4, 3, 1e6, .01, 777}

// conform checks a world: every method, with sums by their definition. It is called on every process.
func conform(w *cluster.World) error {
	for _, n := range []int{0, 1, 2, 5, 1000, 1<<22 + 3} { // also fewer numbers than processes, and more than one piece
		x := make([]float32, n)
		for i := range x {
			x[i] = drawn(w.Rank(), i)
		}
		if err := w.Sum32(x); err != nil {
			return err
		}
		for i, v := range x {
			want := 0.0
			for p := range w.Size() {
				want += float64(drawn(p, i))
			}
			if v != float32(want) {
				return fmt.Errorf("process %d: sum %d of %d is %g, want %g", w.Rank(), i, n, v, float32(want))
			}
		}
	}
	y := []float64{1e16, float64(w.Rank()), -1e16}
	if err := w.Sum64(y); err != nil {
		return err
	}
	n := float64(w.Size())
	if want := [3]float64{1e16 * n, n * (n - 1) / 2, -1e16 * n}; [3]float64(y) != want {
		return fmt.Errorf("sums %v, want %v", y, want)
	}
	all, err := w.Gather([]byte(strings.Repeat("x", 3*w.Rank())))
	if err != nil {
		return err
	}
	for p, b := range all {
		if len(b) != 3*p {
			return fmt.Errorf("process %d sent %d bytes, want %d", p, len(b), 3*p)
		}
	}
	if b, err := w.Share([]byte(fmt.Sprint("from ", w.Rank()))); err != nil || string(b) != "from 0" {
		return fmt.Errorf("shared %q, %v", b, err)
	}
	if v, err := w.ShareNumber(.1 + float64(w.Rank())); err != nil || v != .1 {
		return fmt.Errorf("shared %v, %w", v, err)
	}
	last := w.Rank() == w.Size()-1
	for _, v := range []bool{true, false} {
		if any, err := w.Any(v && last); err != nil || any != v {
			return fmt.Errorf("any is %t, want %t; %w", any, v, err)
		}
	}
	return agrees(w, last)
}

// agrees checks that an error of one process is the error of all.
func agrees(w *cluster.World, last bool) error {
	if err := w.Agree(nil); err != nil {
		return err
	}
	var own error
	if last {
		own = fmt.Errorf("the data: %w", fs.ErrNotExist)
	}
	err := w.Agree(own)
	if err == nil || !strings.Contains(err.Error(), fs.ErrNotExist.Error()) || errors.Is(err, fs.ErrNotExist) != last {
		return fmt.Errorf("agreed on %v", err)
	}
	if named := strings.HasPrefix(err.Error(), w.Process(w.Size()-1)); named != (w.Size() > 1) {
		return fmt.Errorf("the error %q names its process: %t", err, named)
	}
	if err := w.Agree(errors.New("wrong")); err == nil || err.Error() != "wrong" {
		return fmt.Errorf("agreed on %v, want the error of all without names", err)
	}
	return nil
}

func TestConform(t *testing.T) {
	for _, n := range []int{2, 3, 5} {
		for p, err := range clustertest.Run(t, n, conform) {
			if err != nil {
				t.Errorf("process %d of %d: %v", p, n, err)
			}
		}
	}
}

// One process conforms without a transport, and adds up nothing.
func TestAlone(t *testing.T) {
	var w *cluster.World
	if w.Rank() != 0 || w.Size() != 1 || !w.First() || w.String() != "1 process" {
		t.Errorf("%d of %d, %v", w.Rank(), w.Size(), w)
	}
	if rank, size := w.Local(); rank != 0 || size != 1 {
		t.Errorf("local %d of %d", rank, size)
	}
	if err := conform(w); err != nil {
		t.Error(err)
	}
	if n := w.Sharing(); n != 1 {
		t.Errorf("%d processes share the processors of one", n)
	}
	w.Abort(1)
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

// The processes of one machine are numbered there, and the description names the machine once.
func TestPlaces(t *testing.T) {
	clustertest.Run(t, 3, func(w *cluster.World) error {
		if rank, size := w.Local(); rank != w.Rank() || size != 3 {
			t.Errorf("process %d is %d of %d of its machine", w.Rank(), rank, size)
		}
		if n := w.Sharing(); n != 3 {
			t.Errorf("%d goroutines share the processors of this process, want 3", n)
		}
		if s := w.String(); !strings.HasPrefix(s, "3 processes by goroutines: 0-2 on ") {
			t.Errorf("%q", s)
		}
		return w.Close()
	})
}

// A process that ends the run ends the exchanges of the others, whatever they wait for.
func TestAbort(t *testing.T) {
	for p, err := range clustertest.Run(t, 3, func(w *cluster.World) error {
		if w.Rank() == 1 {
			return errors.New("broken")
		}
		return w.Barrier()
	}) {
		if err == nil || (err.Error() == "broken") != (p == 1) {
			t.Errorf("process %d: %v", p, err)
		}
	}
}

// ended is a transport whose other process has ended.
type ended struct{}

func (ended) Name() string                       { return "nothing" }
func (ended) Rank() int                          { return 1 }
func (ended) Size() int                          { return 2 }
func (ended) Exchange(send, recv [][]byte) error { return errors.New("the other process has ended") }
func (ended) Abort(int)                          {}
func (ended) Close() error                       { return nil }

// Where another process ends before the machines are known, that is an error.
func TestEndedBefore(t *testing.T) {
	if w, err := cluster.New(ended{}); w != nil || err == nil || err.Error() != "cluster: process 1: the other process has ended" {
		t.Errorf("%v, %v", w, err)
	}
}
