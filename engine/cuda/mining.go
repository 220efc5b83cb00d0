//go:build gpu && linux && amd64

package cuda

// #include "../formula/constants.h"
import "C"

import (
	"math"

	"gorgonia.org/tensor"

	"retinago/engine"
)

// MinedLoss takes the hardest rows, one launch each, and sums their losses. A label that is no class is an error of the next Download.
func (e *Engine) MinedLoss(loss *tensor.Dense, levels []engine.ClassLevel, norm *tensor.Dense, m engine.Mined, p engine.MiningParams) error {
	if err := e.mine(levels, m, p); err != nil {
		return err
	}
	var sizes []int
	for _, l := range levels {
		sizes = append(sizes, size(m.Picked)*classesOf(l))
	}
	start := 0
	return e.sumAll(loss, sizes, func(i int, grid [3]int, part uint64) error {
		err := e.mined(grid, part, 0, levels[i], norm, 0, m, start, p)
		start += levels[i].Labels.Shape()[1]
		return err
	})
}

// MinedLossGrad computes the gradient by the logits, zero but in the rows that MinedLoss took.
func (e *Engine) MinedLossGrad(levels []engine.ClassLevel, norm, up *tensor.Dense, m engine.Mined, p engine.MiningParams) error {
	start := 0
	for _, l := range levels {
		e.Memclr(l.Grad)
		if err := e.mined([3]int{sumBlocks(size(m.Picked) * classesOf(l)), 1, 1}, 0, at(l.Grad), l, norm, at(up), m, start, p); err != nil {
			return err
		}
		start += l.Labels.Shape()[1]
	}
	return nil
}

func classesOf(l engine.ClassLevel) int { return size(l.Logits) / size(l.Labels) }

func (e *Engine) mined(grid [3]int, part, grad uint64, l engine.ClassLevel, norm *tensor.Dense, up uint64, m engine.Mined, start int, p engine.MiningParams) error {
	return e.launch("mined", grid, threads, part, grad, at(l.Logits), at(l.Labels), at(m.Picked), at(norm), up, long(size(m.Picked)), long(l.Labels.Shape()[1]),
		long(classesOf(l)), long(start), long(m.Keys.Shape()[1]), float(p.Alpha), float(p.Gamma))
}

// mine writes the rows that count to m.Picked.
func (e *Engine) mine(levels []engine.ClassLevel, m engine.Mined, p engine.MiningParams) error {
	n, rows := m.Keys.Shape()[0], m.Keys.Shape()[1]
	e.unjudged = true
	start := 0
	for _, l := range levels {
		a := l.Labels.Shape()[1]
		if err := e.each("mine_keys", n*a, at(m.Keys), at(l.Logits), at(l.Labels), at(e.labels), long(n), long(a), long(classesOf(l)), long(start), long(rows),
			float(p.Alpha), float(p.Gamma)); err != nil {
			return err
		}
		start += a
	}
	objects, others := p.Turns()
	if p.Ratio <= 0 {
		return e.pick(m, p, C.ANY_ROW, 0, others)
	}
	if err := e.pick(m, p, C.OBJECT_ROW, 0, objects); err != nil {
		return err
	}
	return e.pick(m, p, C.BACKGROUND_ROW, objects, others)
}

// pick takes rows of a kind, whose places in m.Picked begin at first.
func (e *Engine) pick(m engine.Mined, p engine.MiningParams, kind, first, turns int) error {
	blocks := sumBlocks(size(m.Keys))
	found, err := e.space(partsOf, int64(2*8*blocks)) // the hardest row of each block, of this turn and of the last
	if err != nil {
		return err
	}
	for turn := range turns + 1 {
		grid, from, to := blocks, found+uint64(8*blocks*(turn%2)), found+uint64(8*blocks*(1-turn%2))
		if turn == turns {
			grid, to = 1, 0
		}
		if err := e.launch("mine_pick", [3]int{grid, 1, 1}, threads, at(m.Keys), at(m.Picked), from, to, maybe(m.Anchors), long(size(m.Keys)/m.Keys.Shape()[1]),
			long(m.Keys.Shape()[1]), long(blocks), long(first), long(turn), long(kind), long(p.Keep), math.Float64bits(p.Ratio), float(p.NMS)); err != nil {
			return err
		}
	}
	return nil
}
