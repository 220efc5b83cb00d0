// Command retinago trains, evaluates and runs RetinaNet-style object detectors.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"retinago/internal/model/weights"
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
	out, errs := shown.NewWriter(stdout), shown.NewWriter(stderr)
	defer out.Flush()
	defer errs.Flush()
	weights.Notice(func(line string) { fmt.Fprintln(errs, line) })
	err := newApp(out, errs).RunContext(ctx, joinLists(args))
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(errs, "retinago: %v\n", err)
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
		Description: "Train on COCO, Pascal VOC, YOLO, keras-retinanet or OpenImages data, see the AP, detect on new pictures. `retinago VERB -help` explains a verb.\n\n" +
			"Exit codes: 0 done, 1 error, 2 wrong usage, 3 done but some inputs were left out, 4 none of the inputs could be read.",
		Commands: []*cli.Command{
			trainCommand(), evalCommand(), detectCommand(), serveCommand(), dataCommand(), anchorsCommand(), weightsCommand(), exportCommand(), quantizeCommand(), summaryCommand(), benchCommand(), versionCommand(),
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
	strict(app.Commands)
	return app
}

// strict makes commands refuse arguments that they do not take, in this program's words.
func strict(commands []*cli.Command) {
	for _, c := range commands {
		c.OnUsageError = func(ctx *cli.Context, err error, _ bool) error {
			return usage("%s: %v; see `%s -help`", ctx.Command.FullName(), err, ctx.Command.HelpName)
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
		action := c.Action
		c.Action = func(ctx *cli.Context) error {
			if ctx.NArg() > 0 {
				return usage("%s takes no argument %q; see `%s -help`", ctx.Command.FullName(), ctx.Args().First(), ctx.Command.HelpName)
			}
			return action(ctx)
		}
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
	if s := cli.SuggestCommand(commands, verb); !strings.Contains(s, `""`) { // "Did you mean ...?"
		hint = " " + s
	}
	return usage("unknown verb %q; there are %s.%s", verb, strings.Join(names, ", "), hint)
}

// lists are the flags that take several values: "-source a b c" is "-source a -source b -source c".
var lists = map[string]bool{"-source": true, "--source": true}

// firsts are the flags that the first bare argument of a verb stands for.
var firsts = map[string]string{"weights import": "-file", "weights inspect": "-file", "weights fetch": "-name"}

// joinLists gives every value of a list flag, and a verb's first bare argument, a flag of its own, because parsing stops
// at the first bare argument.
func joinLists(args []string) []string {
	if len(args) > 3 && !strings.HasPrefix(args[3], "-") {
		if flag, ok := firsts[args[1]+" "+args[2]]; ok {
			args = slices.Insert(slices.Clone(args), 3, flag)
		}
	}
	var out []string
	for i := 0; i < len(args); i++ {
		flag := args[i]
		out = append(out, flag)
		if !lists[flag] {
			continue
		}
		for n := 0; i+1 < len(args) && (!strings.HasPrefix(args[i+1], "-") || args[i+1] == "-"); n++ {
			if i++; n > 0 {
				out = append(out, flag)
			}
			out = append(out, args[i])
		}
	}
	return out
}
