package weights_test

import (
	"fmt"
	"os"
	"path/filepath"

	"retinago/internal/model/weights"
)

func Example() {
	dir, err := os.MkdirTemp("", "weights")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "model.safetensors")
	err = weights.Write(path, map[string]string{"step": "90000"}, []weights.Tensor{{Name: "conv1.bias", Shape: []int{2}, Data: []float32{.5, -1}}})
	if err != nil {
		panic(err)
	}

	f, err := weights.Open(path)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	t, err := f.Tensor("conv1.bias")
	fmt.Println(f.Metadata["step"], f.Names(), t.Shape, t.Data, err)
	// Output: 90000 [conv1.bias] [2] [0.5 -1] <nil>
}
