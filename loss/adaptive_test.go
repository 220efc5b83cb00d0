package loss

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// adaptive are the losses of the table that follow the batches of training.
func adaptive(t *testing.T) map[string]func() Adaptive {
	t.Helper()
	out := map[string]func() Adaptive{}
	for _, k := range Kinds {
		if k.Class == nil {
			continue
		}
		if _, ok := k.Class(DefaultParams()).(Adaptive); ok {
			out[k.Name] = func() Adaptive { return k.Class(DefaultParams()).(Adaptive) }
		}
	}
	if len(out) != 4 {
		t.Fatalf("%d adaptive losses, want ghmc, efl, eqlv2 and seesaw", len(out))
	}
	return out
}

// batch is a random batch of 3 logits per row; class 0 is ten times as frequent as class 1.
func batch(r *rand.Rand) (logits []float32, labels []int32) {
	for range 60 {
		label := int32(r.IntN(4)) - 2
		if label == 1 && r.IntN(10) > 0 {
			label = 0
		}
		labels = append(labels, label)
		for range 3 {
			logits = append(logits, float32(2*r.NormFloat64()))
		}
	}
	return logits, labels
}

// A loss that continues from a state comes to the same bits as one that was never stopped, and Eval changes nothing.
func TestStateContinues(t *testing.T) {
	t.Parallel()
	for name, fresh := range adaptive(t) {
		r := rand.New(rand.NewPCG(5, 6))
		whole, states := fresh(), 0
		for range 5 {
			logits, labels := batch(r)
			resumed := fresh()
			if err := resumed.SetState(whole.State(), 3); err != nil {
				t.Fatal(name, err)
			}
			before := whole.State()
			a, b := make([]float32, len(logits)), make([]float32, len(logits))
			whole.Eval(a, logits, labels)
			if !slices.Equal(whole.State(), before) {
				t.Errorf("%s: Eval changed the state", name)
			}
			x, y := whole.Train(a, logits, labels, alike), resumed.Train(b, logits, labels, alike)
			if x != y || !slices.Equal(a, b) || !slices.Equal(whole.State(), resumed.State()) {
				t.Errorf("%s: %g and %g, or gradients or states differ", name, x, y)
			}
			if !slices.Equal(whole.State(), before) {
				states++
			}
		}
		if states != 5 {
			t.Errorf("%s: %d of 5 batches changed the state", name, states)
		}
	}
}

// What is no state is refused, and the state stays.
func TestSetStateErrors(t *testing.T) {
	t.Parallel()
	for name, fresh := range adaptive(t) {
		l := fresh()
		logits, labels := batch(rand.New(rand.NewPCG(5, 6)))
		l.Train(nil, logits, labels, alike)
		good := l.State()
		for _, v := range []float64{-1, math.NaN(), math.Inf(1)} {
			bad := slices.Clone(good)
			bad[1] = v
			if l.SetState(bad, 3) == nil {
				t.Errorf("%s takes a %g", name, v)
			}
		}
		if l.SetState(good[1:], 3) == nil || !slices.Equal(l.State(), good) {
			t.Errorf("%s takes a state of another length, or lost its own", name)
		}
		if err := l.SetState(nil, 3); err != nil || len(l.State()) != 0 {
			t.Errorf("%s: the empty state: %v", name, err)
		}
	}
}

