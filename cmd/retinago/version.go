package main

import (
	"cmp"
	"fmt"
	"runtime"
	"strings"

	"github.com/urfave/cli/v2"

	"retinago/engine/cpu"
	"retinago/engine/device"
	"retinago/internal/media/picture"
	"retinago/internal/media/video"
)

func versionCommand() *cli.Command {
	return &cli.Command{
		Name:        "version",
		Usage:       "print the versions of the program and its libraries",
		Description: "   retinago version",
		Action: func(c *cli.Context) error {
			isa, err := cpu.ISA()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.App.Writer, "retinago %s\n%s %s/%s\noneDNN %s\nkernels %s, choices in %s\nGPU %s\nimages %s\nvideos %s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH,
				cpu.LibraryVersion(), isa, cmp.Or(cpu.ChoicesDir(), "memory"), strings.Join(device.GPUs(), "\n    "), picture.Codec(), video.Codec())
			return err
		},
	}
}
