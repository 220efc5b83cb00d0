package fpn_test

import (
	"fmt"
	"log"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine/cpu"
	"retinago/fpn"
	"retinago/nn"
)

// Three maps of a backbone become five of one width. Odd sizes are rounded up.
func ExamplePyramid() {
	e, err := cpu.New(cpu.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	b := nn.NewBuilder(e, nn.Inference, nn.NewParams(e, 1), nn.NewFolded(e))
	channels := [4]int{64, 128, 256, 512}
	var c [4]*G.Node
	for i, n := range channels {
		x, err := e.New(tensor.Float32, 1, 40>>i, 56>>i, n)
		if err != nil {
			log.Fatal(err)
		}
		c[i] = b.Input(fmt.Sprint("C", i+2), x)
	}
	p := fpn.Pyramid{Width: 64}
	for i, level := range p.Build(b, c, channels) {
		fmt.Printf("P%d stride %d %v\n", i+p.First(), p.Strides()[i], level.Shape())
	}
	if b.Err() != nil {
		log.Fatal(b.Err())
	}
	// Output:
	// P3 stride 8 (1, 20, 28, 64)
	// P4 stride 16 (1, 10, 14, 64)
	// P5 stride 32 (1, 5, 7, 64)
	// P6 stride 64 (1, 3, 4, 64)
	// P7 stride 128 (1, 2, 2, 64)
}
