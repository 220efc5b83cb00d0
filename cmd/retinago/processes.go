package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"retinago/internal/cluster"
	shown "retinago/internal/text"
)

// elsewhere is an error that another process of the run prints.
type elsewhere struct{ error }

func (e elsewhere) Unwrap() error { return e.error }

// noTerminal hides that an output is a terminal, in which the state of work would be a line that is written anew.
type noTerminal struct{ io.Writer }

// conclude ends the part of this process in a run of several, which came to err. An error that all processes have is printed by the first.
// With an error of its own, a process prints it and ends all others at once, since they wait for it.
func conclude(c *cli.Context, world *cluster.World, err error) error {
	if world.Size() == 1 {
		return err
	}
	if err != nil && !errors.As(err, new(*cluster.Agreed)) {
		fmt.Fprintf(c.App.ErrWriter, "retinago: %s ends the run: %s\n", world.Process(world.Rank()), message(err))
		for _, w := range []any{c.App.Writer, c.App.ErrWriter} {
			if w, ok := w.(*shown.Writer); ok {
				w.Flush()
			}
		}
		world.Abort(exitError)
		return err
	}
	if e := world.Close(); e != nil {
		return errors.Join(err, e)
	}
	if err != nil && !world.First() {
		return elsewhere{err}
	}
	return err
}
