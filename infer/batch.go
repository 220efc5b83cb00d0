package infer

import (
	"context"
	"time"

	"retinago/internal/dataset/data"
)

// pack groups items that go through the network together, in their order: until one canvas has batch inputs, or the group has four
// times as many items. Items of a realtime source do not wait for others.
func pack(in <-chan *item, batch int) <-chan []*item {
	out := make(chan []*item)
	go func() {
		defer close(out)
		for v := range in {
			p := []*item{v}
			count := map[data.Size]int{}
			full, realtime := v.count(count, batch), v.realtime()
			for !full && len(p) < 4*batch {
				v, more := next(in, realtime)
				if !more {
					break
				}
				p = append(p, v)
				full, realtime = v.count(count, batch), realtime || v.realtime()
			}
			out <- p
		}
	}()
	return out
}

func (v *item) realtime() bool { return v.Video != nil && v.Video.Realtime }

// next receives an item. With now it returns at once if no item is ready.
func next(in <-chan *item, now bool) (*item, bool) {
	if now {
		select {
		case v, ok := <-in:
			return v, ok
		default:
			return nil, false
		}
	}
	v, ok := <-in
	return v, ok
}

// count adds the item's inputs by canvas and reports whether a canvas has enough for a batch.
func (v *item) count(canvases map[data.Size]int, batch int) bool {
	full := v.err != nil
	if v.in != nil {
		for _, in := range v.in.all {
			canvases[in.Canvas]++
			full = full || canvases[in.Canvas] >= batch
		}
	}
	return full || batch <= 1
}

// findAll finds the objects of several images in all their views. Inputs with the same canvas go through the network in full batches;
// the rest goes one by one, because a graph for each smaller batch would cost more than it saves.
func (p *Predictor) findAll(ctx context.Context, sets []*inputs, batch int) ([][]Detection, []Times, error) {
	type place struct{ set, view int }
	var order []data.Size
	places := map[data.Size][]place{}
	found, times := make([][][]Detection, len(sets)), make([]Times, len(sets))
	for s, set := range sets {
		found[s] = make([][]Detection, len(set.all))
		for v, in := range set.all {
			if places[in.Canvas] == nil {
				order = append(order, in.Canvas)
			}
			places[in.Canvas] = append(places[in.Canvas], place{s, v})
		}
	}
	for _, canvas := range order {
		for rest := places[canvas]; len(rest) > 0; {
			n := 1
			if len(rest) >= batch {
				n = max(batch, 1)
			}
			in := make([]*Input, n)
			for i, at := range rest[:n] {
				in[i] = sets[at.set].all[at.view]
			}
			got, t, err := p.PredictBatch(ctx, in)
			if err != nil {
				return nil, nil, err
			}
			for i, at := range rest[:n] {
				found[at.set][at.view] = got[i]
				times[at.set].Add(Times{Network: t.Network / time.Duration(n), Decode: t.Decode / time.Duration(n), NMS: t.NMS / time.Duration(n)})
			}
			rest = rest[n:]
		}
	}
	out := make([][]Detection, len(sets))
	for s, set := range sets {
		begin := time.Now()
		out[s] = set.merge(found[s], p.info.Categories)
		times[s].NMS += time.Since(begin)
	}
	return out, times, nil
}
