package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

const (
	helpWidth  = 80 // columns of a help text
	helpIndent = 24 // column at which the text of a flag begins
)

// groups are the headings of a help text and the flags below them, in order, by name, or by name and value where verbs differ. Flags of none of them stand below the last heading.
var groups = []struct {
	title string
	flags []string
}{
	{"Data", []string{"part", "shard", "source", "data", "val", "images", "pictures", "train", "split", "format", "class-list", "classes NAMES", "rename", "difficult", "gt", "dt", "file", "input", "input-pictures"}},
	{"Model", []string{"weights", "config", "set", "init", "name", "from", "key", "ids"}},
	{"The run", []string{"recipe", "epochs", "minutes", "size", "batch", "augment", "preprocess", "resume", "extend", "change", "changed", "vary", "against", "seed", "seeds"}},
	{"Detections", []string{"score", "class", "nms", "method", "sigma", "max", "flip", "scales", "tile", "overlap", "merge"}},
	{"Videos", []string{"track", "line", "zone", "smooth", "retries", "camera"}},
	{"Results", []string{"out", "json", "jsonl", "csv", "yolo", "crops", "view", "summary", "report", "results", "classes", "errors", "errors-score", "layers", "overwrite", "to", "examples"}},
	{"Access", []string{"addr", "health-addr", "allow-host", "allow-origin", "token", "token-file"}},
	{"Limits", []string{"queue", "delay", "max-body", "max-pixels", "max-conns", "max-conns-address", "timeout", "grace", "drain"}},
	{"Computing", []string{"device", "precision", "threads", "convolutions", "fast-decode"}},
	{"Downloads", []string{"mirror", "cache", "sha256", "first-use"}},
	{"More", nil},
}

// someFlags are so few that they need no headings.
const someFlags = 6

// helpText is the help of a command: what it does, required flags, the others by groups, examples. No line has more than helpWidth
// columns.
func helpText(c *cli.Command, name string) string {
	var b strings.Builder
	text, examples := parts(c.Description)
	fmt.Fprintf(&b, "%s\n", wrap(name+" - "+c.Usage, "", helpWidth))
	b.WriteString("\nUsage:\n")
	if short := shortUsage[strings.TrimPrefix(name, "retinago ")]; short != "" {
		fmt.Fprintf(&b, "   %s %s [flags]\n", name, short)
	}
	fmt.Fprintf(&b, "%s\n", wrapCommand(usageOf(c, name)))
	if text != "" {
		fmt.Fprintf(&b, "\n%s\n", text)
	}
	if len(c.Subcommands) > 0 {
		b.WriteString("\nVerbs:\n")
		for _, s := range c.Subcommands {
			if !s.Hidden {
				b.WriteString(entry("  "+s.Name, s.Usage))
			}
		}
		fmt.Fprintf(&b, "\n`%s VERB -help` explains a verb.\n", name)
	}
	writeFlags(&b, c.Flags)
	if len(examples) > 0 {
		b.WriteString("\nExamples:\n")
		for _, e := range examples {
			fmt.Fprintf(&b, "%s\n", wrapCommand(e))
		}
	}
	return b.String()
}

// shortUsage are the bare arguments of verbs, in the order in which they are given. MODEL is a checkpoint, the folder of a run or the name of a
// published detector.
var shortUsage = map[string]string{
	"train": "DATASET", "eval": "RUN", "detect": "MODEL SOURCE...", "serve": "MODEL", "export": "MODEL", "quantize": "MODEL", "summary": "MODEL",
	"data check": "DATASET", "data stats": "DATASET", "anchors show": "CONFIG", "weights import": "FILE", "weights inspect": "FILE", "weights fetch": "NAME", "results merge": "FILE...",
}

// usageOf is a command line with what the command needs.
func usageOf(c *cli.Command, name string) string {
	if len(c.Subcommands) > 0 {
		return name + " VERB [flags]"
	}
	for _, f := range c.Flags {
		if required(f) {
			head, _ := describe(f)
			name += " " + head
		}
	}
	return name + " [flags]"
}

func required(f cli.Flag) bool {
	r, ok := f.(cli.RequiredFlag)
	return ok && r.IsRequired()
}

// writeFlags writes flags below their headings, required ones first.
func writeFlags(b *strings.Builder, flags []cli.Flag) {
	rest := slices.Clone(flags)
	take := func(title string, is func(cli.Flag) bool) {
		first := true
		for _, f := range rest {
			if !is(f) {
				continue
			}
			if first {
				fmt.Fprintf(b, "\n%s:\n", title)
				first = false
			}
			b.WriteString(flagEntry(f))
		}
		rest = slices.DeleteFunc(rest, is)
	}
	rest = slices.DeleteFunc(rest, func(f cli.Flag) bool { v, ok := f.(cli.VisibleFlag); return ok && !v.IsVisible() })
	take("Required", required)
	if len(rest) <= someFlags {
		take("Flags", func(cli.Flag) bool { return true })
		return
	}
	for _, g := range groups {
		take(g.title, func(f cli.Flag) bool {
			head, _ := describe(f)
			return g.flags == nil || slices.Contains(g.flags, f.Names()[0]) || slices.Contains(g.flags, head[1:])
		})
	}
}

