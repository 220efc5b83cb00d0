// Package pty is a terminal for tests: a pair of devices, and what a person would see after some output.
package pty

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Terminal is a terminal and what was written to it.
type Terminal struct {
	File   *os.File // for the program
	master *os.File
	read   chan string
}

// Open makes a terminal of so many columns. The caller must call Close or Output.
func Open(columns int) (*Terminal, error) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	fd := int(master.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	t := &Terminal{master: master, read: make(chan string, 1)}
	if err == nil {
		t.File, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err == nil {
		err = t.Resize(columns)
	}
	if err != nil {
		master.Close()
		return nil, err
	}
	return t, nil
}

// Resize gives the terminal another width.
func (t *Terminal) Resize(columns int) error {
	return unix.IoctlSetWinsize(int(t.master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: uint16(columns)})
}

// Type sends what a person types. Ctrl-C is "\x03".
func (t *Terminal) Type(s string) error {
	_, err := io.WriteString(t.master, s)
	return err
}

// Watch calls f with all output so far whenever there is more, in a goroutine that ends with Output.
func (t *Terminal) Watch(f func(output string)) {
	go func() {
		var all strings.Builder
		b := make([]byte, 4096)
		for {
			n, err := t.master.Read(b)
			all.Write(b[:n])
			f(all.String())
			if err != nil { // the last program has closed its end
				t.read <- all.String()
				return
			}
		}
	}()
}

// Output closes the terminal's end of this process, waits until other programs have closed theirs, and returns what was written. It needs
// Watch before.
func (t *Terminal) Output() string {
	t.File.Close()
	defer t.master.Close()
	return <-t.read
}

// Rows are the rows that output leaves on a terminal. It knows ends of lines, returns to the beginning and the removal of a row's rest, and
// fails at other commands.
func Rows(output string) ([]string, error) {
	rows, row, at := []string{}, []rune{}, 0
	for s := output; len(s) > 0; {
		if rest, ok := strings.CutPrefix(s, "\x1b[K"); ok {
			row, s = row[:min(at, len(row))], rest
			continue
		}
		r := []rune(s[:min(4, len(s))])[0]
		s = s[len(string(r)):]
		switch {
		case r == '\r':
			at = 0
		case r == '\n':
			rows, row, at = append(rows, string(row)), nil, 0
		case r < ' ' && r != '\t':
			return rows, fmt.Errorf("the command %q in %q", r, output)
		default:
			for len(row) <= at {
				row = append(row, ' ')
			}
			row[at] = r
			at++
		}
	}
	return append(rows, string(row)), nil
}
