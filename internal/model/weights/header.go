package weights

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"sort"
)

const (
	maxHeader   = 100 << 20 // bytes; the limit of the reference implementation
	metadataKey = "__metadata__"
	maxErrors   = 20
	maxEntry    = 4 << 10 // bytes of JSON about one tensor, its name aside
)

// entry is one tensor of the header.
type entry struct {
	name       string
	dtype      string
	shape      []int
	count      int   // elements
	begin, end int64 // bytes after the header
	sum        uint32
}

// parseHeader reads and validates the JSON of a file with size bytes of data.
func parseHeader(text []byte, size int64) (entries []entry, metadata map[string]string, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, nil, fmt.Errorf("the header is not a JSON object: %w", orBrace(err))
	}
	metadata = map[string]string{}
	seen := map[string]bool{}
	var errs faults
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, nil, fmt.Errorf("the header is not JSON: %w", err)
		}
		name := t.(string) // a key is a string or an error
		if seen[name] {
			errs.add(fmt.Errorf("%q is there twice", name))
		}
		if seen[name] = true; len(seen) > maxTensors {
			return nil, nil, fmt.Errorf("the header has more than %d tensors", maxTensors)
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, nil, fmt.Errorf("the header is not JSON at %q: %w", name, err)
		}
		if name == metadataKey {
			if err := json.Unmarshal(raw, &metadata); err != nil || metadata == nil {
				return nil, nil, fmt.Errorf("%s does not map text to text: %w", metadataKey, orBrace(err))
			}
			continue
		}
		e, err := parseEntry(name, raw, size)
		if err != nil {
			errs.add(fmt.Errorf("%q: %w", name, err))
			continue
		}
		entries = append(entries, e)
	}
	if _, err := d.Token(); err != nil {
		return nil, nil, fmt.Errorf("the header is cut off: %w", err)
	}
	if rest, _ := io.ReadAll(d.Buffered()); len(bytes.TrimRight(rest, " \n\r\t")) > 0 {
		return nil, nil, errors.New("the header goes on after its end")
	}
	if errs.n == 0 {
		errs = layout(entries, size)
	}
	return entries, metadata, errs.err()
}

// parseEntry reads {"dtype", "shape", "data_offsets"} and checks that the three agree.
func parseEntry(name string, raw []byte, size int64) (entry, error) {
	if len(raw) > maxEntry {
		return entry{}, fmt.Errorf("%d bytes of description, more than %d", len(raw), maxEntry)
	}
	var j struct {
		Dtype   *string   `json:"dtype"`
		Shape   *[]int64  `json:"shape"`
		Offsets *[]uint64 `json:"data_offsets"`
	}
	if err := json.Unmarshal(raw, &j); err != nil {
		return entry{}, err
	}
	if j.Dtype == nil || j.Shape == nil || j.Offsets == nil || len(*j.Offsets) != 2 {
		return entry{}, errors.New("wants dtype, shape and two data_offsets")
	}
	e := entry{name: name, dtype: *j.Dtype}
	width, ok := sizes[e.dtype]
	if !ok {
		return entry{}, fmt.Errorf("unknown type %q", e.dtype)
	}
	for _, v := range *j.Shape {
		if v > math.MaxInt {
			return entry{}, fmt.Errorf("size %d is too large", v)
		}
		e.shape = append(e.shape, int(v))
	}
	var err error
	if e.count, err = elements(e.shape); err != nil {
		return entry{}, err
	}
	begin, end := (*j.Offsets)[0], (*j.Offsets)[1]
	if begin > end || end > uint64(size) {
		return entry{}, fmt.Errorf("bytes %d to %d are not within the file's %d bytes of data; is it cut off?", begin, end, size)
	}
	e.begin, e.end = int64(begin), int64(end)
	if int64(e.count) > size/int64(width) && e.count > 0 || e.end-e.begin != int64(e.count)*int64(width) {
		return entry{}, fmt.Errorf("%d bytes for %s of shape %v", e.end-e.begin, e.dtype, e.shape)
	}
	return e, nil
}

// layout sorts entries as they lie in the file and checks that they fill it without holes or overlaps.
func layout(entries []entry, size int64) (errs faults) {
	sort.Slice(entries, func(i, j int) bool {
		a, b := entries[i], entries[j]
		switch {
		case a.begin != b.begin:
			return a.begin < b.begin
		case a.end != b.end:
			return a.end < b.end
		}
		return a.name < b.name
	})
	at, before := int64(0), "the header"
	for _, e := range entries {
		switch {
		case e.begin < at:
			errs.add(fmt.Errorf("%q overlaps %q", e.name, before))
		case e.begin > at:
			errs.add(fmt.Errorf("%d bytes between %q and %q belong to nothing", e.begin-at, before, e.name))
		}
		at, before = e.end, e.name
	}
	if errs.n == 0 && at != size {
		errs.add(fmt.Errorf("%d bytes at the end belong to nothing", size-at))
	}
	return errs
}

// orBrace gives an error to wrap where the JSON is well-formed and still wrong.
func orBrace(err error) error {
	if err == nil {
		return errors.New("want {...}")
	}
	return err
}

// faults are errors, of which the first few are kept.
type faults struct {
	errs []error
	n    int
}

func (f *faults) add(err error) {
	if f.n++; f.n <= maxErrors {
		f.errs = append(f.errs, err)
	}
}

func (f *faults) err() error {
	if more := f.n - len(f.errs); more > 0 {
		return errors.Join(append(f.errs, fmt.Errorf("and %d more", more))...)
	}
	return errors.Join(f.errs...)
}