// describe returns a flag with its value, "-out DIR", and what it means.
func describe(f cli.Flag) (head, text string) {
	head = "-" + f.Names()[0]
	d, ok := f.(cli.DocGenerationFlag)
	if !ok {
		return head, ""
	}
	value, text := "", d.GetUsage()
	if d.TakesValue() {
		value = " VALUE"
	}
	if before, rest, ok := strings.Cut(text, "`"); ok { // the value's name stands between
		if name, after, ok := strings.Cut(rest, "`"); ok {
			value, text = " "+name, before+name+after
		}
	}
	var notes []string
	if given := d.GetDefaultText(); given != "" && given != "false" && given != `""` {
		notes = append(notes, "default: "+strings.Trim(given, `"`))
	}
	for _, v := range d.GetEnvVars() {
		notes = append(notes, "or $"+v)
	}
	if len(notes) > 0 {
		text += " (" + strings.Join(notes, "; ") + ")"
	}
	return head + value, text
}

// flagEntry is a flag with its text.
func flagEntry(f cli.Flag) string {
	head, text := describe(f)
	return entry("  "+head, text)
}

// entry is a name with its text beside it, or below it where the name is long.
func entry(head, text string) string {
	indent := strings.Repeat(" ", helpIndent)
	body := wrap(text, indent, helpWidth)
	if len(head)+2 > helpIndent {
		return head + "\n" + body + "\n"
	}
	return head + body[len(head):] + "\n"
}

// parts divides a description into its text, wrapped anew, and its examples, which are indented in it.
func parts(description string) (text string, examples []string) {
	var paragraphs []string
	var words []string
	end := func() {
		if len(words) > 0 {
			paragraphs = append(paragraphs, wrap(strings.Join(words, " "), "", helpWidth))
		}
		words = nil
	}
	for line := range strings.Lines(description) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "   retinago "), strings.HasPrefix(line, "   curl "):
			end()
			examples = append(examples, strings.TrimSpace(line))
		case strings.HasPrefix(line, "   "): // a list
			end()
			paragraphs = append(paragraphs, wrap(strings.TrimSpace(line), "   ", helpWidth))
		case strings.TrimSpace(line) == "":
			end()
		default:
			words = append(words, strings.Fields(line)...)
		}
	}
	end()
	var b strings.Builder
	for i, p := range paragraphs {
		if i > 0 {
			b.WriteString("\n")
			if !strings.HasPrefix(p, "   ") || !strings.HasPrefix(paragraphs[i-1], "   ") {
				b.WriteString("\n")
			}
		}
		b.WriteString(p)
	}
	return b.String(), examples
}

// wrap breaks a text between words into lines of at most so many columns.
func wrap(text, indent string, columns int) string {
	var b strings.Builder
	line := indent
	for _, w := range strings.Fields(text) {
		if len(line) > len(indent) && len(line)+1+len(w) > columns {
			b.WriteString(line + "\n")
			line = indent
		}
		if len(line) > len(indent) {
			line += " "
		}
		line += w
	}
	return b.String() + line
}

// wrapCommand breaks a command line that is too long as a shell reads it.
func wrapCommand(text string) string {
	const indent, further = "   ", "       "
	if len(indent+text) <= helpWidth {
		return indent + text
	}
	lines := strings.Split(wrap(text, further, helpWidth-2), "\n")
	lines[0] = indent + strings.TrimPrefix(lines[0], further)
	return strings.Join(lines, " \\\n")
}

// overview is the help of the program.
func overview(app *cli.App) string {
	var b strings.Builder
	text, examples := parts(app.Description)
	fmt.Fprintf(&b, "%s\n\n%s\n\nVerbs:\n", wrap(app.Name+" - "+app.Usage, "", helpWidth), text)
	for _, c := range app.Commands {
		if !c.Hidden {
			b.WriteString(entry("  "+c.Name, c.Usage))
		}
	}
	b.WriteString("\nExamples:\n")
	for _, e := range examples {
		fmt.Fprintf(&b, "%s\n", wrapCommand(e))
	}
	return b.String()
}

// explain gives commands their help texts.
func explain(commands []*cli.Command, name string) {
	for _, c := range commands {
		full := name + " " + c.Name
		c.CustomHelpTemplate = literal(helpText(c, full))
		explain(c.Subcommands, full)
	}
}

// literal is a template that prints a text as it is.
func literal(text string) string {
	return strings.NewReplacer("{{", "{{\"{{\"}}").Replace(text)
}
