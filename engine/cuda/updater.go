//go:build gpu && linux && amd64

package cuda

// #include "../formula/layout.h"
import "C"

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"unsafe"

	"gorgonia.org/cu"
	"gorgonia.org/tensor"

	"retinago/engine"
)

// updater takes steps over tables of pointers: three launches for all parameters.
type updater struct {
	e      *Engine
	p      engine.UpdateParams
	slots  []engine.Slot
	rate   *tensor.Dense
	state  region // struct step_state
	table  region // slots, then chunks
	part   region // sums of chunks
	chunks int
	sets   []gradients // by graph
	told   reports
}

// gradients are the addresses that a graph's results have, with the losses'.
type gradients struct {
	key []uint64 // grads, class losses, box losses
	mem region
}

// stepState names the fields of what a step comes to, each a word of 8 bytes.
var stepState C.struct_step_state

// Words of 8 bytes.
const (
	slotWords   = int(C.sizeof_struct_slot / 8)
	chunkWords  = int(C.sizeof_struct_chunk / 8)
	stateWords  = int(C.sizeof_struct_step_state / 8)
	reportWords = int(unsafe.Offsetof(stepState._go) / 8) // the state's first
	placeWord   = int(unsafe.Offsetof(stepState.place) / 8)
	takenWord   = int(unsafe.Offsetof(stepState.taken) / 8)
	skippedWord = int(unsafe.Offsetof(stepState.skipped) / 8)
	goodWord    = int(unsafe.Offsetof(stepState.good) / 8)
	scaleWord   = int(unsafe.Offsetof(stepState.loss_scale) / 8)
	powerWord   = int(unsafe.Offsetof(stepState.power1) / 8)
)

const (
	chunkValues  = 1 << 15
	mostGradSets = 8
)

// NewUpdater makes the tables of an optimiser.
func (e *Engine) NewUpdater(p engine.UpdateParams, slots []engine.Slot) (engine.Updater, error) {
	u := &updater{e: e, p: p, slots: slots}
	if err := u.start(); err != nil {
		u.Release()
		return nil, fmt.Errorf("cuda: optimiser: %w", err)
	}
	e.updaters[u] = true
	return u, nil
}

func (u *updater) start() (err error) {
	var table, chunks []uint64
	for i, s := range u.slots {
		if s.M != nil && u.p.Adam != nil && s.V == nil {
			return fmt.Errorf("slot %d has one moment, Adam has two", i)
		}
		table = append(table, at(s.W), maybe(s.M), maybe(s.V), maybe(s.Average), pair(s.Decay, s.Rate))
		for from := 0; from < size(s.W); from += chunkValues {
			chunks = append(chunks, uint64(i), uint64(from), uint64(min(chunkValues, size(s.W)-from)))
		}
	}
	u.chunks = len(chunks) / chunkWords
	if u.chunks == 0 {
		return errors.New("there is no parameter")
	}
	if u.rate, err = u.e.New(tensor.Float32, 2); err != nil {
		return err
	}
	if u.part, err = u.e.region(int64(8 * u.chunks)); err != nil {
		return err
	}
	state := make([]float64, stateWords)
	state[takenWord] = float64(u.p.Taken)
	if s := u.p.Scale; s != nil {
		state[goodWord] = float64(s.Good)
		if err := u.e.Upload(s.Seed, []float32{float32(s.Value)}); err != nil {
			return err
		}
	}
	state[powerWord], state[powerWord+1] = 1, 1
	if a := u.p.Adam; a != nil {
		state[powerWord] = math.Pow(float64(a.Beta1), float64(u.p.Taken))
		state[powerWord+1] = math.Pow(float64(a.Beta2), float64(u.p.Taken))
	}
	if u.state, err = sent(u.e, state); err != nil {
		return err
	}
	if u.table, err = sent(u.e, append(table, chunks...)); err != nil {
		return err
	}
	return u.told.start(u.e)
}

// sent is new memory with words of 8 bytes.
func sent[T uint64 | float64](e *Engine, words []T) (region, error) {
	r, err := e.region(int64(8 * len(words)))
	if err != nil {
		return r, err
	}
	b := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), 8*len(words))
	if err := e.do(func() error { return e.staging.send(e, r.p, b) }); err != nil {
		return region{}, errors.Join(err, e.Free(r, 0))
	}
	return r, nil
}

// Rate sends what changes from step to step.
func (u *updater) Rate(lr, average float32) error { return u.e.Upload(u.rate, []float32{lr, average}) }

