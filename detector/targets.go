package detector

import (
	"retinago/anchors"
	"retinago/box"
	"retinago/engine"
	"retinago/loss"
)

// Objects are the annotated boxes of one image, in pixels of its canvas.
type Objects struct {
	Boxes   []box.Box
	Classes []int32
	Crowd   []bool
}

// Targets say for each anchor of a batch what it should become. Anchors are ordered by level, then image, then as
// in the level's grid.
type Targets struct {
	Labels    []int32   // [anchors of all levels and images]: a class, -1 background, -2 ignored
	Deltas    []float32 // [.., 4], set where the label is a class
	Positives []int     // per image
	Counted   []int     // per image, the anchors that are not ignored
	Level     []int     // where each level starts, and the end of the last

	// Of anchors that the engine is to match, in place of all that is above.
	Match   *engine.MatchParams
	Objects []Objects // per image
}

// Assign matches the anchors of a canvas of h x w pixels to the objects of each image. It may be called from
// several goroutines.
func (m *Model) Assign(match anchors.Assigner, h, w int, pictures []Objects) *Targets {
	grid, starts := m.Anchors(h, w)
	n := len(pictures)
	t := &Targets{Labels: make([]int32, n*len(grid)), Deltas: make([]float32, 4*n*len(grid)), Positives: make([]int, n), Counted: make([]int, n)}
	for _, s := range starts {
		t.Level = append(t.Level, n*s)
	}
	coder := anchors.NewCoder()
	for i, p := range pictures {
		labels, matched := match.AssignLevels(grid, starts, p.Boxes, p.Classes, p.Crowd)
		for l := range m.Levels() {
			size := starts[l+1] - starts[l]
			at := t.Level[l] + i*size
			copy(t.Labels[at:at+size], labels[starts[l]:starts[l+1]])
			for a := range size {
				k := starts[l] + a
				if labels[k] != loss.Ignored {
					t.Counted[i]++
				}
				if labels[k] < 0 {
					continue
				}
				t.Positives[i]++
				d := coder.Encode(grid[k], p.Boxes[matched[k]])
				copy(t.Deltas[4*(at+a):], d[:])
			}
		}
	}
	return t
}
