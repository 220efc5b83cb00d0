package main

import (
	"github.com/urfave/cli/v2"

	"retinago/engine/device"
)

func deviceFlag() cli.Flag {
	return &cli.StringFlag{Name: "device", Usage: "where to compute: cpu, or cuda:`N` in a program that is built with the tag gpu", Value: "cpu"}
}

func precisionFlag() cli.Flag {
	return &cli.StringFlag{Name: "precision", DefaultText: "bf16 on a GPU, float32 on the cpu",
		Usage: "of a GPU: float32; tf32, whose convolutions multiply with 10 bits of fraction; bf16 or fp16, which keep activations in 16 bits. Parameters and sums are float32 with all"}
}

// openDevice starts the engine of -device, with -threads.
func openDevice(c *cli.Context) (device.Engine, error) {
	return device.Open(device.Options{Name: c.String("device"), Precision: c.String("precision"), Threads: c.Int("threads")})
}
