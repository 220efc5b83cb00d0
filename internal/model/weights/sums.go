package weights

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"sync"
)

// Every file that this package writes has a checksum of the bytes of each tensor and one of the header. A checksum is a CRC-32C in 8 hex
// digits.
const (
	sumsKey   = "retinago.sums"   // JSON: {tensor: sum}
	headerKey = "retinago.header" // of the header's length and text, these digits being zeros
	noDigits  = "00000000"
	ownPrefix = "retinago." // begins the keys of all metadata of retinago
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errDamaged is wrapped by errors about bytes that differ from those that were written.
var errDamaged = errors.New("it is damaged; use a copy")

func digits(sum uint32) string { return fmt.Sprintf("%08x", sum) }

// sumsText is the value of sumsKey.
func sumsText(tensors []Spec, sums []uint32) (string, error) {
	m := make(map[string]string, len(tensors))
	for i, t := range tensors {
		m[t.Name] = digits(sums[i])
	}
	js, err := json.Marshal(m)
	return string(js), err
}

// digitsAt returns the position of the header's own sum in it, -1 if it has none. In any other place a quote has a backslash before it.
func digitsAt(header []byte) int {
	before := []byte(`"` + headerKey + `":"`)
	i := bytes.Index(header, before)
	if i < 0 || i+len(before)+len(noDigits) >= len(header) {
		return -1
	}
	return i + len(before)
}

// headerSum returns the sum of a header whose own sum is at a position.
func headerSum(header []byte, at int) string {
	sum := crc32.Update(0, castagnoli, header[:at])
	sum = crc32.Update(sum, castagnoli, []byte(noDigits))
	return digits(crc32.Update(sum, castagnoli, header[at+len(noDigits):]))
}

// seal writes a header's sum into it.
func seal(header []byte) {
	at := digitsAt(header)
	copy(header[at:], headerSum(header, at))
}

// checkSeal compares a header with its sum, and reports whether it has one.
func checkSeal(header []byte) (bool, error) {
	at := digitsAt(header)
	if at < 0 {
		return false, nil
	}
	if want, got := string(header[at:at+len(noDigits)]), headerSum(header, at); got != want {
		return true, fmt.Errorf("the header has the checksum %s, not the %q that it was written with: %w. (A program that writes the file anew must leave the metadata %s and %s out.)",
			got, want, errDamaged, headerKey, sumsKey)
	}
	return true, nil
}

// takeSums moves the sums of the tensors from the metadata to the entries.
func (f *File) takeSums(sealed bool) error {
	text, ok := f.Metadata[sumsKey]
	if ok != sealed {
		return fmt.Errorf("the header has one of the metadata %s and %s without the other: %w", sumsKey, headerKey, errDamaged)
	}
	if !ok {
		return nil
	}
	delete(f.Metadata, sumsKey)
	delete(f.Metadata, headerKey)
	var sums map[string]string
	if err := json.Unmarshal([]byte(text), &sums); err != nil {
		return fmt.Errorf("the header's metadata %s: %w", sumsKey, err)
	}
	for i := range f.entries {
		e := &f.entries[i]
		v, err := strconv.ParseUint(sums[e.name], 16, 32)
		if err != nil {
			return fmt.Errorf("the header has no checksum of %q", e.name)
		}
		e.sum = uint32(v)
	}
	f.summed = true
	return nil
}

// Summed reports whether the file has checksums, so that whatever reads a tensor notices damage to it.
func (f *File) Summed() bool { return f.summed }

// Verify reads every tensor and compares it with its checksum. Without checksums it reads nothing.
func (f *File) Verify() error {
	if !f.summed {
		return nil
	}
	var errs faults
	for _, e := range f.entries {
		if err := f.chunks(e, nil, func(int, []byte) error { return nil }); err != nil {
			errs.add(f.wrap(e.name, err))
		}
	}
	return errs.err()
}

// notice is the function that receives lines about files without sums, with the files for which it was called.
var notice struct {
	sync.Mutex
	f    func(line string)
	seen map[string]bool
}

// Notice makes Open call f with a line for the user, once per file, if an earlier version of retinago wrote the file without checksums:
// damage to such a file cannot be detected. With nil, the default, there are no such lines.
func Notice(f func(line string)) {
	notice.Lock()
	defer notice.Unlock()
	notice.f, notice.seen = f, map[string]bool{}
}

// tell calls Notice's function about a file of retinago's without sums.
func (f *File) tell() {
	own := false
	for k := range f.Metadata {
		own = own || strings.HasPrefix(k, ownPrefix)
	}
	if f.summed || !own {
		return
	}
	notice.Lock()
	defer notice.Unlock()
	if notice.f == nil || notice.seen[f.path] {
		return
	}
	notice.seen[f.path] = true
	notice.f(f.path + ": an older file without checksums: it is used as it is; damage to it cannot be noticed")
}
