package loss_test

import (
	"fmt"
	"log"
	"math/rand/v2"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine/cpu"
	"retinago/loss"
	"retinago/nn"
)

// A thousand easy negatives and one hard positive: cross entropy is the negatives' sum, focal loss is the positive.
func ExampleFocal_Node() {
	const anchors = 1001
	e, err := cpu.New(cpu.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	logits, labels := make([]float32, anchors), make([]int32, anchors)
	for i := range logits {
		logits[i], labels[i] = -3, -1 // p = .047, background
	}
	logits[0], labels[0] = -1, 0 // p = .27, class 0
	b := nn.NewBuilder(e, nn.Training, nn.NewParams(e, 1), nn.NewFolded(e))
	put := func(name string, dt tensor.Dtype, v any, shape ...int) *G.Node {
		t, err := e.New(dt, shape...)
		if err == nil {
			err = e.Upload(t, v)
		}
		if err != nil {
			log.Fatal(err)
		}
		return b.Input(name, t)
	}
	x, y := put("logits", tensor.Float32, logits, 1, 1, anchors, 1), put("labels", tensor.Int32, labels, 1, anchors)
	norm := put("norm", tensor.Float32, []float32{1}, 1) // one positive
	ce := b.Check(loss.CrossEntropy{Alpha: -1}.Node(x, y, norm))
	focal := b.Check(loss.Focal{Alpha: .25, Gamma: 2}.Node(x, y, norm))
	if b.Err() != nil {
		log.Fatal(b.Err())
	}
	m, err := nn.NewMachine(nn.NewArena(e), G.Nodes{ce, focal})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	if err := m.Run(); err != nil {
		log.Fatal(err)
	}
	var v [2][1]float32
	for i, n := range []*G.Node{ce, focal} {
		if err := e.Download(v[i][:], n.Value().(*tensor.Dense)); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Printf("cross entropy %.1f, focal loss %.3f\n", v[0][0], v[1][0])
	// Output: cross entropy 49.9, focal loss 0.257
}

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
	// A picture of 2x2 pixels and three classes.
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
