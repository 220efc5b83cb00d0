package loss

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

// meeting adds up what three goroutines pass, in their order.
type meeting struct {
	mu    sync.Mutex
	come  *sync.Cond
	parts [3][]float64
	here  int
	round int
}

func (m *meeting) sum(rank int) func([]float64) {
	return func(x []float64) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.parts[rank] = x
		round := m.round
		if m.here++; m.here == len(m.parts) {
			for i := range x {
				total := m.parts[0][i] + m.parts[1][i] + m.parts[2][i]
				m.parts[0][i], m.parts[1][i], m.parts[2][i] = total, total, total
			}
			m.here, m.round = 0, m.round+1
			m.come.Broadcast()
		}
		for round == m.round {
			m.come.Wait()
		}
	}
}

// Three processes with a third of the rows each come to the loss, the gradients and the state of one that has all rows.
func TestPool(t *testing.T) {
	t.Parallel()
	for name, fresh := range adaptive(t) {
		m := &meeting{}
		m.come = sync.NewCond(&m.mu)
		whole, parts := fresh(), [3]Adaptive{}
		for p := range parts {
			parts[p] = fresh()
			parts[p].Pool(m.sum(p))
		}
		r := rand.New(rand.NewPCG(7, 8))
		for step := range 4 {
			logits, labels := batch(r)
			factor := func(row int) float64 { return float64(1 + row%3) }
			want, got := make([]float32, len(logits)), make([]float32, len(logits))
			loss := whole.Train(want, logits, labels, factor)
			var sums [3]float64
			var all sync.WaitGroup
			rows := len(labels) / 3
			for p, l := range parts {
				all.Go(func() {
					from, to := p*rows, (p+1)*rows
					sums[p] = l.Train(got[3*from:3*to], logits[3*from:3*to], labels[from:to], func(row int) float64 { return factor(from + row) })
				})
			}
			all.Wait()
			if sum := sums[0] + sums[1] + sums[2]; math.Abs(sum-loss) > 1e-12*math.Abs(loss) {
				t.Errorf("%s, step %d: loss %.17g, want %.17g", name, step, sum, loss)
			}
			for i := range want {
				if math.Abs(float64(got[i]-want[i])) > 1e-7*math.Abs(float64(want[i])) {
					t.Fatalf("%s, step %d: gradient %d is %g, want %g", name, step, i, got[i], want[i])
				}
			}
			for p, l := range parts {
				if !slices.Equal(l.State(), parts[0].State()) {
					t.Errorf("%s, step %d: process %d has another state than process 0", name, step, p)
				}
			}
			for i, v := range parts[0].State() {
				if w := whole.State()[i]; math.Abs(v-w) > 1e-12*math.Abs(w) {
					t.Errorf("%s, step %d: state %d is %g, want %g", name, step, i, v, w)
				}
			}
		}
	}
}
