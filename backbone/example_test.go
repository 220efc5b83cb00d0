package backbone_test

import (
	"fmt"
	"log"

	"gorgonia.org/tensor"

	"retinago/backbone"
	"retinago/engine/cpu"
	"retinago/nn"
)

// The maps of a ResNet-18: strides 4, 8, 16 and 32.
func ExampleResNet() {
	e, err := cpu.New(cpu.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	pictures, err := e.New(tensor.Float32, 1, 128, 192, 3)
	if err != nil {
		log.Fatal(err)
	}
	params := nn.NewParams(e, 1)
	b := nn.NewBuilder(e, nn.Inference, params, nn.NewFolded(e))
	r := backbone.ResNet{Depth: 18, Norm: nn.Frozen}
	for i, c := range r.Build(b, b.Input("pictures", pictures)) {
		fmt.Printf("C%d %v\n", i+2, c.Shape())
	}
	if b.Err() != nil {
		log.Fatal(b.Err())
	}
	// Output:
	// C2 (1, 32, 48, 64)
	// C3 (1, 16, 24, 128)
	// C4 (1, 8, 12, 256)
	// C5 (1, 4, 6, 512)
}
