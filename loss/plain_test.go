package loss

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// classes are all classification losses; those with a quality take the same for all rows.
var classes = map[string]Class{
	"focal":          Focal{.25, 2},
	"focal .5":       Focal{.75, .5},
	"cross entropy":  CrossEntropy{-1},
	"balanced":       CrossEntropy{.25},
	"focal star":     FocalStar{-1, 2, 1},
	"softmax":        Softmax{},
	"OHEM":           OHEM{Class: Focal{-1, 0}, Keep: 5},
	"OHEM 1:3":       OHEM{Class: CrossEntropy{-1}, Ratio: 3},
	"quality focal":  withQuality{QualityFocal{2}, .7},
	"quality zero":   withQuality{QualityFocal{2}, 0},
	"varifocal":      withQuality{Varifocal{.75, 2}, .6},
	"varifocal zero": withQuality{Varifocal{.75, 2}, 0},
	"smoothed":       SmoothedFocal{.25, 2, .1},
	"smoothed CE":    SmoothedFocal{Smoothing: .2},
	"smooth softmax": Softmax{Smoothing: .1},
	"GHM":            &GHM{Bins: 4},
	"equalized":      trained(&EqualizedFocal{Alpha: .25, Gamma: 2, Scale: 8}),
	"equalization":   trained(&Equalization{Alpha: 4, Gamma: 12, Mu: .8}),
	"seesaw":         trained(&Seesaw{Mitigation: .8}), // without the compensation, whose factors are constants to the gradient
}

// trained is an adaptive loss of four classes with a state in which the first is frequent. With less than four logits it has none.
func trained(l Adaptive) Class {
	logits, labels := make([]float32, 40), make([]int32, 10)
	for i := range labels {
		labels[i] = int32(max(i-6, 0))
		logits[4*i+int(labels[i])] = float32(i%3) - 1
	}
	l.Train(nil, logits, labels, alike)
	return l
}

type withQuality struct {
	QualityLoss
	q float32
}

func (w withQuality) Eval(grad, logits []float32, labels []int32) float64 {
	quality := make([]float32, len(labels))
	for i := range quality {
		quality[i] = w.q
	}
	return w.QualityLoss.Eval(grad, logits, labels, quality)
}

// Gradients against central differences. Steps are taken in float32 logits, sums are float64.
func TestClassGradients(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	const n, k, h = 12, 4, 1. / 1024
	logits, labels := make([]float32, n*k), make([]int32, n)
	for i := range logits {
		logits[i] = float32(math.Round(3*r.NormFloat64()*1024) / 1024) // so that steps are exact
	}
	for i := range labels {
		labels[i] = int32(r.IntN(k+2) - 2)
	}
	for name, c := range classes {
		grad := make([]float32, len(logits))
		for i := range grad {
			grad[i] = 99
		}
		whole := c.Eval(grad, logits, labels)
		if only := c.Eval(nil, logits, labels); math.Abs(only-whole) > 1e-12*whole {
			t.Errorf("%s: %g without a gradient, %g with", name, only, whole)
		}
		for i := range logits {
			x := slices.Clone(logits)
			x[i] += h
			up := c.Eval(nil, x, labels)
			x[i] -= 2 * h
			want := (up - c.Eval(nil, x, labels)) / (2 * h)
			if math.Abs(float64(grad[i])-want) > 1e-5*math.Max(1, math.Abs(want)) {
				t.Errorf("%s: gradient of logit %g with label %d is %g, want %g", name, logits[i], labels[i/k], grad[i], want)
			}
			if labels[i/k] == Ignored && grad[i] != 0 {
				t.Errorf("%s: an ignored row has the gradient %g", name, grad[i])
			}
		}
	}
}

// Logits up to 1e4 of either sign give finite losses and gradients.
func TestClassExtremes(t *testing.T) {
	t.Parallel()
	var logits []float32
	var labels []int32
	for _, a := range []float32{-1e4, -800, -90, 0, 90, 800, 1e4} {
		for _, b := range []float32{-1e4, 0, 1e4} {
			logits = append(logits, a, b, a, b)
			labels = append(labels, 0, Background)
		}
	}
	for name, c := range classes {
		grad := make([]float32, len(logits))
		if l := c.Eval(grad, logits, labels); l < 0 || math.IsNaN(l) || math.IsInf(l, 0) {
			t.Errorf("%s: loss %g", name, l)
		}
		for i, g := range grad {
			if g-g != 0 || math.Abs(float64(g)) > 1e5 {
				t.Errorf("%s: gradient of logit %g is %g", name, logits[i], g)
			}
		}
	}
}

