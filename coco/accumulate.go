package coco

import (
	"cmp"
	"slices"
)

// eps is numpy's spacing(1), which keeps a precision without detections from 0/0.
const eps = 2.220446049250313e-16

// ranked is one detection of a class among all images.
type ranked struct {
	score float64
	at    int   // of its first outcome; that of the next threshold or area is step further on
	step  int32 // how many detections its image has
	rank  int32 // within its image
}

// accumulate makes the curves of every class and area: pycocotools' accumulate.
func (e *evaluation) accumulate() *Result {
	r := newResult(e)
	order := make([][]ranked, len(e.classes))
	parallel(e.params.Workers, len(e.classes), 1, func() func(int) {
		return func(k int) { order[k] = e.rank(e.classes[k]) }
	})
	parallel(e.params.Workers, len(e.classes)*areaCount, 1, func() func(int) {
		c := &curve{e: e, r: r, recalls: linspace(0, 1, recallPoints)}
		return func(i int) { c.accumulate(order[i/areaCount], i/areaCount, i%areaCount) }
	})
	r.summarize()
	return r
}

// rank lists the detections of a class by falling score; equal scores keep the order of image id and rank.
func (e *evaluation) rank(pairs span) []ranked {
	var all []ranked
	for i := pairs.from; i < pairs.to; i++ {
		p := &e.pairs[i]
		for rank, d := range p.order {
			all = append(all, ranked{e.dt[d].Score, p.ranges.from + rank, int32(len(p.order)), int32(rank)})
		}
	}
	slices.SortStableFunc(all, func(a, b ranked) int { return cmp.Compare(b.score, a.score) })
	return all
}

// curve holds one goroutine's scratch.
type curve struct {
	e       *evaluation
	r       *Result
	recalls []float64 // the recall points [R]

	outcomes                  []outcome // per detection, best score first
	recall, precision, scores []float64 // at the first detection and at the true positives
}

// accumulate fills one class k and area a of the result's arrays.
func (c *curve) accumulate(order []ranked, k, a int) {
	e, r := c.e, c.r
	objects := 0
	for i := e.classes[k].from; i < e.classes[k].to; i++ {
		objects += int(e.pairs[i].counts[a])
	}
	r.Classes[k].Objects[a] = objects
	if objects == 0 {
		return
	}
	T := len(e.params.IoUs)
	for t := range T {
		c.outcomes = c.outcomes[:0]
		for _, d := range order {
			c.outcomes = append(c.outcomes, e.outcomes[d.at+(a*T+t)*int(d.step)])
		}
		for m, limit := range e.params.MaxDets {
			c.walk(order, limit, float64(objects))
			c.sample(t, k, a, m)
		}
	}
}

// walk fills recall and precision from the detections of rank below limit. Between two true positives the recall stays and
// the precision falls: those places are never read, but for the first of all, where recall 0 is read.
func (c *curve) walk(order []ranked, limit int, objects float64) {
	c.recall, c.precision, c.scores = c.recall[:0], c.precision[:0], c.scores[:0]
	tp, fp := 0.0, 0.0
	for i, o := range c.outcomes {
		if int(order[i].rank) >= limit {
			continue
		}
		switch o {
		case truePositive:
			tp++
		case falsePositive:
			fp++
		}
		if o == truePositive || len(c.recall) == 0 {
			c.recall = append(c.recall, tp/objects)
			c.precision = append(c.precision, tp/((fp+tp)+eps))
			c.scores = append(c.scores, order[i].score)
		}
	}
}

// sample makes the precision fall monotonically and reads it at the recall points.
func (c *curve) sample(t, k, a, m int) {
	n := len(c.recall)
	last := 0.0
	if n > 0 {
		last = c.recall[n-1]
	}
	c.r.Recall[c.r.recallAt(t, k, a, m)] = last
	for i := n - 1; i > 0; i-- {
		c.precision[i-1] = max(c.precision[i-1], c.precision[i])
	}
	i := 0
	for p, want := range c.recalls {
		for i < n && c.recall[i] < want {
			i++
		}
		at := c.r.precisionAt(t, p, k, a, m)
		c.r.Precision[at], c.r.Scores[at] = 0, 0
		if i < n {
			c.r.Precision[at], c.r.Scores[at] = c.precision[i], c.scores[i]
		}
	}
}
