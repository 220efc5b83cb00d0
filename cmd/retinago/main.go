// Command retinago trains, evaluates and runs RetinaNet-style object detectors.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"retinago/internal/model/weights"
	"retinago/internal/progress"
	shown "retinago/internal/text"
)

// version is set by the linker.
var version = "devel"

// Exit codes, for scripts.
const (
	exitOK      = 0
	exitError   = 1
	exitUsage   = 2
	exitPartial = 3 // done, but some inputs were left out
	exitNone    = 4 // none of the inputs could be read
)

func main() { os.Exit(start()) }

// start runs the program's command line until it ends by itself or after a signal, and returns the exit code.
func start() int {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // nohup wants it ignored
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	// The first signal ends the work in order; from then on the next one kills. A terminal that closes may send several SIGHUPs: they are one.
	context.AfterFunc(ctx, func() {
		signal.Ignore(syscall.SIGHUP)
		stop()
	})
	return run(ctx, os.Args, os.Stdout, os.Stderr)
}

// outlive lets the process go on when its output is closed: a write to a closed pipe is then an error, which verbs that go on ignore.
// Other verbs end there.
func outlive() { signal.Ignore(syscall.SIGPIPE) }

// coded is an error with the exit code that it ends the program with.
type coded struct {
	error
	code int
}

func (c coded) Unwrap() error { return c.error }

func usage(format string, a ...any) error { return coded{fmt.Errorf(format, a...), exitUsage} }

func partial(format string, a ...any) error { return coded{fmt.Errorf(format, a...), exitPartial} }

// run executes a command line and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr *os.File) (code int) {
	screen := &progress.Screen{}
	out, errs := shown.NewWriter(screen.Output(stdout)), shown.NewWriter(screen.Output(stderr))
	defer out.Flush()
	defer errs.Flush()
	defer screen.Close()
	// A second signal kills: it should leave no line of progress behind.
	defer context.AfterFunc(ctx, func() {
		screen.Close()
		fmt.Fprintln(errs, "\nfinishing what is under way; Ctrl-C again stops at once")
	})()
	weights.Notice(func(line string) { fmt.Fprintln(errs, line) })
	app := newApp(out, errs)
	err := app.RunContext(ctx, joinLists(nameBare(app.Commands, asVerb(args))))
	if err == nil {
		return exitOK
	}
	if !errors.As(err, new(elsewhere)) {
		fmt.Fprintf(errs, "retinago: %s\n", message(err))
	}
	var c coded
	if errors.As(err, &c) {
		return c.code
	}
	return exitError
}

// rawOutput is standard output for data, which must come out as they are.
func rawOutput(c *cli.Context) io.Writer {
	if w, ok := c.App.Writer.(*shown.Writer); ok {
		return w.Raw()
	}
	return c.App.Writer
}

func newApp(stdout, stderr io.Writer) *cli.App {
	app := &cli.App{
		Name:      "retinago",
		Usage:     "train, evaluate and run RetinaNet-style object detectors",
		Version:   version,
		Writer:    stdout,
		ErrWriter: stderr,
		Description: "Train on COCO, Pascal VOC, YOLO, keras-retinanet or OpenImages data, see the AP, detect on new images. `retinago VERB -help` explains a verb.\n\n" +
			"Exit codes: 0 done, 1 error, 2 wrong usage, 3 done but some inputs were left out, 4 none of the inputs could be read.\n\n" +
			"   retinago data check dataset/\n" +
			"   retinago train -data dataset/\n" +
			"   retinago eval runs/dataset\n" +
			"   retinago detect runs/dataset photos/ -out found",
		Commands: []*cli.Command{
			trainCommand(), evalCommand(), detectCommand(), resultsCommand(), serveCommand(), dataCommand(), anchorsCommand(), weightsCommand(), exportCommand(), quantizeCommand(), summaryCommand(), configCommand(), benchCommand(), versionCommand(),
		},
		Suggest:                   true,
		DisableSliceFlagSeparator: true,
		HideVersion:               true,
		ExitErrHandler:            func(*cli.Context, error) {}, // run decides
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return cli.ShowAppHelp(c)
			}
			return unknownVerb(c.App.Commands, c.Args().First())
		},
	}
	guard("", app.Commands)
	explain(app.Commands, app.Name) // before strict, which takes over required flags
	strict(app.Commands)
	app.CustomAppHelpTemplate = literal(overview(app))
	return app
}