func TestClassNothing(t *testing.T) {
	t.Parallel()
	for name, c := range classes {
		if l := c.Eval(nil, nil, nil); l != 0 {
			t.Errorf("%s: %g of nothing", name, l)
		}
		grad := []float32{5, 5}
		if l := c.Eval(grad, []float32{3, -2}, []int32{Ignored}); l != 0 || grad[0] != 0 || grad[1] != 0 {
			t.Errorf("%s: %g of ignored rows, gradient %v", name, l, grad)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, k := range []struct {
		logits, labels int
		label          int32
		ok             bool
	}{{6, 3, 1, true}, {6, 3, 2, false}, {6, 3, -2, true}, {6, 3, -3, false}, {5, 3, 0, false}, {0, 3, 0, false}, {3, 0, 0, false}, {0, 0, 0, true}} {
		labels := make([]int32, k.labels)
		if k.labels > 0 {
			labels[0] = k.label
		}
		if err := Check(make([]float32, k.logits), labels); (err == nil) != k.ok {
			t.Errorf("%+v: %v", k, err)
		}
	}
}

// By hand: FL* at x_t = 0, gamma 2, beta 1 is log(1+1/e)/2; QFL at p = .5, y = 1 is .25 log 2; VFL at p = .5: q = .6
// costs .6 log 2, and a negative .75 .25 log 2.
func TestByHand(t *testing.T) {
	t.Parallel()
	zero, positive, negative := []float32{0}, []int32{0}, []int32{Background}
	for _, k := range []struct {
		name      string
		got, want float64
	}{
		{"FL*", FocalStar{-1, 2, 1}.Eval(nil, zero, positive), math.Log1p(math.Exp(-1)) / 2},
		{"FL* of the background", FocalStar{-1, 2, 1}.Eval(nil, zero, negative), math.Log1p(math.Exp(-1)) / 2},
		{"QFL", QualityFocal{2}.Eval(nil, zero, positive, []float32{1}), .25 * math.Ln2},
		{"VFL", Varifocal{.75, 2}.Eval(nil, zero, positive, []float32{.6}), float64(float32(.6)) * math.Ln2},
		{"VFL of the background", Varifocal{.75, 2}.Eval(nil, zero, negative, []float32{0}), .75 * .25 * math.Ln2},
		{"softmax", Softmax{}.Eval(nil, []float32{1, 1, 1, 1}, []int32{Background}), math.Log(4)},
		{"FL", Focal{.25, 2}.Eval(nil, zero, positive), .25 * .25 * math.Ln2},
	} {
		if math.Abs(k.got-k.want) > 1e-12 {
			t.Errorf("%s: %.12g, want %.12g", k.name, k.got, k.want)
		}
	}
}

// Gamma 0 is alpha-balanced cross entropy, to the bit.
func TestGammaZero(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(8, 8))
	logits, labels := make([]float32, 300), make([]int32, 100)
	for i := range logits {
		logits[i] = float32(10 * r.NormFloat64())
	}
	for i := range labels {
		labels[i] = int32(r.IntN(5) - 2)
	}
	a, b := make([]float32, 300), make([]float32, 300)
	if x, y := (Focal{.25, 0}).Eval(a, logits, labels), (CrossEntropy{.25}).Eval(b, logits, labels); x != y || !slices.Equal(a, b) {
		t.Errorf("%g and %g", x, y)
	}
}

// A sum over many rows does not depend on how they are shared out.
func TestManyRows(t *testing.T) {
	t.Parallel()
	const n = 3*chunk + 17
	logits, labels := make([]float32, n), make([]int32, n)
	want := 0.0
	for i := range logits {
		logits[i], labels[i] = float32(i%7-3), int32(i%3-1)
		if labels[i] > 0 {
			labels[i] = Ignored
		}
		want += Focal{.25, 2}.Eval(nil, logits[i:i+1], labels[i:i+1])
	}
	first := Focal{.25, 2}.Eval(nil, logits, labels)
	if math.Abs(first-want) > 1e-9*want {
		t.Errorf("%g, want %g", first, want)
	}
	for range 10 {
		if again := (Focal{.25, 2}).Eval(nil, logits, labels); again != first {
			t.Fatalf("%v, then %v", first, again)
		}
	}
}

func TestOHEMRows(t *testing.T) {
	t.Parallel()
	losses := []float64{5, 1, 4, 2, 9, 3, 8, 4}
	labels := []int32{-1, 0, -1, 1, -2, -1, -1, -1}
	for _, k := range []struct {
		o    OHEM
		want []int
	}{
		{OHEM{}, []int{6, 0, 2, 7, 5, 3, 1}},
		{OHEM{Keep: 3}, []int{6, 0, 2}},
		{OHEM{Ratio: 1}, []int{6, 0, 3, 1}},
		{OHEM{Ratio: 3}, []int{6, 0, 2, 7, 5, 3, 1}},
		{OHEM{Ratio: 3, Keep: 4}, []int{6, 0, 2, 3}},
		{OHEM{Keep: 2, Excluded: func(row, harder int) bool { return row == 0 && harder == 6 }}, []int{6, 2}},
		{OHEM{Keep: 4, Ratio: 3, Excluded: func(row, harder int) bool { return row == 1 || row == 2 && harder == 0 }}, []int{6, 0, 7, 3}},
	} {
		if got := k.o.Rows(losses, labels); !slices.Equal(got, k.want) {
			t.Errorf("keep %d, ratio %g: %v, want %v", k.o.Keep, k.o.Ratio, got, k.want)
		}
	}
	if got := (OHEM{Ratio: 3}).Rows([]float64{1, 2, 3, 4}, []int32{-1, -1, -1, -1}); !slices.Equal(got, []int{3, 2, 1}) {
		t.Errorf("without positives: %v", got)
	}
}

var overlaps = map[string]Box{"IoU": IoU{}, "log IoU": IoU{Log: true}, "GIoU": GIoU{}, "DIoU": DIoU{}, "CIoU": CIoU{}, "L1": L1{}, "smooth L1": SmoothL1{.5},
	"balanced L1": BalancedL1{.5, 1.5, 1}, "balanced L1 of beta 4": BalancedL1{.5, 1.5, 4}}

// By hand: 2x2 boxes, one shifted by (1, 1): intersection 1, union 7, outer box 9, centres sqrt 2 apart, diagonal
// sqrt 18; and the same boxes without overlap, one shifted by (3, 0): outer box 10, centres 3 apart, diagonal sqrt 29.
func TestBoxesByHand(t *testing.T) {
	t.Parallel()
	p := []float32{0, 0, 2, 2}
	for _, k := range []struct {
		name   string
		target []float32
		want   float64
	}{
		{"IoU", []float32{1, 1, 3, 3}, 6. / 7},
		{"GIoU", []float32{1, 1, 3, 3}, 6./7 + 2./9},
		{"DIoU", []float32{1, 1, 3, 3}, 6./7 + 2./18},
		{"CIoU", []float32{1, 1, 3, 3}, 6./7 + 2./18},
		{"GIoU", []float32{3, 0, 5, 2}, 1 + 2./10},
		{"DIoU", []float32{3, 0, 5, 2}, 1 + 9./29},
		{"GIoU", p, 0}, {"CIoU", p, 0}, {"log IoU", p, 0},
	} {
		if got := overlaps[k.name].Eval(nil, p, k.target); math.Abs(got-k.want) > 1e-6 {
			t.Errorf("%s to %v: %g, want %g", k.name, k.target, got, k.want)
		}
	}
}

func TestBoxGradients(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(4, 5))
	const h = 1. / 512
	pred, target := make([]float32, 80), make([]float32, 80)
	round := func(v float64) float32 { return float32(math.Round(v*512)/512 + 1./2048) }
	for i := 0; i < 80; i += 4 {
		for _, b := range [][]float32{pred[i : i+4], target[i : i+4]} {
			b[0], b[1] = round(10*r.Float64()), round(10*r.Float64())
			b[2], b[3] = b[0]+round(1+8*r.Float64()), b[1]+round(1+8*r.Float64())
		}
	}
	for name, l := range overlaps {
		grad := make([]float32, len(pred))
		l.Eval(grad, pred, target)
		for i := range pred {
			b, tg := slices.Clone(pred[i/4*4:i/4*4+4]), target[i/4*4:i/4*4+4]
			f := func(x float32) float64 {
				b[i%4] = x
				if name != "CIoU" {
					return l.Eval(nil, b, tg)
				}
				// The weight of the aspect term is a constant: that of the undisturbed box.
				o, o0 := newPair(b, tg), newPair(pred[i/4*4:i/4*4+4], tg)
				v0 := o0.aspect().v
				return 1 - o.iou.v + o.far().v + o.aspect().v*v0/(1-o0.iou.v+v0+eps)
			}
			want := (f(pred[i]+h) - f(pred[i]-h)) / (2 * h)
			if name == "log IoU" && math.Abs(want) < 1e-9 {
				continue // no overlap: the logarithm's value is that of eps
			}
			if math.Abs(float64(grad[i])-want) > 2e-4*math.Max(1, math.Abs(want)) {
				t.Errorf("%s: box %v to %v, coordinate %d: %g, want %g", name, pred[i/4*4:i/4*4+4], tg, i%4, grad[i], want)
			}
		}
	}
}

