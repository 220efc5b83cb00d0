package cpu

import (
	"math/rand/v2"
	"slices"
	"testing"

	"retinago/engine"
)

// The focal loss and its gradient are the same to the bit whatever the threads.
func TestFocalThreads(t *testing.T) {
	const n, anchors, classes = 2, 700, 5
	r := rand.New(rand.NewPCG(1, 700))
	x, labels := normal(r, n*anchors*classes), make([]int32, n*anchors)
	for i := range labels {
		labels[i] = int32(r.IntN(classes+2)) - 2
	}
	p := engine.FocalParams{Alpha: .25, Gamma: 1.5}
	var losses, grads [2][]float32
	for i := range losses {
		e := start(t, Options{Threads: 1 + i})
		ld, xd, nd, up := put(t, e, labels, n, anchors), put(t, e, x, n, anchors, classes), put(t, e, []float32{.5, 2}, n), put(t, e, []float32{1.5}, 1)
		loss, grad := put(t, e, nil, 1), put(t, e, nil, n, anchors, classes)
		must(t, e.FocalLoss(loss, xd, ld, nd, p))
		must(t, e.FocalLossGrad(grad, xd, ld, nd, up, p))
		losses[i], grads[i] = get(t, e, loss), get(t, e, grad)
	}
	if losses[0][0] == 0 || losses[0][0] != losses[1][0] || !slices.Equal(grads[0], grads[1]) {
		t.Errorf("two threads give other bits than one: losses %v", losses)
	}
}

// BenchmarkFocal is the class loss of two images of 800x800 px and 80 classes, one anchor in a thousand with an object.
func BenchmarkFocal(b *testing.B) {
	const n, anchors, classes = 2, 120087, 80
	e := start(b, Options{})
	x := normal(rand.New(rand.NewPCG(1, 1)), n*anchors*classes)
	l := make([]int32, n*anchors)
	for i := range l {
		if l[i] = -1; i%1000 == 0 {
			l[i] = 3
		}
	}
	labels := put(b, e, l, n, anchors)
	logits, grad := put(b, e, x, n, anchors, classes), put(b, e, nil, n, anchors, classes)
	loss, ones := put(b, e, nil, 1), put(b, e, []float32{1, 1}, n)
	p := engine.FocalParams{Alpha: .25, Gamma: 2}
	b.Run("forward", func(b *testing.B) {
		for b.Loop() {
			must(b, e.FocalLoss(loss, logits, labels, ones, p))
		}
	})
	b.Run("forward and backward", func(b *testing.B) {
		for b.Loop() {
			must(b, e.FocalLoss(loss, logits, labels, ones, p))
			must(b, e.FocalLossGrad(grad, logits, labels, ones, ones, p))
		}
	})
}
