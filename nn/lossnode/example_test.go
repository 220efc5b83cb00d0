package lossnode_test

import (
	"fmt"
	"log"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine/cpu"
	"retinago/loss"
	"retinago/nn"
	"retinago/nn/lossnode"
)

// A thousand easy negatives and one hard positive: cross entropy is the negatives' sum, focal loss is the positive.
func ExampleBinary() {
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
	ce := b.Check(lossnode.Binary(loss.CrossEntropy{}, x, y, norm))
	focal := b.Check(lossnode.Binary(loss.Focal{Alpha: .25, Gamma: 2}, x, y, norm))
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
