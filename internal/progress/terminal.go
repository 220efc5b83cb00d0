package progress

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// narrow is the width of a terminal that does not say its own.
const narrow = 80

// shows reports whether a file is a terminal that can show a line.
func shows(f *os.File) bool {
	if term := os.Getenv("TERM"); term == "" || term == "dumb" {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// columns returns the width of a terminal: what it says, or COLUMNS where that is less or it says nothing.
func columns(f *os.File) int {
	n := 0
	if size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ); err == nil {
		n = int(size.Col)
	}
	if given, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && given > 0 && (n == 0 || given < n) {
		n = given
	}
	if n == 0 {
		return narrow
	}
	return n
}
