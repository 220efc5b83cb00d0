package loss

import (
	"math"
	"slices"
	"testing"
)

// Smoothed labels are soft targets: cross entropy with the targets 1-s/2 and s/2, in closed form.
func TestSmoothedCrossEntropy(t *testing.T) {
	t.Parallel()
	p := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	const s = .2
	f := SmoothedFocal{Smoothing: s}
	for x := -8.; x <= 8; x += .5 {
		want := -(1-s/2)*math.Log(p(x)) - s/2*math.Log(1-p(x))
		l, slope := f.At(x, true)
		if math.Abs(l-want) > 1e-9 || math.Abs(slope-(p(x)-1+s/2)) > 1e-9 {
			t.Errorf("at %g: %.12g with slope %.12g, want %.12g with %.12g", x, l, slope, want, p(x)-1+s/2)
		}
	}
}

// With a focusing exponent both targets have their focal loss; alpha goes by the label, and a smoothing of 0 is the focal loss.
func TestSmoothedFocal(t *testing.T) {
	t.Parallel()
	const h = 1e-5
	for _, positive := range []bool{true, false} {
		a := .75
		if positive {
			a = .25
		}
		f := SmoothedFocal{Alpha: .25, Gamma: 2, Smoothing: .1}
		for x := -12.; x <= 12; x += .25 {
			p := 1 / (1 + math.Exp(-x))
			want := -a * (.95*math.Pow(1-p, 2)*math.Log(p) + .05*p*p*math.Log(1-p))
			l, slope := f.At(x, positive)
			if math.Abs(l-want) > 1e-9*math.Max(1, want) {
				t.Errorf("at %g: %.12g, want %.12g", x, l, want)
			}
			up, _ := f.At(x+h, positive)
			down, _ := f.At(x-h, positive)
			if d := (up - down) / (2 * h); math.Abs(slope-d) > 1e-6*math.Max(1, math.Abs(d)) {
				t.Errorf("at %g: slope %.9g, differences give %.9g", x, slope, d)
			}
		}
	}
	l, slope := SmoothedFocal{Alpha: .25, Gamma: 2}.At(.7, true)
	if wantL, want := (Focal{.25, 2}).At(.7, true); l != wantL || slope != want {
		t.Errorf("%g with slope %g, the focal loss has %g with %g", l, slope, wantL, want)
	}
}

// The smoothed softmax is the cross entropy with the targets (1-s) onehot + s/k.
func TestSmoothedSoftmax(t *testing.T) {
	t.Parallel()
	x, s := []float32{1, -2, .5, 0}, .1
	sum := 0.0
	for _, v := range x {
		sum += math.Exp(float64(v))
	}
	grad := make([]float32, 4)
	got, want := Softmax{Smoothing: s}.Eval(grad, x, []int32{2}), 0.0
	for c, v := range x {
		target := s / 4
		if c == 2 {
			target += 1 - s
		}
		p := math.Exp(float64(v)) / sum
		want -= target * math.Log(p)
		if math.Abs(float64(grad[c])-(p-target)) > 1e-7 {
			t.Errorf("gradient %d is %g, want %g", c, grad[c], p-target)
		}
	}
	if math.Abs(got-want) > 1e-12 {
		t.Errorf("%.12g, want %.12g", got, want)
	}
}

// Weights and alphas of classes multiply the tasks of their columns, for every loss of the table that reads them.
func TestPerClassKinds(t *testing.T) {
	t.Parallel()
	logits, labels := []float32{.5, -1, 2, 1}, []int32{1, Background}
	for _, k := range Kinds {
		if !k.ClassWeights || k.Background {
			continue
		}
		plain, weighted := make([]float32, 4), make([]float32, 4)
		p := DefaultParams()
		a := k.Class(p).Eval(plain, logits, labels)
		p.ClassWeights = "3,0.25"
		b := k.Class(p).Eval(weighted, logits, labels)
		if a == b {
			t.Errorf("%s does not read the weights", k.Name)
		}
		for i, g := range plain {
			if want := []float32{3, .25}[i%2] * g; math.Abs(float64(weighted[i]-want)) > 1e-6 {
				t.Errorf("%s: gradient %d is %g, want %g", k.Name, i, weighted[i], want)
			}
		}
		if !k.ClassAlphas {
			continue
		}
		p.ClassWeights, p.ClassAlphas = "", []float64{.9, .25}
		l := k.Class(p)
		l.Eval(weighted, logits, labels)
		for c, alpha := range p.ClassAlphas {
			p := DefaultParams()
			p.Alpha = alpha
			k.Class(p).Eval(plain, logits, labels)
			for i := c; i < 4; i += 2 {
				if math.Abs(float64(weighted[i]-plain[i])) > 1e-7 {
					t.Errorf("%s: gradient %d is %g with the class's alpha, %g with it for all", k.Name, i, weighted[i], plain[i])
				}
			}
		}
	}
}

