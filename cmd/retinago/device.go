package main

import (
	"github.com/urfave/cli/v2"

	"retinago/engine/device"
)

func deviceFlag() cli.Flag {
	return &cli.StringFlag{Name: "device", Usage: "where to compute: cpu, or cuda:`N` in a program that is built with the tag gpu", Value: "cpu"}
}

func tf32Flag() cli.Flag {
	return &cli.BoolFlag{Name: "tf32", Usage: "let a GPU's convolutions multiply with 10 bits of fraction: faster, and other digits from the fourth on"}
}

// openDevice starts the engine of -device, with -threads.
func openDevice(c *cli.Context) (device.Engine, error) {
	return device.Open(device.Options{Name: c.String("device"), TF32: c.Bool("tf32"), Threads: c.Int("threads")})
}
