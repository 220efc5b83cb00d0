package source

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
)

// maxLine bounds a name on standard input, in bytes; systems take less.
const maxLine = 1 << 20

// lines yields the names on standard input. A line that is too long is an error, and the others follow; an error of reading ends the
// input. Waiting for a line ends with ctx.
func (s *Set) lines(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		type line struct {
			name string
			err  error
		}
		names := make(chan line)
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		go func() {
			defer close(names)
			r := bufio.NewReader(s.options.Stdin)
			for n := 1; ; n++ {
				name, err := readLine(r)
				ended := err != nil && !errors.Is(err, errLong)
				if err == io.EOF {
					err = nil
				}
				if err != nil {
					err = fmt.Errorf("source: standard input: line %d: %w", n, err)
				}
				select {
				case <-ctx.Done():
					return
				case names <- line{name, err}:
				}
				if ended {
					return
				}
			}
		}()
		for {
			select {
			case <-ctx.Done():
				return
			case l, ok := <-names:
				if !ok || (l.name != "" || l.err != nil) && !yield(l.name, l.err) {
					return
				}
			}
		}
	}
}

var errLong = fmt.Errorf("it has more than %d bytes: write one name a line", maxLine)

// readLine reads a line without its end. The last one comes with io.EOF.
func readLine(r *bufio.Reader) (string, error) {
	var b []byte
	long := false
	for {
		part, err := r.ReadSlice('\n')
		if long = long || len(b)+len(part) > maxLine; !long {
			b = append(b, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err != nil && err != io.EOF:
			return "", err // what stands before it is no whole name
		case long:
			return "", errLong // the end comes again
		default:
			return strings.TrimRight(strings.TrimSuffix(string(b), "\n"), "\r"), err
		}
	}
}
