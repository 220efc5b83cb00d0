package loss_test

import (
	"fmt"
	"log"
	"math/rand/v2"

	"retinago/loss"
)

// Fraud-like data: one case in a hundred, hard to tell from the rest. A threshold of one half finds more cases with
// focal loss, which does not drown in the easy rows.
func ExampleFocal_Eval() {
	const n = 4000
	r := rand.New(rand.NewPCG(1, 1))
	x, labels := make([]float64, n), make([]int32, n)
	for i := range x {
		labels[i] = loss.Background
		x[i] = r.NormFloat64()
		if i%100 == 0 {
			labels[i] = 0 // fraud
			x[i] += 4
		}
	}
	for _, l := range []loss.Class{loss.CrossEntropy{Alpha: -1}, loss.Focal{Alpha: .75, Gamma: 2}} {
		var w, b float64 // logistic regression: logit = w x + b
		logits, grad := make([]float32, n), make([]float32, n)
		for range 300 {
			for i := range x {
				logits[i] = float32(w*x[i] + b)
			}
			l.Eval(grad, logits, labels)
			for i := range x {
				w -= .1 * float64(grad[i]) * x[i] / 40
				b -= .1 * float64(grad[i]) / 40
			}
		}
		found := 0
		for i := range x {
			if labels[i] == 0 && w*x[i]+b > 0 {
				found++
			}
		}
		fmt.Printf("%T finds %d of 40\n", l, found)
	}
	// Output:
	// loss.CrossEntropy finds 32 of 40
	// loss.Focal finds 35 of 40
}

// Pixel-wise segmentation: every pixel is a row, every class a column.
func ExampleSoftmax() {
	// An image of 2x2 pixels and three classes.
	logits := []float32{
		4, 0, 0 /**/, 0, 4, 0,
		0, 0, 4 /**/, 4, 0, 0,
	}
	labels := []int32{0, 1, 2, 2}
	grad := make([]float32, len(logits))
	sum := loss.Softmax{}.Eval(grad, logits, labels)
	fmt.Printf("loss per pixel %.3f\n", sum/4)
	for i := range labels {
		fmt.Printf("%+.2f\n", grad[3*i:3*i+3])
	}
	// Output:
	// loss per pixel 1.036
	// [-0.04 +0.02 +0.02]
	// [+0.02 -0.04 +0.02]
	// [+0.02 +0.02 -0.04]
	// [+0.96 +0.02 -0.98]
}

// Three kinds of tissue, of which two are rare: weights from counts, a softmax with one column per kind.
func ExampleClassWeights_Resolve() {
	weights, err := loss.ClassWeights("effective_number").Resolve([]int{98000, 1500, 500}, .999).List()
	if err != nil {
		log.Fatal(err)
	}
	l := loss.Softmax{Classes: weights, Smoothing: .05}
	logits, labels := []float32{2, 0, -1, 2, 0, -1}, []int32{0, 2} // the second row is wrong
	grad := make([]float32, 6)
	sum := l.Eval(grad, logits, labels)
	fmt.Printf("weights %.2f, loss %.2f\n", weights, sum)
	fmt.Printf("%+.2f\n%+.2f\n", grad[:3], grad[3:])
	// Output:
	// weights [0.62 0.80 1.58], loss 5.06
	// [-0.08 +0.06 +0.02]
	// [+1.31 +0.15 -1.46]
}

// A loss with a state: the counts of gradients continue where an earlier run stopped.
func ExampleGHM() {
	logits, labels := []float32{-3, -3, -3, -1, 4, -2}, []int32{-1, -1, -1, -1, -1, 0} // one false alarm, one miss
	alike := func(row int) float64 { return 1 }
	first := &loss.GHM{Bins: 10, Momentum: .75}
	first.Train(nil, logits, labels, alike)
	resumed := &loss.GHM{Bins: 10, Momentum: .75}
	if err := resumed.SetState(first.State(), 1); err != nil {
		log.Fatal(err)
	}
	fmt.Println("counts", resumed.State())
	fmt.Println(first.Train(nil, logits, labels, alike) == resumed.Train(nil, logits, labels, alike))
	// Output:
	// counts [3 0 1 0 0 0 0 0 1 1]
	// true
}
