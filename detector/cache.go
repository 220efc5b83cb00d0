package detector

import (
	"fmt"
	"sync"

	"retinago/anchors"
	"retinago/box"
)

// shape is a batch of canvases.
type shape struct{ n, h, w int }

// check finds a batch of nothing.
func (k shape) check() error {
	if min(k.n, k.h, k.w) < 1 {
		return fmt.Errorf("detector: %d canvases of %dx%d; there must be one of 1x1 at least", k.n, k.h, k.w)
	}
	return nil
}

// Bounds of the graphs that are kept. Each holds its inputs; activations are in the arena that all share.
const (
	fewGraphs = 4
	netGraphs = 12 // a server's batches of 1, 2 and 4 on four canvases
)

// cache keeps the most recently used graphs.
type cache[T interface{ Close() error }] struct {
	most   int     // of them; 0 is fewGraphs
	keys   []shape // least recently used first
	values []T
}

func (c *cache[T]) get(k shape, make func() (T, error)) (T, error) {
	for i, have := range c.keys {
		if have == k {
			v := c.values[i]
			c.keys = append(append(c.keys[:i:i], c.keys[i+1:]...), k)
			c.values = append(append(c.values[:i:i], c.values[i+1:]...), v)
			return v, nil
		}
	}
	var zero T
	most := c.most
	if most == 0 {
		most = fewGraphs
	}
	if len(c.keys) == most {
		old := c.values[0]
		c.keys, c.values = c.keys[1:], c.values[1:]
		if err := old.Close(); err != nil {
			return zero, err
		}
	}
	v, err := make()
	if err != nil {
		return zero, err
	}
	c.keys, c.values = append(c.keys, k), append(c.values, v)
	return v, nil
}

func (c *cache[T]) clear() error {
	for _, v := range c.values {
		if err := v.Close(); err != nil {
			return err
		}
	}
	c.keys, c.values = nil, nil
	return nil
}

// grids keeps the anchors of each canvas; it may be used from several goroutines.
type grids struct {
	mu sync.Mutex
	m  map[[2]int]grid
}

type grid struct {
	boxes  []box.Box
	starts []int
}

func (g *grids) get(c anchors.Config, h, w int, cells [][2]int) ([]box.Box, []int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	k := [2]int{h, w}
	if v, ok := g.m[k]; ok {
		return v.boxes, v.starts
	}
	v := grid{boxes: c.Grid(h, w, cells), starts: c.Starts(cells)}
	if g.m == nil || len(g.m) > 64 {
		g.m = map[[2]int]grid{}
	}
	g.m[k] = v
	return v.boxes, v.starts
}
