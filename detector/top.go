package detector

import (
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// part is how many logits a goroutine looks through at a time.
const part = 1 << 16

// tops returns, for the logits of each level, the places of the k largest that are above least, largest first and equal
// ones in order of place. What is not a number is above nothing. With floors, one for each class, a place's logit must be
// above that of its class too: places count classes fastest.
func tops(levels [][]float32, least float32, floors []float32, k int) [][]int {
	type job struct{ level, from int }
	var jobs []job
	for l, v := range levels {
		for from := 0; from < len(v); from += part {
			jobs = append(jobs, job{l, from})
		}
	}
	// A worker takes its parts of a level in ascending order, as selection wants them.
	workers := min(runtime.GOMAXPROCS(0), len(jobs))
	found := make([][]selection, workers)
	var next atomic.Int64
	var all sync.WaitGroup
	for w := range found {
		all.Go(func() {
			mine := make([]selection, len(levels))
			for l := range mine {
				mine[l] = selection{k: min(k, len(levels[l])), floor: least, floors: floors}
			}
			for n := int(next.Add(1)) - 1; n < len(jobs); n = int(next.Add(1)) - 1 {
				j := jobs[n]
				v := levels[j.level]
				mine[j.level].scan(v[j.from:min(j.from+part, len(v))], j.from)
			}
			found[w] = mine
		})
	}
	all.Wait()
	out := make([][]int, len(levels))
	for l := range out {
		var keys []uint64
		for _, f := range found {
			keys = append(keys, f[l].keys...)
		}
		slices.Sort(keys)
		for _, key := range keys[:min(k, len(keys))] {
			out[l] = append(out[l], int(uint32(key)))
		}
	}
	return out
}

// selection keeps the k largest logits above floor of those that it has seen, and less than k others.
type selection struct {
	k      int
	floor  float32   // what is not above it is not among the k largest: the k-th so far, once there are so many
	floors []float32 // of each class; nil without
	keys   []uint64
}

// scan looks through logits whose places count from a number above those of all logits before.
func (s *selection) scan(logits []float32, from int) {
	floor := s.floor
	i := 0
	for ; i+8 <= len(logits); i += 8 {
		v := (*[8]float32)(logits[i:])
		if v[0] > floor || v[1] > floor || v[2] > floor || v[3] > floor || v[4] > floor || v[5] > floor || v[6] > floor || v[7] > floor {
			s.take(v[:], from+i)
			floor = s.floor
		}
	}
	s.take(logits[i:], from+i)
}

func (s *selection) take(logits []float32, from int) {
	for i, v := range logits {
		if v > s.floor && (s.floors == nil || v > s.floors[(from+i)%len(s.floors)]) {
			s.keys = append(s.keys, key(v, from+i))
		}
	}
	if len(s.keys) >= 2*s.k+8 {
		s.cut()
	}
}

// cut drops all but the k largest logits and raises the floor to the least of them.
func (s *selection) cut() {
	if s.k == 0 {
		s.keys, s.floor = nil, float32(math.Inf(1))
		return
	}
	split(s.keys, s.k)
	s.keys = s.keys[:s.k]
	s.floor = logit(slices.Max(s.keys))
}

// key makes integers that ascend as logits fall, and with equal logits as places ascend.
func key(logit float32, place int) uint64 {
	b := math.Float32bits(logit + 0) // -0 + 0 is 0
	if b>>31 == 0 {
		b = ^(b | 1<<31)
	}
	return uint64(b)<<32 | uint64(place)
}

// logit is the logit of a key.
func logit(key uint64) float32 {
	b := uint32(key >> 32)
	if b>>31 == 0 {
		b = ^b &^ (1 << 31)
	}
	return math.Float32frombits(b)
}

// split moves the k least of different numbers to the front, 0 < k < len(v): Hoare's "Find" with the median of three.
func split(v []uint64, k int) {
	lo, hi := 0, len(v)-1
	for lo < hi {
		a, b, c := v[lo], v[lo+(hi-lo)/2], v[hi]
		pivot := max(min(a, b), min(max(a, b), c))
		i, j := lo, hi
		for i <= j {
			for v[i] < pivot {
				i++
			}
			for v[j] > pivot {
				j--
			}
			if i <= j {
				v[i], v[j] = v[j], v[i]
				i++
				j--
			}
		}
		switch {
		case k <= j:
			hi = j
		case k >= i:
			lo = i
		default:
			return
		}
	}
}
