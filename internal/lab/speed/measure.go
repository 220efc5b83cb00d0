package speed

import (
	"context"
	"errors"
	"slices"
	"time"

	"retinago/detector"
	"retinago/internal/memory"
	"retinago/nn"
)

// Subject is a network with its inputs, to be measured.
type Subject interface {
	// Graph returns the graph whose operations are timed.
	Graph() Graph
	// Size returns the number of images in a run and the size of their canvas.
	Size() (n, h, w int)
	// Run runs all stages once and returns the times of those outside the graph.
	Run() (Parts, error)
	// Close frees what the subject holds. It comes before the model's Close.
	Close() error
}

// Graph is a built graph of a detector.
type Graph interface {
	Layers() []nn.Layer
	Observe(func(layer int, d time.Duration))
	Bytes() int64
	// Async reports whether an observed run takes longer than others.
	Async() bool
}

// Parts holds the times of a run's stages outside the graph.
type Parts struct {
	Before, After []Part
	Graph         time.Duration // running the graph, with the copies in and out
}

// Part is the time of one stage.
type Part struct {
	Name string
	Took time.Duration
}

// Progress is called after each round. left is the expected time of the other rounds.
type Progress func(round, of int, took, left time.Duration)

// warmUp is the runs before the first round: the first packs weights and compiles kernels, the second finds them.
const warmUp = 2

// copies is the name of the stage with the rest of the graph's time, outside its operations.
const copies = "copies and graph"

// Measure runs s for a number of rounds. When ctx is cancelled, it ends after the round in progress and returns the rounds until then. It
// returns ctx's error only if there is no round.
func Measure(ctx context.Context, s Subject, rounds int, progress Progress) (Result, error) {
	g := s.Graph()
	layers := g.Layers()
	laps := make([]time.Duration, len(layers))
	g.Observe(func(i int, d time.Duration) { laps[i] = d })
	defer g.Observe(nil)
	for range warmUp {
		if err := ctx.Err(); err != nil {
			return Result{}, errors.Join(errors.New("speed: interrupted before the first round"), err)
		}
		if _, err := s.Run(); err != nil {
			return Result{}, err
		}
	}
	unobserved := func() (time.Duration, error) {
		g.Observe(nil)
		begin := time.Now()
		_, err := s.Run()
		took := time.Since(begin)
		g.Observe(func(i int, d time.Duration) { laps[i] = d })
		return took, err
	}
	t := newTable(layers)
	for round := 1; round <= rounds && (round == 1 || ctx.Err() == nil); round++ {
		clear(laps)
		begin := time.Now()
		parts, err := s.Run()
		if err != nil {
			return Result{}, err
		}
		took := time.Since(begin)
		if g.Async() {
			if took, err = unobserved(); err != nil {
				return Result{}, err
			}
		}
		t.add(took, laps, parts)
		progress(round, rounds, took, time.Duration(median(t.whole)*float64(rounds-round)*1e9))
	}
	r := t.result()
	r.PeakRSSMB, r.ArenaMB = float64(memory.Peak())/(1<<20), float64(g.Bytes())/(1<<20)
	return r, nil
}

// table collects the times of rounds.
type table struct {
	layers        []nn.Layer
	stage         []string // of each layer
	whole         []float64
	laps          [][]float64 // per layer
	before, after []string    // stages beside the graph's, in order
	stages        map[string][]float64
}

func newTable(layers []nn.Layer) *table {
	return &table{layers: layers, stage: detector.Stages(layers), laps: make([][]float64, len(layers)), stages: map[string][]float64{}}
}

func (t *table) add(whole time.Duration, laps []time.Duration, p Parts) {
	t.whole = append(t.whole, whole.Seconds())
	sums := map[string]float64{}
	graph := 0.0
	for i, d := range laps {
		t.laps[i] = append(t.laps[i], d.Seconds())
		sums[t.stage[i]] += d.Seconds()
		graph += d.Seconds()
	}
	t.before, t.after = nil, nil
	for _, b := range p.Before {
		sums[b.Name] += b.Took.Seconds()
		t.before = append(t.before, b.Name)
	}
	sums[copies] = p.Graph.Seconds() - graph
	t.before = append(t.before, copies)
	for _, a := range p.After {
		sums[a.Name] += a.Took.Seconds()
		t.after = append(t.after, a.Name)
	}
	for name, s := range sums {
		t.stages[name] = append(t.stages[name], s)
	}
}

func (t *table) result() Result {
	r := Result{Rounds: len(t.whole), Seconds: t.whole, MedianS: median(t.whole), MinS: slices.Min(t.whole)}
	work := map[string]float64{}
	order := slices.Clone(t.before)
	for i, l := range t.layers {
		gflop, m := float64(l.FLOPs)/1e9, median(t.laps[i])
		r.GFLOP += gflop
		work[t.stage[i]] += gflop
		if !slices.Contains(order, t.stage[i]) {
			order = append(order, t.stage[i])
		}
		r.Layers = append(r.Layers, Layer{Name: l.Name, Op: l.Op, Backward: l.Back, Stage: t.stage[i], Shape: l.Shape, MedianS: m, MinS: slices.Min(t.laps[i]),
			Share: m / r.MedianS, GFLOP: gflop, GFLOPS: per(gflop, m)})
	}
	for _, name := range append(order, t.after...) {
		m := median(t.stages[name])
		r.Stages = append(r.Stages, Stage{Name: name, MedianS: m, Share: m / r.MedianS, GFLOP: work[name], GFLOPS: per(work[name], m)})
	}
	r.GFLOPS = per(r.GFLOP, r.MedianS)
	return r
}

func per(work, seconds float64) float64 {
	if seconds <= 0 {
		return 0
	}
	return work / seconds
}

// median returns the median of at least one value.
func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	n := len(s)
	return (s[(n-1)/2] + s[n/2]) / 2
}
