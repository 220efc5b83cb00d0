package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// lists are the flags that take several values: "-source a b c" is "-source a -source b -source c".
var lists = map[string]bool{"-source": true, "--source": true, "-part": true, "--part": true}

// bare are the flags that the bare arguments of a verb stand for, in order. The last of a verb's takes all that follow if it is one of lists.
var bare = map[string][]string{
	"train": {"-data"}, "eval": {"-weights"}, "detect": {"-weights", "-source"}, "serve": {"-weights"}, "export": {"-weights"},
	"quantize": {"-weights"}, "summary": {"-weights"}, "data check": {"-data"}, "data stats": {"-data"}, "anchors show": {"-config"},
	"weights import": {"-file"}, "weights inspect": {"-file"}, "weights fetch": {"-name"}, "results merge": {"-part"},
}

// reads is how the bare arguments of a verb are given, as the end of a message about them; empty for verbs without bare arguments.
func reads(verb string) string {
	if shortUsage[verb] == "" {
		return ""
	}
	return "; it reads `retinago " + verb + " " + shortUsage[verb] + " [flags]`"
}

// asVerb turns a version flag into the verb.
func asVerb(args []string) []string {
	if len(args) == 2 && slices.Contains([]string{"-version", "--version", "-v"}, args[1]) {
		return []string{args[0], "version"}
	}
	return args
}

// nameBare gives a verb's bare arguments the flags that they stand for, wherever they are between its flags, and the folder of -resume the flag
// -out. Arguments that no flag is left for come last, for the verb to refuse.
func nameBare(commands []*cli.Command, args []string) []string {
	for words := min(2, len(args)-1); words >= 1; words-- {
		flags, ok := bare[strings.Join(args[1:1+words], " ")]
		if !ok {
			continue
		}
		line := split(flagsOf(commands, args[1:1+words]), args[1+words:])
		if args[1] == "train" && line.given["-resume"] {
			flags = []string{"-out"}
		}
		out := slices.Concat(args[:1+words], line.flags)
		for _, flag := range flags {
			switch {
			case len(line.bare) == 0 || line.given[flag] && !lists[flag]:
			case lists[flag]:
				out, line.bare = append(append(out, flag), line.bare...), nil
			default:
				out, line.bare = append(out, flag, line.bare[0]), line.bare[1:]
			}
		}
		return append(out, line.bare...)
	}
	return args
}

// flagsOf returns the flags of a verb, which may have two words.
func flagsOf(commands []*cli.Command, verb []string) (flags []cli.Flag) {
	for _, word := range verb {
		for _, c := range commands {
			if c.Name == word {
				commands, flags = c.Subcommands, c.Flags
				break
			}
		}
	}
	return flags
}

// arguments are those of a verb.
type arguments struct {
	flags []string // with their values
	bare  []string
	given map[string]bool // the flags' names, as -out
}

// split divides a verb's arguments into flags with their values and bare arguments. After "--" all are bare.
func split(known []cli.Flag, args []string) arguments {
	out := arguments{given: map[string]bool{}}
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			out.bare = append(out.bare, args[i+1:]...)
			break
		}
		if !strings.HasPrefix(arg, "-") || arg == "-" {
			out.bare = append(out.bare, arg)
			continue
		}
		name, _, joined := strings.Cut(arg, "=")
		name = "-" + strings.TrimLeft(name, "-")
		out.given[name] = true
		out.flags = append(out.flags, arg)
		if joined || !takesValue(known, name[1:]) {
			continue
		}
		for i+1 < len(args) {
			i++
			out.flags = append(out.flags, args[i])
			if !lists[name] || i+1 == len(args) || strings.HasPrefix(args[i+1], "-") && args[i+1] != "-" {
				break
			}
		}
	}
	return out
}

// takesValue reports whether a flag has a value after it. A flag that does not exist has none.
func takesValue(known []cli.Flag, name string) bool {
	for _, f := range known {
		if d, ok := f.(cli.DocGenerationFlag); ok && slices.Contains(f.Names(), name) {
			return d.TakesValue()
		}
	}
	return false
}

// joinLists gives every value of a list flag a flag of its own, because parsing stops at the first bare argument.
func joinLists(args []string) []string {
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
