package head_test

import (
	"fmt"
	"log"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine/cpu"
	"retinago/head"
	"retinago/nn"
)

// One head reads every level: the towers' parameters are shared.
func ExampleHead() {
	e, err := cpu.New(cpu.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	params := nn.NewParams(e, 1)
	b := nn.NewBuilder(e, nn.Inference, params, nn.NewFolded(e))
	h := head.Head{Width: 32, Depth: 2, Anchors: 9, Classes: 3, Prior: .01}
	var levels []*G.Node
	for i, size := range []int{16, 8} {
		x, err := e.New(tensor.Float32, 1, size, size, 32)
		if err != nil {
			log.Fatal(err)
		}
		levels = append(levels, b.Input(fmt.Sprint("P", i+3), x))
	}
	logits, deltas := h.Class(b, levels), h.Box(b, levels)
	if b.Err() != nil {
		log.Fatal(b.Err())
	}
	for i := range levels {
		fmt.Println(logits[i].Shape(), deltas[i].Shape())
	}
	fmt.Println(len(params.All()), "parameters")
	bias := make([]float32, 27)
	if err := e.Download(bias, params.Get("classification_head.cls_logits.bias").Value); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("bias of the class logits %.3f\n", bias[0]) // -log((1-.01)/.01)
	// Output:
	// (1, 16, 16, 27) (1, 16, 16, 36)
	// (1, 8, 8, 27) (1, 8, 8, 36)
	// 12 parameters
	// bias of the class logits -4.595
}