// Boxes without area, apart, equal, huge: finite.
func TestBoxExtremes(t *testing.T) {
	t.Parallel()
	odd := [][]float32{{0, 0, 0, 0}, {5, 5, 5, 9}, {0, 0, 1e4, 1e4}, {-1e4, -1e4, -1e4, -9e3}, {1, 1, 2, 2}}
	for name, l := range overlaps {
		for _, p := range odd {
			for _, q := range odd {
				grad := make([]float32, 4)
				v := l.Eval(grad, p, q)
				if v < -1e-6 || v-v != 0 {
					t.Errorf("%s of %v and %v: %g", name, p, q, v)
				}
				for _, g := range grad {
					if g-g != 0 {
						t.Errorf("%s of %v and %v: gradient %v", name, p, q, grad)
					}
				}
			}
		}
	}
}

// Losses and gradients of torchvision.ops on random inputs; testdata/references.py made them.
func TestTorchvision(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/references.json")
	if err != nil {
		t.Fatal(err)
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		t.Fatal(err)
	}
	list := func(name string) []float32 {
		var v []float32
		if err := json.Unmarshal(raw[name], &v); err != nil {
			t.Fatal(name, err)
		}
		return v
	}
	var labels []int32
	if err := json.Unmarshal(raw["labels"], &labels); err != nil {
		t.Fatal(err)
	}
	logits, pred, target := list("logits"), list("pred"), list("target")
	checked := 0
	for name, text := range raw {
		var want struct {
			Loss float64
			Grad []float64
		}
		if json.Unmarshal(text, &want) != nil {
			continue
		}
		checked++
		var got float64
		grad := make([]float32, len(want.Grad))
		var alpha, gamma float64
		switch n, _ := fmt.Sscanf(name, "focal %g %g", &alpha, &gamma); {
		case n == 2:
			got = Focal{alpha, gamma}.Eval(grad, logits, labels)
		case name == "softmax":
			got = Softmax{}.Eval(grad, logits, labels)
		case name == "smoothl1":
			got = SmoothL1{.5}.Eval(grad, pred, target)
		default:
			got = map[string]Box{"giou": GIoU{}, "diou": DIoU{}, "ciou": CIoU{}, "l1": L1{}}[name].Eval(grad, pred, target)
		}
		if math.Abs(got-want.Loss) > 1e-6*want.Loss {
			t.Errorf("%s: %.9g, want %.9g", name, got, want.Loss)
		}
		for i, g := range want.Grad {
			// At equal boxes the derivative of a maximum is a matter of taste.
			equal := strings.HasSuffix(name, "iou") && slices.Equal(pred[i/4*4:i/4*4+4], target[i/4*4:i/4*4+4])
			if !equal && math.Abs(float64(grad[i])-g) > 1e-5*math.Max(1, math.Abs(g)) {
				t.Errorf("%s: gradient %d is %g, want %g", name, i, grad[i], g)
			}
		}
	}
	if checked != 10 {
		t.Errorf("%d losses were compared, want 10", checked)
	}
}

func BenchmarkFocal(b *testing.B) {
	logits, labels := make([]float32, 100_000*80), make([]int32, 100_000)
	for i := range logits {
		logits[i] = float32(i%13) - 8
	}
	grad := make([]float32, len(logits))
	b.SetBytes(int64(4 * len(logits)))
	for b.Loop() {
		Focal{.25, 2}.Eval(grad, logits, labels)
	}
}
