package convert

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"

	"retinago/internal/file"
	"retinago/internal/text"
)

// newReader reads lines of any number of columns, without the byte order mark that spreadsheets put first. Columns are separated by commas,
// or by semicolons or tabs where the first line has more of these: spreadsheets of many countries write semicolons.
func newReader(f io.Reader) *csv.Reader {
	b := bufio.NewReader(utf8(f))
	r := csv.NewReader(b)
	start, _ := b.Peek(maxFirst) // the reader reports errors
	r.Comma = separator(start)
	r.FieldsPerRecord, r.ReuseRecord, r.TrimLeadingSpace = -1, true, r.Comma != '\t'
	return r
}

// maxFirst is how many bytes of the first line are looked at for the separator.
const maxFirst = 4 << 10

// separator is what the first line has most of, outside of quotes, of commas, semicolons and tabs.
func separator(start []byte) rune {
	count := map[byte]int{}
	quoted := false
	for _, c := range start {
		if c == '"' {
			quoted = !quoted
		}
		if (c == '\n' || c == '\r') && !quoted && len(count) > 0 {
			break
		}
		if !quoted && (c == ',' || c == ';' || c == '\t') {
			count[c]++
		}
	}
	best := byte(',')
	for _, c := range []byte{';', '\t'} {
		if count[c] > count[best] {
			best = c
		}
	}
	return rune(best)
}

// maxRecord bounds a line of a CSV, in bytes: a quote that nothing closes makes a line of the rest of the file.
const maxRecord = 1 << 20

// bounded reads for one record after another.
type bounded struct {
	r    io.Reader
	read int // for this record
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.read > maxRecord {
		return 0, fmt.Errorf("a line of more than %d bytes: is a quote not closed?", maxRecord)
	}
	n, err := b.r.Read(p)
	b.read += n
	return n, err
}

// eachRecord calls f for each line of a CSV file, which is read as a stream.
func eachRecord(path string, f func(line int, record []string)) error {
	from, err := file.Stream(path, maxCSV)
	if err != nil {
		return fmt.Errorf("convert: %w", err)
	}
	defer from.Close()
	lines := &bounded{r: from}
	r := newReader(lines)
	for {
		lines.read = 0
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("convert: %s: %w", path, err)
		}
		line, _ := r.FieldPos(0)
		f(line, record)
	}
}

// firstRecord is the first line of a CSV file.
func firstRecord(path string) ([]string, error) {
	f, err := file.Stream(path, maxCSV)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return newReader(&bounded{r: f}).Read()
}

// classList reads "class,number" lines into categories in the order of the numbers, which run from 0 without gaps.
func (b *builder) classList(path string) error {
	names := map[int]string{}
	var f faults
	err := eachRecord(path, func(line int, r []string) {
		n := -1
		if len(r) == 2 {
			if v, err := strconv.Atoi(r[1]); err == nil {
				n = v
			}
		}
		if _, twice := names[n]; n < 0 || twice || r[0] == "" {
			f.add("%s:%d: %q, want class,number with a number of its own from 0", path, line, r)
			return
		}
		names[n] = text.FromCell(r[0])
	})
	if err == nil {
		err = f.err()
	}
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return fmt.Errorf("convert: %s is empty", path)
	}
	for i := range len(names) {
		n, ok := names[i]
		if _, twice := b.names[n]; !ok || twice {
			return fmt.Errorf("convert: %s: %d classes, and none of its own with the number %d", path, len(names), i)
		}
		b.category(n)
	}
	return nil
}