// A row's factor multiplies its loss and not its gradient; a logit that is not a number leaves the state finite.
func TestAdaptiveFactors(t *testing.T) {
	t.Parallel()
	for name, fresh := range adaptive(t) {
		logits, labels := batch(rand.New(rand.NewPCG(7, 8)))
		l := fresh()
		a, b := make([]float32, len(logits)), make([]float32, len(logits))
		one, three := l.EvalWeighted(a, logits, labels, alike), l.EvalWeighted(b, logits, labels, func(int) float64 { return 3 })
		if math.Abs(three-3*one) > 1e-12*three || !slices.Equal(a, b) {
			t.Errorf("%s: %g with a factor of 3, %g without, or gradients differ", name, three, one)
		}
		for i := range logits {
			logits[i] = float32(math.NaN())
		}
		l.Train(nil, logits, labels, alike)
		if err := checkState(l.State()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Li et al. 2019, eq. 9, by hand: of two bins the lower has three tasks of background at logit -2 and an object at 2, the upper one of
// background at 0. Each bin counts as much.
func TestGHMByHand(t *testing.T) {
	t.Parallel()
	h := &GHM{Bins: 2, Momentum: .75}
	logits, labels := []float32{-2, -2, -2, 2, 0, 5}, []int32{-1, -1, -1, 0, -1, Ignored}
	grad := make([]float32, 6)
	g := sigmoid(-2)
	if l, want := h.Train(grad, logits, labels, alike), (softplus(-2)+math.Ln2)/2; math.Abs(l-want) > 1e-12 {
		t.Errorf("%.12g, want %.12g", l, want)
	}
	for i, want := range []float64{g / 8, g / 8, g / 8, -g / 8, .25, 0} {
		if math.Abs(float64(grad[i])-want) > 1e-7 {
			t.Errorf("gradient %d is %g, want %g", i, grad[i], want)
		}
	}
	if got := h.State(); !slices.Equal(got, []float64{4, 1}) {
		t.Errorf("counts %v", got)
	}
	// A batch of two objects in the lower bin: its count is .75*4 + .25*2, and the upper one's stays.
	l := h.Train(nil, []float32{2, 2}, []int32{0, 0}, alike)
	if want := 2 * 2 * softplus(-2) / 3.5; math.Abs(l-want) > 1e-12 || !slices.Equal(h.State(), []float64{3.5, 1}) {
		t.Errorf("%.12g, want %.12g; counts %v", l, want, h.State())
	}
}

// Factors of classes multiply the tasks of their columns.
func TestGHMClasses(t *testing.T) {
	t.Parallel()
	logits, labels := []float32{1, -1}, []int32{0}
	even, odd := make([]float32, 2), make([]float32, 2)
	(&GHM{Bins: 1}).Eval(even, logits, labels)
	(&GHM{Bins: 1, Classes: []float64{4, .5}}).Eval(odd, logits, labels)
	if odd[0] != 4*even[0] || odd[1] != .5*even[1] {
		t.Errorf("gradients %v with factors 4 and .5, %v without", odd, even)
	}
}

// Li et al. 2022, eqs. 4 to 6, by hand: gradients of 1 for the class and 4 against it give gamma 2 + 8*.75 = 8 and a weight of 4.
func TestEqualizedFocalByHand(t *testing.T) {
	t.Parallel()
	e := &EqualizedFocal{Alpha: .25, Gamma: 2, Scale: 8}
	if err := e.SetState([]float64{1, 4}, 1); err != nil {
		t.Fatal(err)
	}
	for label, alpha := range map[int32]float64{0: .25, Background: .75} {
		if l, want := e.Eval(nil, []float32{0}, []int32{label}), 4*alpha*math.Ln2/256; math.Abs(l-want) > 1e-15 {
			t.Errorf("label %d: %g, want %g", label, l, want)
		}
	}
	// A class with more gradients for it than against it, and one before the first batch, have the focal loss.
	f := Focal{.25, 2}
	logits, labels := []float32{.3, -1, 2, 1}, []int32{1, Background}
	if err := e.SetState([]float64{5, 5, 4, 1}, 2); err != nil {
		t.Fatal(err)
	}
	fresh, grad := &EqualizedFocal{Alpha: .25, Gamma: 2, Scale: 8}, make([]float32, 4)
	want := f.Eval(grad, logits, labels)
	if a, b := e.Eval(nil, logits, labels), fresh.Train(nil, logits, labels, alike); a != want || b != want {
		t.Errorf("%g and %g, want %g", a, b, want)
	}
	sums := fresh.State()
	for i, want := range []float64{0, -float64(grad[1]), float64(grad[0]) + float64(grad[2]), float64(grad[3])} {
		if math.Abs(sums[i]-want) > 1e-12 {
			t.Errorf("sum %d is %g, want %g", i, sums[i], want)
		}
	}
}

// Tan et al. 2021, by hand: gradients of 2 for the class and 4 against it are a ratio of .5, whose f is sigmoid(12 (.5-.8)) = 1/(1+e^3.6).
func TestEqualizationByHand(t *testing.T) {
	t.Parallel()
	e := &Equalization{Alpha: 4, Gamma: 12, Mu: .8}
	if err := e.SetState([]float64{2, 4}, 1); err != nil {
		t.Fatal(err)
	}
	f := 1 / (1 + math.Exp(3.6))
	for label, weight := range map[int32]float64{0: 1 + 4*(1-f), Background: f} {
		grad := make([]float32, 1)
		if l, want := e.Eval(grad, []float32{0}, []int32{label}), weight*math.Ln2; math.Abs(l-want) > 1e-12 {
			t.Errorf("label %d: %g, want %g", label, l, want)
		}
		if want := -weight * sign(0, label) / 2; math.Abs(float64(grad[0])-want) > 1e-6 {
			t.Errorf("label %d: gradient %g, want %g", label, grad[0], want)
		}
	}
	// The ratio has no upper bound: much more gradient for a class than against it gives the cross entropy's weights.
	if err := e.SetState([]float64{40, 4}, 1); err != nil {
		t.Fatal(err)
	}
	if with, without := e.weights(0); math.Abs(with-1) > 1e-12 || math.Abs(without-1) > 1e-12 {
		t.Errorf("weights %g and %g at a ratio of 10, want 1", with, without)
	}
	// Before the first batch it is the cross entropy, and its sums are of the weighted gradients.
	logits, labels := []float32{.3, -1, 2, 1}, []int32{1, Background}
	fresh, grad := &Equalization{Alpha: 4, Gamma: 12, Mu: .8}, make([]float32, 4)
	want := CrossEntropy{}.Eval(grad, logits, labels)
	if l := fresh.Train(nil, logits, labels, alike); math.Abs(l-want) > 1e-12 {
		t.Errorf("%g before the first batch, want %g", l, want)
	}
	before := fresh.State()
	for i, want := range []float64{0, -float64(grad[1]), float64(grad[0]) + float64(grad[2]), float64(grad[3])} {
		if math.Abs(before[i]-want) > 1e-6 {
			t.Errorf("sum %d is %g, want %g", i, before[i], want)
		}
	}
	with, without := fresh.weights(1)
	fresh.Train(nil, logits, labels, alike)
	if got, want := fresh.State()[1]-before[1], with*before[1]; math.Abs(got-want) > 1e-6 {
		t.Errorf("the second batch adds %g for class 1, want %g", got, want)
	}
	if got, want := fresh.State()[3]-before[3], without*before[3]; math.Abs(got-want) > 1e-6 {
		t.Errorf("the second batch adds %g against class 1, want %g", got, want)
	}
}

// Wang et al. 2021, eqs. 3 to 6, by hand: eight rows of class 0 and two of class 1, and logits whose softmax is twice as large for class 1.
func TestSeesawByHand(t *testing.T) {
	t.Parallel()
	s := &Seesaw{Mitigation: .8, Compensation: 2}
	m := math.Pow(1./4, .8)
	for _, k := range []struct {
		x     []float32
		label int32
		want  float64
	}{
		{[]float32{0, 0, 0}, 0, math.Log(1 + m + 1)},
		{[]float32{0, 0, 0}, 1, math.Log(3)},
		{[]float32{0, float32(math.Ln2), 0}, 0, math.Log(1 + 2*4*m + 1)},
		{[]float32{0, float32(math.Ln2), 0}, 1, math.Log(1+2+1) - math.Ln2},
		{[]float32{0, float32(math.Ln2), 0}, Background, math.Log(1 + 2 + 1)},
	} {
		counts := []float64{8, 2, 0}
		if k.label >= 0 {
			counts[k.label]-- // the row itself is counted
		}
		if err := s.SetState(counts, 3); err != nil {
			t.Fatal(err)
		}
		if l := s.Eval(nil, k.x, []int32{k.label}); math.Abs(l-k.want) > 1e-7 {
			t.Errorf("%v with label %d: %.9g, want %.9g", k.x, k.label, l, k.want)
		}
	}
}

// The gradient of the seesaw loss against central differences with the factors of the undisturbed row.
func TestSeesawGradient(t *testing.T) {
	t.Parallel()
	s := &Seesaw{Mitigation: .8, Compensation: 2}
	counts := []float64{50, 3, 7, 0}
	if err := s.SetState(counts, 4); err != nil {
		t.Fatal(err)
	}
	const h = 1e-5
	x := []float32{.5, 1.5, -1, 2}
	for label := range int32(3) {
		grad := make([]float32, 4)
		s.Eval(grad, x, []int32{label})
		after := slices.Clone(counts)
		after[label]++
		f := func(column int, d float64) float64 {
			z := make([]float64, 4)
			for j, v := range x {
				z[j] = float64(v)
				if j != int(label) && j != 3 {
					ratio := math.Max(after[j], 1) / math.Max(after[label], 1)
					z[j] += .8*math.Log(math.Min(1, ratio)) + 2*math.Max(0, float64(v-x[label]))
				}
			}
			z[column] += d
			sum := 0.0
			for _, v := range z {
				sum += math.Exp(v)
			}
			return math.Log(sum) - z[label]
		}
		for c := range x {
			if want := (f(c, h) - f(c, -h)) / (2 * h); math.Abs(float64(grad[c])-want) > 1e-6 {
				t.Errorf("label %d: gradient %d is %g, want %g", label, c, grad[c], want)
			}
		}
	}
}
