package nn_test

import (
	"fmt"
	"log"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine/cpu"
	"retinago/nn"
)

// A graph of one convolution: built once, planned, run, differentiated.
func Example() {
	e, err := cpu.New(cpu.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	x, err := e.New(tensor.Float32, 1, 3, 3, 1) // N,H,W,C
	if err != nil {
		log.Fatal(err)
	}
	if err := e.Upload(x, []float32{1, 2, 3, 4, 5, 6, 7, 8, 9}); err != nil {
		log.Fatal(err)
	}
	dy, err := e.New(tensor.Float32, 1, 3, 3, 1)
	if err != nil {
		log.Fatal(err)
	}
	if err := e.Upload(dy, []float32{0, 0, 0, 0, 1, 0, 0, 0, 0}); err != nil { // of the middle pixel
		log.Fatal(err)
	}
	b := nn.NewBuilder(e, nn.Training, nn.NewParams(e, 1), nn.NewFolded(e))
	y := b.Conv(b.Input("x", x), nn.ConvSpec{Name: "blur", In: 1, Out: 1, Kernel: 3, Init: nn.Constant(1)})
	if b.Err() != nil {
		log.Fatal(b.Err())
	}
	weights, _ := b.Nodes()
	grads, err := G.Backpropagate(G.Nodes{y}, G.Nodes{b.Input("dy", dy)}, weights)
	if err != nil {
		log.Fatal(err)
	}
	m, err := nn.NewMachine(nn.NewArena(e), append(G.Nodes{y}, grads...))
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	if err := m.Run(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(y.Value().Data())
	fmt.Println(grads[0].Value().Data())
	// Output:
	// [12 21 16 27 45 33 24 39 28]
	// [1 2 3 4 5 6 7 8 9]
}
