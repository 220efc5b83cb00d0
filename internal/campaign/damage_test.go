//go:build campaign

package campaign

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
)

// damage changes a file's content, at least one bit of it, and says what it did. from and to are the bytes that it touched.
type damage struct {
	name string
	do   func(draw *rand.Rand, b []byte) (out []byte, from, to int)
}

const page = 4096

var damages = []damage{
	{"a flipped bit", func(draw *rand.Rand, b []byte) ([]byte, int, int) {
		i := draw.IntN(len(b))
		b[i] ^= 1 << draw.IntN(8)
		return b, i, i + 1
	}},
	{"another byte", func(draw *rand.Rand, b []byte) ([]byte, int, int) {
		i := draw.IntN(len(b))
		b[i] ^= byte(1 + draw.IntN(255))
		return b, i, i + 1
	}},
	{"a bit of the header", func(draw *rand.Rand, b []byte) ([]byte, int, int) {
		i := draw.IntN(8 + int(binary.LittleEndian.Uint64(b)))
		b[i] ^= 1 << draw.IntN(8)
		return b, i, i + 1
	}},
	{"a page of zeros", func(draw *rand.Rand, b []byte) ([]byte, int, int) {
		i := page * draw.IntN(len(b)/page)
		clear(b[i : i+page])
		return b, i, i + page
	}},
	{"zeros from the middle on", func(draw *rand.Rand, b []byte) ([]byte, int, int) {
		i := len(b)/4 + draw.IntN(len(b)/2)
		clear(b[i:])
		return b, i, len(b)
	}},
	{"a cut", func(draw *rand.Rand, b []byte) ([]byte, int, int) {
		i := draw.IntN(len(b))
		return b[:i], i, len(b)
	}},
	{"two pages in each other's place", func(draw *rand.Rand, b []byte) ([]byte, int, int) {
		i, j := page*draw.IntN(len(b)/page), page*draw.IntN(len(b)/page)
		first := bytes.Clone(b[i : i+page])
		copy(b[i:], b[j:j+page])
		copy(b[j:], first)
		return b, min(i, j), max(i, j) + page
	}},
}

// spoil damages a copy of a file. touched are the tensors that lie where it was changed; empty where the header was.
func spoil(draw *rand.Rand, d damage, whole []byte) (spoiled []byte, what string, touched []string) {
	for {
		out, from, to := d.do(draw, bytes.Clone(whole))
		if bytes.Equal(out, whole) { // zeros in the place of zeros
			continue
		}
		what = fmt.Sprintf("%s at byte %d to %d of %d", d.name, from, to, len(whole))
		start := 8 + int(binary.LittleEndian.Uint64(whole))
		if from < start || len(out) < len(whole) {
			return out, what, nil
		}
		var entries map[string]json.RawMessage
		if err := json.Unmarshal(bytes.TrimSpace(whole[8:start]), &entries); err != nil {
			panic("campaign: the undamaged header: " + err.Error())
		}
		for name, text := range entries {
			var e struct {
				Offsets [2]int `json:"data_offsets"`
			}
			json.Unmarshal(text, &e) // the metadata have none
			if start+e.Offsets[0] < to && start+e.Offsets[1] > from {
				touched = append(touched, name)
			}
		}
		return out, what, touched
	}
}

// named reports whether a text has one of the names.
func named(text string, names []string) bool {
	for _, n := range names {
		if strings.Contains(text, n) {
			return true
		}
	}
	return false
}
