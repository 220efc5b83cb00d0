package augment

import (
	"math"
	"math/rand/v2"
	"testing"

	"retinago/box"
)

// some is a training set of n images, of which image i has i%3 objects of class i%3.
func some(n int) set {
	var out set
	for i := range n {
		im := Image{W: 300 + 10*i, H: 400}
		for k := range i % 3 {
			x := float32(20 + 120*k)
			im.Objects = append(im.Objects, Object{Box: box.Box{X1: x, Y1: 30, X2: x + 60, Y2: 90}, Class: int32(i % 3)})
		}
		out = append(out, im)
	}
	return out
}

func planner(t *testing.T, images Images, policies ...Policy) *Planner {
	t.Helper()
	p, err := NewPlanner(images, policies, Options{Seed: 1, MinVisible: .25})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// certain is a policy that is always applied.
func certain(name string) Policy { return Policy{name, settings{"probability": 1}} }

// The cells of a mosaic share out the canvas, and each image fills its cell.
func TestMosaic(t *testing.T) {
	t.Parallel()
	for name, cells := range map[string]int{"mosaic": 4, "mosaic9": 9} {
		p := planner(t, some(30), certain(name))
		corners := map[box.Box]bool{}
		for n := range 100 {
			s, objects := p.Plan(Place{Number: n}, n%30, same)
			if len(s.Layers) != cells || s.Layers[0].Index != n%30 {
				t.Fatalf("%s: %d layers, the first of image %d, want %d of %d", name, len(s.Layers), s.Layers[0].Index, cells, n%30)
			}
			sum := 0.
			for i, l := range s.Layers {
				sum += area(l.Clip)
				im := some(30)[l.Index]
				if covered := common(l.Position.Box(frame(float64(im.W), float64(im.H))), l.Clip); covered != l.Clip {
					t.Errorf("%s: the image leaves %v of its cell %v free", name, covered, l.Clip)
				}
				for _, other := range s.Layers[:i] {
					if common(l.Clip, other.Clip).Area() > 0 {
						t.Errorf("%s: cells %v and %v", name, l.Clip, other.Clip)
					}
				}
			}
			near(t, name+" area", sum, 640*480)
			corners[s.Layers[0].Clip] = true
			for _, o := range objects {
				inCell := false
				for _, l := range s.Layers {
					inCell = inCell || common(o.Box, l.Clip) == o.Box
				}
				if !inCell {
					t.Errorf("%s: the box %v is in no cell", name, o.Box)
				}
			}
		}
		if len(corners) < 50 {
			t.Errorf("%s: the image has only %d cells", name, len(corners))
		}
	}
}

// The weight of mixup is a number of Beta(alpha, alpha): its mean is 1/2 and its variance 1/(4*(2*alpha+1)).
func TestBeta(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(2, 2))
	for _, alpha := range []float64{1, 8, 50} {
		const n = 100000
		sum, squares := 0., 0.
		for range n {
			v := beta(r, alpha)
			sum, squares = sum+v, squares+(v-.5)*(v-.5)
		}
		want := 1 / (4 * (2*alpha + 1))
		if math.Abs(sum/n-.5) > 5*math.Sqrt(want/n) || math.Abs(squares/n/want-1) > .03 {
			t.Errorf("alpha %v: mean %v, variance %v, want .5, %v", alpha, sum/n, squares/n, want)
		}
	}
}

func TestMixup(t *testing.T) {
	t.Parallel()
	p := planner(t, some(30), certain("mixup"))
	both := 0
	for n := range 100 {
		s, objects := p.Plan(Place{Number: n}, 2, same)
		if len(s.Layers) != 2 || s.Layers[0].Weight != 1 || !(s.Layers[1].Weight > 0 && s.Layers[1].Weight < 1) {
			t.Fatalf("%+v", s.Layers)
		}
		if want := 2 + s.Layers[1].Index%3; len(objects) != want {
			t.Errorf("%d objects with image %d, want %d", len(objects), s.Layers[1].Index, want)
		} else if want > 2 {
			both++
		}
	}
	if both < 30 {
		t.Errorf("only %d with objects of both", both)
	}
}

// Pasted boxes hide little, keep their ratio and are more often of rare classes.
func TestCopyPaste(t *testing.T) {
	t.Parallel()
	images := set{landscape}
	for i := range 40 { // 36 of class 1, 4 of class 2
		class := int32(1)
		if i%10 == 0 {
			class = 2
		}
		images = append(images, Image{W: 200, H: 100, Objects: []Object{{Box: box.Box{X1: 50, Y1: 20, X2: 90, Y2: 70}, Class: class}}})
	}
	p := planner(t, images, certain("copy_paste"))
	count := map[int32]int{}
	for n := range 400 {
		s, objects := p.Plan(Place{Number: n}, 0, same)
		for _, l := range s.Layers[1:] {
			of := images[l.Index].Objects[0].Box
			if ratio := l.Clip.W() / l.Clip.H() / (of.W() / of.H()); math.Abs(float64(ratio)-1) > .005 { // the image's sides are whole px
				t.Errorf("a box of another ratio: by %v", ratio)
			}
			if hidden := common(l.Clip, object1).Area(); hidden > mostHidden*object1.Area()*1.0001 {
				t.Errorf("%v of the object is hidden", hidden/object1.Area())
			}
		}
		for _, o := range objects {
			count[o.Class]++
		}
	}
	// Class 0 has 1 object, class 1 has 36 and class 2 has 4: weights of 1, 1/36 and 1/4. The 400 own objects are of class 0.
	pasted := float64(count[0] - 400 + count[1] + count[2])
	if share := float64(count[2]) / pasted; math.Abs(share-.25/(1+1./36+.25)) > .06 || pasted < 400 {
		t.Errorf("a share of %v of %v boxes is of class 2; %v", share, pasted, count)
	}
	s, _ := planner(t, set{{W: 50, H: 50}}, certain("copy_paste")).Plan(Place{}, 0, same)
	if len(s.Layers) != 1 {
		t.Errorf("%d layers of a set without objects", len(s.Layers))
	}
}

func TestCutout(t *testing.T) {
	t.Parallel()
	p := planner(t, set{landscape}, certain("cutout"))
	counts := map[int]int{}
	for n := range 200 {
		s, objects := p.Plan(Place{Number: n}, 0, same)
		counts[len(s.Fill)]++
		for _, b := range s.Fill {
			if common(b, frame(640, 480)) != b || b.W() > 128 || b.H() > 96 {
				t.Errorf("a rectangle of %v", b)
			}
		}
		if left := uncovered(object1, s.Fill) / area(object1); (left >= .25) != (len(objects) == 1) {
			t.Errorf("%v is left of the object, %d objects", left, len(objects))
		}
	}
	if counts[1] < 40 || counts[2] < 40 || counts[3] < 40 || len(counts) != 3 {
		t.Errorf("numbers of rectangles: %v", counts)
	}
}

// Further images are drawn among those that can be read.
func TestSkip(t *testing.T) {
	t.Parallel()
	p := planner(t, some(3), certain("mosaic9"), certain("mixup"))
	for n := range 50 {
		s, _ := p.Plan(Place{Number: n, Skip: map[int]bool{1: true}}, 0, same)
		for _, l := range s.Layers {
			if l.Index == 1 {
				t.Error("an image that cannot be read is in the scene")
			}
		}
	}
	s, _ := p.Plan(Place{Skip: map[int]bool{0: true, 1: true, 2: true}}, 0, same)
	if len(s.Layers) != 1 {
		t.Errorf("%d layers where no further image can be read", len(s.Layers))
	}
}