// Update queues a step.
func (u *updater) Update(class, box, grads []*tensor.Dense) error {
	if len(grads) != len(u.slots) {
		return fmt.Errorf("cuda: %d gradients for %d slots", len(grads), len(u.slots))
	}
	key := make([]uint64, 0, len(grads)+len(class)+len(box))
	for i, g := range grads {
		if g != nil && (u.slots[i].M == nil || size(g) != size(u.slots[i].W)) {
			return fmt.Errorf("cuda: slot %d takes no gradient of %v", i, g.Shape())
		}
		key = append(key, maybe(g))
	}
	for _, l := range append(slices.Clip(class), box...) {
		key = append(key, at(l))
	}
	set, err := u.set(key)
	if err != nil {
		return err
	}
	e, p := u.e, u.p
	state, slots, grad := uint64(u.state.p), uint64(u.table.p), uint64(set.p)
	chunks, losses := slots+8*uint64(slotWords*len(u.slots)), grad+8*uint64(len(grads))
	grid := [3]int{u.chunks, 1, 1}
	if err := e.launch("step_squares", grid, threads, uint64(u.part.p), chunks, long(u.chunks), grad); err != nil {
		return err
	}
	var seed *tensor.Dense
	if p.Scale != nil {
		seed = p.Scale.Seed
	}
	var beta1, beta2 float32
	if p.Adam != nil {
		beta1, beta2 = p.Adam.Beta1, p.Adam.Beta2
	}
	err = e.launch("step_judge", [3]int{1, 1, 1}, threads, state, uint64(u.part.p), long(u.chunks), losses, long(len(class)), long(len(box)), at(e.labels), at(u.rate),
		maybe(seed), double(engine.LossScaleGood), double(p.ClipNorm), double(float64(beta1)), double(float64(beta2)))
	if err != nil {
		return err
	}
	args := []uint64{state, slots, chunks, long(u.chunks), grad, at(u.rate)}
	if p.Adam == nil {
		return e.launch("step_sgd", grid, threads, append(args, float(p.Momentum), flag(p.Nesterov))...)
	}
	return e.launch("step_adam", grid, threads, append(args, float(beta1), float(beta2), float(p.Adam.Eps), flag(p.Adam.Decoupled))...)
}

// set is the table of a graph's addresses, sent when they are new: the arena moves when it grows.
func (u *updater) set(key []uint64) (region, error) {
	for _, s := range u.sets {
		if slices.Equal(s.key, key) {
			return s.mem, nil
		}
	}
	if len(u.sets) == mostGradSets {
		if err := u.e.Free(u.sets[0].mem, 0); err != nil {
			return region{}, err
		}
		u.sets = slices.Delete(u.sets, 0, 1)
	}
	mem, err := sent(u.e, key)
	if err == nil {
		u.sets = append(u.sets, gradients{key, mem})
	}
	return mem, err
}

// QueueReport queues the last step's report.
func (u *updater) QueueReport() error { return u.told.queue(u.e, u.state.p) }

// Report waits for the oldest report.
func (u *updater) Report() (engine.StepReport, error) {
	w, err := u.told.next(u.e)
	if err != nil {
		return engine.StepReport{}, err
	}
	finite := w[3] != 0
	r := engine.StepReport{Class: w[0], Box: w[1], GradNorm: w[2], Finite: finite, Taken: int(w[takenWord]), Skipped: w[skippedWord] != 0,
		Scale: w[scaleWord], Good: int(w[goodWord])}
	if place := int64(w[placeWord]); place >= 0 {
		return r, errors.Join(notAClass(place, int64(w[placeWord+1])), u.e.forgive())
	}
	return r, nil
}

// Release frees the tables.
func (u *updater) Release() {
	all := []region{u.state, u.table, u.part}
	for _, s := range u.sets {
		all = append(all, s.mem)
	}
	for _, r := range all {
		if r.n > 0 && u.e.Free(r, 0) != nil {
			panic("cuda: an updater is released twice")
		}
	}
	u.e.Release(u.rate)
	delete(u.e.updaters, u)
	if err := u.e.do(u.told.free); err != nil {
		panic(err)
	}
	*u = updater{e: u.e}
}

// pair is two floats in a word.
func pair(a, b float32) uint64 { return float(a) | float(b)<<32 }

func double(v float64) uint64 { return math.Float64bits(v) }

// reports carry words of the GPU's to the host in turns, so that no step waits for the last report.
type reports struct {
	mem        unsafe.Pointer
	read       [engine.MostReports]cu.Event
	first, out int // the oldest on its way, how many are
}

const reportBytes = 8 * reportWords

func (r *reports) start(e *Engine) error {
	var err error
	if r.mem, err = e.pin(reportBytes * engine.MostReports); err != nil {
		return err
	}
	return e.do(func() error {
		for i := range r.read {
			if r.read[i], err = cu.MakeEvent(cu.DisableTiming); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r *reports) at(i int) unsafe.Pointer { return unsafe.Add(r.mem, reportBytes*i) }

func (r *reports) queue(e *Engine, from cu.DevicePtr) error {
	if r.out == engine.MostReports {
		return fmt.Errorf("cuda: %d steps are reported and not read", r.out)
	}
	i := (r.first + r.out) % engine.MostReports
	err := e.do(func() error {
		if err := cu.MemcpyDtoHAsync(r.at(i), from, int64(reportBytes), e.stream); err != nil {
			return err
		}
		return r.read[i].Record(e.stream)
	})
	if err != nil {
		return fmt.Errorf("cuda: reporting a step: %w", err)
	}
	r.out++
	return nil
}

func (r *reports) next(e *Engine) (w [reportWords]float64, err error) {
	if r.out == 0 {
		return w, errors.New("cuda: no step is reported")
	}
	i := r.first
	r.first, r.out = (r.first+1)%engine.MostReports, r.out-1
	if err := e.do(r.read[i].Synchronize); err != nil {
		return w, fmt.Errorf("cuda: work on %v failed: %w", e.device, err)
	}
	b := unsafe.Slice((*byte)(r.at(i)), reportBytes)
	for j := range w {
		w[j] = math.Float64frombits(binary.NativeEndian.Uint64(b[8*j:]))
	}
	return w, nil
}

// free gives the pinned memory back. The engine's context is current.
func (r *reports) free() error {
	if r.mem == nil {
		return nil
	}
	var errs []error
	for i := range r.read {
		errs = append(errs, cu.DestroyEvent(&r.read[i]))
	}
	errs = append(errs, cu.MemFreeHost(r.mem))
	r.mem = nil
	return errors.Join(errs...)
}
