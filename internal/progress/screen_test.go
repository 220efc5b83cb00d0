package progress

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"retinago/internal/progress/pty"
)

// terminal opens a terminal of so many columns, and returns the function that gives the rows that it shows in the end.
func terminal(t *testing.T, columns int) (*pty.Terminal, func() []string) {
	t.Helper()
	t.Setenv("TERM", "xterm")
	t.Setenv("COLUMNS", "")
	p, err := pty.Open(columns)
	if err != nil {
		t.Skipf("no terminal can be opened here: %v", err)
	}
	p.Watch(func(string) {})
	return p, func() []string {
		rows, err := pty.Rows(p.Output())
		if err != nil {
			t.Error(err)
		}
		return rows
	}
}

func status(n int) Status {
	return Status{What: fmt.Sprintf("step %d/10", n), Done: int64(n), Total: 10, Left: -1}
}

// escaped is a writer around another, as package text has it.
type escaped struct{ io.Writer }

func (e escaped) Raw() io.Writer { return e.Writer }

// What is printed, on either output, stands above the line, which shows the last status.
func TestPrintAbove(t *testing.T) {
	p, rows := terminal(t, 50)
	var s Screen
	out, errs := escaped{s.Output(p.File)}, escaped{s.Output(p.File)}
	line := On(errs)
	if line == nil {
		t.Fatal("a terminal has no line")
	}
	fmt.Fprintln(out, "first")
	line.Show(status(1))
	fmt.Fprintln(out, "second")
	fmt.Fprint(errs, "third, ")
	line.Show(status(2)) // not into a line that is begun
	fmt.Fprintln(errs, "whole")
	line.Show(status(3))
	line.Show(status(4)) // too early to be drawn, but known to what is printed next
	fmt.Fprintln(out, "fourth")
	if got, want := rows(), []string{"first", "second", "third, whole", "fourth", "[############------------------] step 4/10"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// A line that is removed leaves nothing, and a screen that is closed shows none again.
func TestClear(t *testing.T) {
	p, rows := terminal(t, 50)
	var s Screen
	w := s.Output(p.File)
	line := On(w)
	line.Show(status(1))
	line.Clear()
	fmt.Fprintln(w, "a")
	line.Show(status(2))
	s.Close()
	line.Show(status(3))
	fmt.Fprintln(w, "b")
	if got, want := rows(), []string{"a", "b", ""}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// Where there is no terminal, or one that cannot show a line, output is what it was.
func TestNoLine(t *testing.T) {
	p, rows := terminal(t, 50)
	f, err := os.Create(filepath.Join(t.TempDir(), "a.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var s Screen
	if w := s.Output(f); w != io.Writer(f) || On(w) != nil || On(escaped{w}) != nil || On(io.Discard) != nil || On(nil) != nil {
		t.Error("a file has a line")
	}
	for _, term := range []string{"dumb", ""} {
		t.Setenv("TERM", term)
		if w := s.Output(p.File); w != io.Writer(p.File) {
			t.Errorf("TERM=%q has a line", term)
		}
	}
	On(f).Show(status(1))
	On(f).Clear()
	if got := rows(); !slices.Equal(got, []string{""}) {
		t.Errorf("%q", got)
	}
}

// The line fits the terminal, whose width may change, and COLUMNS where that is less.
func TestWidth(t *testing.T) {
	for _, k := range []struct {
		columns int
		given   string
		want    int
	}{{120, "", 120}, {24, "", 24}, {120, "40", 40}, {24, "400", 24}, {0, "", 80}, {0, "33", 33}, {30, "wide", 30}, {30, "-4", 30}} {
		p, rows := terminal(t, 90)
		t.Setenv("COLUMNS", k.given)
		if err := p.Resize(k.columns); err != nil {
			t.Fatal(err)
		}
		if got := columns(p.File); got != k.want {
			t.Errorf("%d columns with COLUMNS=%q: %d, want %d", k.columns, k.given, got, k.want)
		}
		var s Screen
		On(s.Output(p.File)).Show(Status{What: strings.Repeat("w", 300), Left: -1})
		if got := rows(); len(got[0]) != k.want-echo {
			t.Errorf("%d columns with COLUMNS=%q: a line of %d characters", k.columns, k.given, len(got[0]))
		}
	}
}

// Goroutines that print and show at once break no line.
func TestTogether(t *testing.T) {
	p, rows := terminal(t, 80)
	var s Screen
	w := s.Output(p.File)
	var all sync.WaitGroup
	for k := range 4 {
		all.Go(func() {
			for i := range 50 {
				fmt.Fprintf(w, "%d: %s\n", k, strings.Repeat("x", i))
				On(w).Show(status(i % 10))
				time.Sleep(time.Millisecond)
			}
		})
	}
	all.Wait()
	s.Close()
	got := rows()
	if len(got) != 201 || got[200] != "" {
		t.Errorf("%d rows, the last %q", len(got), got[len(got)-1])
	}
	for _, row := range got[:len(got)-1] {
		if len(row) < 3 || strings.Trim(row[3:], "x") != "" {
			t.Errorf("a row %q", row)
		}
	}
}
