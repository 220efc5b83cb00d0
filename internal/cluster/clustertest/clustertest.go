// Package clustertest connects goroutines of one process as the processes of a cluster.World, for tests.
package clustertest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"retinago/internal/cluster"
)

// Run calls f for each of n processes, each in a goroutine of its own, and returns their errors by process. A process that returns an error
// of its own, not a cluster.Agreed, ends the exchanges of the others, as cluster.World.Abort does.
func Run(t testing.TB, n int, f func(w *cluster.World) error) []error {
	t.Helper()
	hub := &hub{links: make([][]chan []byte, n), ended: make(chan struct{})}
	for p := range n {
		hub.links[p] = make([]chan []byte, n)
		for q := range n {
			hub.links[p][q] = make(chan []byte, 1)
		}
	}
	errs := make([]error, n)
	var all sync.WaitGroup
	for p := range n {
		all.Go(func() {
			w, err := cluster.New(&process{hub, p})
			if err == nil {
				err = f(w)
			}
			var agreed *cluster.Agreed
			if errs[p] = err; err != nil && !errors.As(err, &agreed) {
				hub.end()
			}
		})
	}
	all.Wait()
	return errs
}

// hub has a channel from each process to each other one.
type hub struct {
	links [][]chan []byte // by sender and receiver
	ended chan struct{}   // closed when a process has ended all
	once  sync.Once
}

func (h *hub) end() { h.once.Do(func() { close(h.ended) }) }

// process is a process of a hub.
type process struct {
	*hub
	rank int
}

var _ cluster.Transport = (*process)(nil)

func (*process) Name() string { return "goroutines" }
func (p *process) Rank() int  { return p.rank }
func (p *process) Size() int  { return len(p.links) }

var errEnded = errors.New("another process has ended the run")

func (p *process) Exchange(send, recv [][]byte) error {
	for q := range p.links {
		if q == p.rank {
			continue
		}
		select {
		case p.links[p.rank][q] <- append([]byte(nil), send[q]...):
		case <-p.ended:
			return errEnded
		}
	}
	for q := range p.links {
		if q == p.rank {
			continue
		}
		select {
		case b := <-p.links[q][p.rank]:
			if len(b) != len(recv[q]) {
				return fmt.Errorf("process %d sends %d bytes and process %d expects %d", q, len(b), p.rank, len(recv[q]))
			}
			copy(recv[q], b)
		case <-p.ended:
			return errEnded
		}
	}
	return nil
}

// Abort ends the exchanges of all processes. The goroutines go on.
func (p *process) Abort(int) { p.end() }

func (p *process) Close() error { return nil }
