package coco

import (
	"reflect"
	"strings"
	"testing"
)

func TestDecodeCounts(t *testing.T) {
	t.Parallel()
	// By hand from rleFrString: '0' is 0, 'O' is 31 without "more": 0x1f has the sign bit 0x10, hence -1; "P1" is 0x20
	// ("more", low bits 0) then 1, that is 32.
	for _, c := range []struct {
		text string
		want []uint32
	}{
		{"", nil},
		{"52203", []uint32{5, 2, 2, 2, 5}}, // the 4th is 0 more than the 2nd, the 5th 3 more than the 3rd
		{"P10", []uint32{32, 0}},
		{"553O", []uint32{5, 5, 3, 4}}, // the 4th is 1 less than the 2nd
	} {
		got, err := DecodeCounts(c.text)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q: got %v, %v, want %v", c.text, got, err, c.want)
		}
	}
	for text, want := range map[string]string{"P": "ends in the middle", "O": "run length -1", " ": "character ' '", "oooooooo0": "more than 32 bits"} {
		if _, err := DecodeCounts(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

func TestSegmentation(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		area       float64
		box        [4]float64
	}{
		{"square", "[[1,2,4,2,4,6,1,6]]", 12, [4]float64{1, 2, 3, 4}},
		{"square the other way", "[[1,6,4,6,4,2,1,2]]", 12, [4]float64{1, 2, 3, 4}},
		{"two triangles", "[[0,0,2,0,0,2],[10,10,14,10,10,12]]", 6, [4]float64{0, 0, 14, 12}},
		{"none", "[]", 0, [4]float64{}},
		{"runs", `{"counts":[5,2,2,2,1],"size":[4,3]}`, 4, [4]float64{1, 1, 2, 2}}, // rows 1-2 of columns 1 and 2
		{"compressed runs", `{"counts":"5220O","size":[4,3]}`, 4, [4]float64{1, 1, 2, 2}},
		{"a run over a column's end", `{"counts":[3,2,7],"size":[4,3]}`, 2, [4]float64{0, 0, 2, 4}},
		{"all", `{"counts":[0,12],"size":[4,3]}`, 12, [4]float64{0, 0, 3, 4}},
		{"empty mask", `{"counts":[12],"size":[4,3]}`, 0, [4]float64{}},
		{"empty run of ones", `{"counts":[3,0,9],"size":[4,3]}`, 0, [4]float64{}},
		{"no pixels", `{"counts":[],"size":[0,0]}`, 0, [4]float64{}},
	} {
		s, err := ParseSegmentation([]byte(c.text))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if s.Area() != c.area || s.BBox() != c.box {
			t.Errorf("%s: area %v, box %v, want %v, %v", c.name, s.Area(), s.BBox(), c.area, c.box)
		}
	}
	for text, want := range map[string]string{
		"": "segmentation", "[[1,2,3,4]]": "has 4 numbers", "[[1,2,3,4,5]]": "has 5", "[[1,2,3,4,5,null]]": "not finite",
		`{"counts":[1]}`: "needs counts and size", `{"counts":[1,2],"size":[4,3]}`: "sum to 3, want 4 x 3 = 12",
		`{"counts":[-1],"size":[4,3]}`: "cannot unmarshal", `{"counts":"\u0000","size":[4,3]}`: "character", `{"counts":[12],"size":[-4,-3]}`: "size [-4, -3]",
	} {
		if _, err := ParseSegmentation([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}
