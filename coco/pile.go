package coco

import "runtime"

// pile is a list in the making. It grows by blocks, because a slice that grows leaves several times its size as garbage.
type pile[T any] struct {
	full [][]T
	last []T
	n    int
}

func (p *pile[T]) add(v T) {
	if len(p.last) == cap(p.last) {
		if p.n > 0 {
			p.full = append(p.full, p.last)
		}
		p.last = make([]T, 0, min(max(p.n, 16), 1<<14))
	}
	p.last = append(p.last, v)
	p.n++
}

// list is all of it, nil where there is nothing; the pile is empty afterwards.
func (p *pile[T]) list() []T {
	var out []T
	if p.n > 0 {
		out = make([]T, 0, p.n)
		for _, b := range p.full {
			out = append(out, b...)
		}
		out = append(out, p.last...)
	}
	large := p.n >= 1<<17
	*p = pile[T]{}
	if large {
		runtime.GC() // the blocks are as large as the list: what follows would come on top of both
	}
	return out
}