// A softmax's row has the factor of its label; the background has none.
func TestSoftmaxClasses(t *testing.T) {
	t.Parallel()
	x := []float32{1, 0, -1}
	s := Softmax{Classes: []float64{2, .5}}
	for label, want := range map[int32]float64{0: 2, 1: .5, Background: 1} {
		plain, weighted := make([]float32, 3), make([]float32, 3)
		a, b := Softmax{}.Eval(plain, x, []int32{label}), s.Eval(weighted, x, []int32{label})
		if math.Abs(b-want*a) > 1e-12 || math.Abs(float64(weighted[0])-want*float64(plain[0])) > 1e-7 {
			t.Errorf("label %d: %g with a factor, %g without, want a ratio of %g", label, b, a, want)
		}
	}
}

func TestClassWeights(t *testing.T) {
	t.Parallel()
	objects := []int{90, 10, 0}
	for name, want := range map[ClassWeights][]float64{
		// 1/90, 1/10 and 1, over their mean.
		"inverse_frequency": {3. / 100, 27. / 100, 270. / 100},
		// (1-.9)/(1-.9^n) = .1000076, .1535339, 1.
		"effective_number": {.239340164, .367440519, 2.393219317},
	} {
		got, err := name.Resolve(objects, .9).List()
		if err != nil || len(got) != 3 {
			t.Fatal(name, got, err)
		}
		for c, w := range want {
			if math.Abs(got[c]-w) > 1e-6 {
				t.Errorf("%s: weight %d is %.9g, want %.9g", name, c, got[c], w)
			}
		}
	}
	if w := ClassWeights("effective_number").Resolve(objects, 0); w != "1,1,1" {
		t.Errorf("beta 0 gives %q", w)
	}
	if w := ClassWeights("2, .5,1").Resolve(objects, .9); w != "2, .5,1" {
		t.Errorf("a list becomes %q", w)
	}
	if got, err := ClassWeights("2, .5,1").List(); err != nil || !slices.Equal(got, []float64{2, .5, 1}) {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := ClassWeights("").List(); err != nil || got != nil {
		t.Errorf("the empty list is %v, %v", got, err)
	}
	for _, bad := range []ClassWeights{"frequency", "1,,2", "1,-2", "NaN", "0,0", "1,2e7"} {
		if _, err := bad.List(); err == nil {
			t.Errorf("%q passes", bad)
		}
	}
}

// Pang et al. 2019, eqs. 7 to 9, by hand with the paper's numbers: b = e^3 - 1, a slope of .5 log(b d + 1) below 1 and of 1.5 above, and no
// step in loss or slope at 1.
func TestBalancedL1ByHand(t *testing.T) {
	t.Parallel()
	l, b := BalancedL1{Alpha: .5, Gamma: 1.5, Beta: 1}, math.Exp(3)-1
	for _, k := range []struct{ d, loss, slope float64 }{
		{0, 0, 0},
		{.5, .5/b*(.5*b+1)*math.Log(.5*b+1) - .25, .5 * math.Log(.5*b+1)},
		{-.5, .5/b*(.5*b+1)*math.Log(.5*b+1) - .25, -.5 * math.Log(.5*b+1)},
		{1, 1.5 + 1.5/b - .5, 1.5},
		{-3, 4.5 + 1.5/b - .5, -1.5},
	} {
		if loss, slope := l.At(k.d); math.Abs(loss-k.loss) > 1e-12 || math.Abs(slope-k.slope) > 1e-12 {
			t.Errorf("at %g: %g with slope %g, want %g with %g", k.d, loss, slope, k.loss, k.slope)
		}
	}
	below, s1 := l.At(1 - 1e-9)
	above, s2 := l.At(1)
	if math.Abs(above-below) > 1e-8 || math.Abs(s2-s1) > 1e-8 {
		t.Errorf("a step at 1: %g to %g, slope %g to %g", below, above, s1, s2)
	}
	if loss, slope := (BalancedL1{.5, 1.5, 0}).At(2); loss != 3 || slope != 1.5 {
		t.Errorf("beta 0: %g with slope %g", loss, slope)
	}
}
