package track

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"retinago/box"
)

// at is a detection of 40x40 pixels with its centre at x, y.
func at(x, y float32, score float32) Object {
	return Object{Box: box.FromXYWH(x-20, y-20, 40, 40), Score: score}
}

// numbers are the tracks of a frame.
func numbers(t *Tracker, objects ...Object) []int {
	t.Next(objects)
	var out []int
	for _, o := range objects {
		out = append(out, o.Track)
	}
	return out
}

func expect(t *testing.T, frame int, got []int, want ...int) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("frame %d: tracks %v, want %v", frame, got, want)
	}
}

// Two objects cross each other and keep their numbers; where they lie on each other one of them is not found.
func TestCrossing(t *testing.T) {
	t.Parallel()
	k := New(Options{})
	for i := range 41 {
		x := float32(10 * i)
		a, b := at(100+x, 200, .9), at(500-x, 210, .9)
		if i >= 19 && i <= 21 { // b is hidden
			expect(t, i, numbers(k, a), 1)
			continue
		}
		expect(t, i, numbers(k, a, b), 1, 2)
	}
}

// What is missed for some frames is found again where it moved to, and not after Memory.
func TestMissed(t *testing.T) {
	t.Parallel()
	for _, missed := range []int{1, 5, 8, 9, 20} {
		k := New(Options{Memory: 8})
		for i := range 20 {
			numbers(k, at(100+5*float32(i), 100, .9), at(800, 800, .9))
		}
		for range missed {
			numbers(k, at(800, 800, .9))
		}
		x := 100 + 5*float32(20+missed)
		got := numbers(k, at(x, 100, .9), at(800, 800, .9))
		if missed <= 8 {
			expect(t, missed, got, 1, 2)
			continue
		}
		expect(t, missed, got, 0, 2) // new, and to be confirmed
		expect(t, missed, numbers(k, at(x+5, 100, .9), at(800, 800, .9)), 3, 2)
	}
}

// Unsure detections continue tracks but begin none; an object that is seen once is none; classes do not mix.
func TestScores(t *testing.T) {
	t.Parallel()
	k := New(Options{})
	expect(t, 1, numbers(k, at(100, 100, .9), at(300, 300, .55), at(500, 500, .3), at(700, 700, .05)), 1, 0, 0, 0)
	expect(t, 2, numbers(k, at(102, 100, .2), at(300, 300, .55), at(500, 500, .3)), 1, 0, 0)
	expect(t, 3, numbers(k, at(104, 100, .05)), 0) // below Low
	expect(t, 4, numbers(k, at(106, 100, .2)), 0)  // lost, which takes a sure one
	expect(t, 5, numbers(k, at(108, 100, .8), at(300, 300, .9)), 1, 0)
	expect(t, 6, numbers(k, at(110, 100, .8)), 1) // the other was seen once
	expect(t, 7, numbers(k, at(112, 100, .8), at(300, 300, .9)), 1, 0)
	expect(t, 8, numbers(k, at(114, 100, .8), at(300, 300, .9)), 1, 2)
	other := at(300, 300, .9)
	other.Class = 1
	expect(t, 9, numbers(k, at(116, 100, .8), other), 1, 0)
	if got := numbers(k); len(got) != 0 {
		t.Errorf("tracks %v of no detections", got)
	}
}

// Boxes stay as found, or with Smooth move more evenly.
func TestSmooth(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	var noise []float32
	for range 60 {
		noise = append(noise, float32(r.NormFloat64()*2))
	}
	rough := func(o Options) (sum float64) {
		k := New(o)
		var x []float64
		for i, n := range noise {
			objects := []Object{at(100+3*float32(i)+n, 100, .9)}
			k.Next(objects)
			x = append(x, centre(objects[0].Box).X)
		}
		for i := 12; i < len(x); i++ {
			sum += math.Abs(x[i] - 2*x[i-1] + x[i-2]) // of the second difference
		}
		return sum
	}
	plain, smooth := rough(Options{}), rough(Options{Smooth: true})
	if smooth > .7*plain {
		t.Errorf("roughness %g with Smooth, %g without", smooth, plain)
	}
	k := New(Options{})
	o := []Object{at(1, 2, .9)}
	for range 3 {
		k.Next(o)
	}
	if o[0].Box != at(1, 2, .9).Box {
		t.Errorf("without Smooth a box became %v", o[0].Box)
	}
}

// However much comes and goes, a tracker keeps what it remembers only.
func TestBounded(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(2, 2))
	k := New(Options{Memory: 5})
	for range 500 {
		var objects []Object
		for range 20 {
			objects = append(objects, at(float32(r.IntN(4000)), float32(r.IntN(4000)), r.Float32()))
		}
		k.Next(objects)
		used := map[int]bool{}
		for _, o := range objects {
			if o.Track != 0 && used[o.Track] {
				t.Fatalf("number %d twice in a frame", o.Track)
			}
			used[o.Track] = true
		}
		if len(k.tracks) > 20*7 {
			t.Fatalf("%d tracks are kept", len(k.tracks))
		}
	}
}

func Example() {
	tracker, line := New(Options{}), &Line{A: Point{0, 50}, B: Point{100, 50}, counter: newCounter()}
	for i := range 10 {
		found := []Object{{Box: box.FromXYWH(40, float32(10*i), 20, 20), Score: .9}}
		tracker.Next(found)
		line.Count(found)
	}
	fmt.Println(line.Ways()[0], line.Counts()[0][0], line.Ways()[1], line.Counts()[0][1])
	// Output: right 1 left 0
}
