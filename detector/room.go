package detector

import (
	"fmt"
	"strings"

	"retinago/engine"
	"retinago/internal/memory"
	"retinago/nn"
)

// beside is what a program takes while a network runs that no plan has: Go's heap, images that are decoded, files that are written.
const beside = 48 << 20

// canvasesAhead is how many batches of canvases wait for the network or are made while it runs.
const canvasesAhead = 3

// fits refuses an inference graph that was just made and has not run, on an engine whose memory is the host's, where what it will take
// is not available. The memory of activations is only taken when it is written. before is how large the arena was.
func (m *Model) fits(t *Net, before int64) error {
	if !m.onHost() {
		return nil
	}
	k := t.shape
	need, cached := (1+canvasesAhead)*canvasBytes(k)+beside, m.engine.CacheBytes()
	if cached > 0 { // part of it is taken
		need -= beside / 2
	}
	if now := m.arena.Bytes(); now > before {
		need += now
	}
	if m.scheme == nil { // 8-bit weights are packed when they are loaded
		need += max(m.PackedFor(t.Layers())-cached, 0)
	}
	err := memory.Check(fmt.Sprintf("detector: the network on %d canvases of %dx%d", k.n, k.h, k.w), need, "take fewer images at once or smaller ones, or give more memory")
	return short(err)
}

// loads refuses parameters for which there is no memory on the host, before they are read.
func (m *Model) loads() error {
	if !m.onHost() {
		return nil
	}
	all, _ := m.Size()
	return short(memory.Check(fmt.Sprintf("detector: a model of %.1fM parameters", float64(all)/1e6), 4*int64(all)+beside, "give more memory"))
}

// onHost reports whether tensors take the host's memory.
func (m *Model) onHost() bool {
	return !m.engine.Supports(engine.OwnMemory) && !m.engine.Supports(engine.PlanOnly)
}

// short makes an error of memory one of an engine's, too.
func short(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w (%w)", err, engine.ErrMemory)
}

func canvasBytes(k shape) int64 { return 12 * int64(k.n) * int64(k.h) * int64(k.w) }

// fewTiles is from how many tiles of Winograd's on, 4x4 outputs, transformed weights are not kept.
const fewTiles = 64

// PackedFor is what the engine's copies of the weights take for an inference graph at most: as oneDNN wants them; where maps are small
// also as Winograd filters, which are four times as large and which other canvases may want; and the largest Winograd filter.
func (m *Model) PackedFor(layers []nn.Layer) int64 {
	tiles := map[string]int{}
	for _, l := range layers {
		if len(l.Shape) == 4 && l.Stride > 0 {
			if l.Stride > 1 {
				tiles[l.Name] = fewTiles
			}
			tiles[l.Name] += l.Shape[0] * ((l.Shape[1] + 3) / 4) * ((l.Shape[2] + 3) / 4)
		}
	}
	var sum, largest int64
	for _, p := range m.Params() {
		if p.Kind != nn.Weight {
			continue
		}
		size := 4 * int64(p.Size())
		if p.Shape[2] == 3 {
			largest = max(largest, 4*size)
			if tiles[strings.TrimSuffix(p.Name, ".weight")] < fewTiles {
				size *= 5
			}
		}
		sum += size
	}
	return sum + largest
}
