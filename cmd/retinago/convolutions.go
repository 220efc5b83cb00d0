package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"retinago/engine"
	"retinago/engine/cpu"
)

// convolutionsFlag chooses the kernels of convolutions.
func convolutionsFlag(byDefault string) cli.Flag {
	return &cli.StringFlag{Name: "convolutions", DefaultText: byDefault,
		Usage: "`HOW` kernels are chosen: measured once on this machine (see version), fixed by a rule: the same bits anywhere, onednn or winograd"}
}

// useConvolutions gives an engine the choice of convolutionsFlag, if it is the cpu's.
func useConvolutions(c *cli.Context, of engine.Engine, byDefault cpu.Algorithm) error {
	e, ok := of.(*cpu.Engine)
	if !ok {
		if c.IsSet("convolutions") {
			return usage("%s: -convolutions is of the cpu, and the device is %s", c.Command.FullName(), of.Name())
		}
		return nil
	}
	a := byDefault
	if name := c.String("convolutions"); name != "" {
		var err error
		if a, err = cpu.ParseAlgorithm(name); err != nil {
			return usage("%s: -convolutions: %v", c.Command.FullName(), err)
		}
	}
	e.Use(a, func(err error) { fmt.Fprintln(c.App.ErrWriter, err) })
	return nil
}
