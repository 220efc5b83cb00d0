package main

import (
	"fmt"
	"runtime"

	"github.com/urfave/cli/v2"

	"retinago/engine/cpu"
	"retinago/picture"
)

func versionCommand() *cli.Command {
	return &cli.Command{
		Name:        "version",
		Usage:       "print the versions of the program and its libraries",
		Description: "   retinago version",
		Action: func(c *cli.Context) error {
			_, err := fmt.Fprintf(c.App.Writer, "retinago %s\n%s %s/%s\noneDNN %s\npictures %s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH,
				cpu.LibraryVersion(), picture.Codec())
			return err
		},
	}
}