// guard guards the files that commands write. above is the verb that they belong to, or empty.
func guard(above string, commands []*cli.Command) {
	for _, c := range commands {
		if len(c.Subcommands) > 0 {
			guard(c.Name, c.Subcommands)
			continue
		}
		files := written[strings.TrimSpace(above+" "+c.Name)]
		if files != nil {
			c.Flags = append(c.Flags, overwriteFlag())
		}
		c.Action = guarded(c.Action, files)
	}
}

// verbOf is the whole name of a verb, as weights import.
func verbOf(c *cli.Context) string { return strings.TrimPrefix(c.Command.HelpName, c.App.Name+" ") }

// strict makes commands refuse arguments that they do not take, in this program's words.
func strict(commands []*cli.Command) {
	for _, c := range commands {
		c.OnUsageError = func(ctx *cli.Context, err error, _ bool) error {
			return usage("%s: %s%s; see `%s -help`", verbOf(ctx), valueHint(ctx.Command.Flags, err.Error()), flagHint(ctx.Command.Flags, err.Error()), ctx.Command.HelpName)
		}
		if len(c.Subcommands) > 0 {
			strict(c.Subcommands)
			subs := c.Subcommands
			c.Action = func(ctx *cli.Context) error {
				if ctx.NArg() == 0 {
					return cli.ShowSubcommandHelp(ctx)
				}
				return unknownVerb(subs, ctx.Args().First())
			}
			continue
		}
		action, needed := c.Action, demand(c.Flags)
		c.Action = func(ctx *cli.Context) error {
			if missing := needed(ctx); len(missing) > 0 {
				return usage("%s needs %s%s; see `%s -help`", verbOf(ctx), strings.Join(missing, " and "), reads(verbOf(ctx)), ctx.Command.HelpName)
			}
			if ctx.NArg() > 0 {
				return usage("%s takes no argument %q%s; see `%s -help`", verbOf(ctx), ctx.Args().First(), reads(verbOf(ctx)), ctx.Command.HelpName)
			}
			return action(ctx)
		}
	}
}

// demand makes required flags optional for the parser, whose answer to a missing one is a whole help text, and returns a function that
// lists those that a command line lacks.
func demand(flags []cli.Flag) func(*cli.Context) []string {
	wanted := map[string]string{}
	var names []string
	for _, f := range flags {
		if !required(f) {
			continue
		}
		switch f := f.(type) {
		case *cli.StringFlag:
			f.Required = false
		case *cli.StringSliceFlag:
			f.Required = false
		case *cli.IntFlag:
			f.Required = false
		default:
			panic(fmt.Sprintf("retinago: the required flag %s is of the type %T", f.Names()[0], f))
		}
		names = append(names, f.Names()[0])
		wanted[f.Names()[0]], _ = describe(f)
	}
	return func(c *cli.Context) (missing []string) {
		for _, n := range names {
			if !c.IsSet(n) {
				missing = append(missing, wanted[n])
			}
		}
		return missing
	}
}

func unknownVerb(commands []*cli.Command, verb string) error {
	var names []string
	for _, c := range commands {
		if !c.Hidden {
			names = append(names, c.Name)
		}
	}
	hint := ""
	if ours, ok := otherVerbs[strings.ToLower(verb)]; ok {
		hint = " It may be " + ours + "."
	} else if s := cli.SuggestCommand(commands, verb); !strings.Contains(s, `""`) { // "Did you mean ...?"
		hint = " " + s
	}
	return usage("unknown verb %q; there are %s.%s", verb, strings.Join(names, ", "), hint)
}
