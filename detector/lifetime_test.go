package detector

import (
	"runtime/debug"
	"testing"

	"retinago/config"
	"retinago/engine/cpu"
	"retinago/internal/memory"
	"retinago/internal/model/quant"
	"retinago/loss"
)

// slim is a model with few parameters.
func slim(norm string) config.Model {
	c := tiny()
	c.BackboneWidth, c.Norm = 32, norm
	return c
}

// A hundred models on one engine, each of which detected and was trained, leave the memory as it was; so do models in 8 bits.
func TestCloseFreesModel(t *testing.T) {
	e, err := cpu.New(cpu.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	work := func(norm string, int8 bool) {
		m, err := New(slim(norm), e, 1)
		if err != nil {
			t.Fatal(err)
		}
		s, err := m.TrainStep(1, 64, 64, TrainSpec{LossFunc: LossFunc{Class: loss.Focal{Alpha: .25, Gamma: 2}, Box: loss.SmoothL1{Beta: .1}}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Run(batch(m, 1, 64, 64)); err != nil {
			t.Fatal(err)
		}
		if int8 {
			quantize(t, m)
		}
		n, err := m.Net(1, 64, 64)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.Run(picture(1, 64, 64)); err != nil {
			t.Fatal(err)
		}
		for range 2 { // a second time does nothing
			if err := m.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	all := func(times int) {
		for i := range times {
			work([]string{"frozen", "batch", "group"}[i%3], i%5 == 0)
		}
	}
	models := 100
	if testing.Short() {
		models = 20 // of 11 MB of parameters each
	}
	// resident is the memory that is in use: garbage of Go goes back to the system first.
	resident := func() int64 {
		debug.FreeOSMemory()
		return memory.Resident()
	}
	all(15)
	cached, before := e.CacheBytes(), resident()
	all(models)
	grown := resident() - before
	t.Logf("%d models left %d bytes behind", models, grown)
	if grown > 10<<20 {
		t.Errorf("%d models left %d MB behind", models, grown>>20)
	}
	if now := e.CacheBytes(); now > cached {
		t.Errorf("the engine's cache grew from %d to %d bytes", cached, now)
	}
}

// A model whose network cannot be built leaves no parameters behind.
func TestFailedModelIsFreed(t *testing.T) {
	e, err := cpu.New(cpu.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	whole, err := New(slim("batch"), e, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer whole.Close()
	last := whole.Params()[len(whole.Params())-1].Name
	fail := func() {
		_, err := NewToLoad(slim("batch"), e, func(name string) ([]int, bool) { return whole.Param(name).Shape, name != last })
		if err == nil {
			t.Fatal("a model of a file that lacks a tensor")
		}
	}
	for range 10 {
		fail()
	}
	before := memory.Resident()
	for range 100 {
		fail()
	}
	if grown := memory.Resident() - before; grown > 10<<20 {
		t.Errorf("100 models that failed left %d MB behind", grown>>20)
	}
}

func quantize(t *testing.T, m *Model) {
	t.Helper()
	c, err := m.Calibrator(quant.Options{Method: quant.Method{Kind: "minmax"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Add(picture(1, 64, 64), 64, 64); err != nil {
		t.Fatal(err)
	}
	s, err := c.Scheme()
	if err == nil {
		err = c.Close()
	}
	if err == nil {
		err = m.Quantize(s)
	}
	if err != nil {
		t.Fatal(err)
	}
}
