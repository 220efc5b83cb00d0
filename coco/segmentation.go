package coco

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// Segmentation is an annotation's mask: polygons, or run lengths when RLE is not nil.
type Segmentation struct {
	Polygons [][]float64 // each x0, y0, x1, y1, ... in pixels, at least three points
	RLE      *RLE
}

// ParseSegmentation reads the three forms of COCO: a list of polygons, {"counts": [runs], "size": [h, w]} and
// {"counts": "compressed runs", "size": [h, w]}.
func ParseSegmentation(text []byte) (*Segmentation, error) {
	if text = bytes.TrimSpace(text); len(text) == 0 || text[0] != '{' {
		return parsePolygons(text)
	}
	var v struct {
		Counts json.RawMessage `json:"counts"`
		Size   []int           `json:"size"`
	}
	if err := json.Unmarshal(text, &v); err != nil {
		return nil, fmt.Errorf("segmentation: %w", err)
	}
	if len(v.Size) != 2 || len(v.Counts) == 0 {
		return nil, errors.New("segmentation: an RLE needs counts and size [height, width]")
	}
	r := &RLE{Height: v.Size[0], Width: v.Size[1]}
	var err error
	if v.Counts[0] == '"' {
		var compressed string
		if err = json.Unmarshal(v.Counts, &compressed); err == nil {
			r.Counts, err = DecodeCounts(compressed)
		}
	} else {
		err = json.Unmarshal(v.Counts, &r.Counts)
	}
	if err == nil {
		err = r.Check()
	}
	if err != nil {
		return nil, fmt.Errorf("segmentation: %w", err)
	}
	return &Segmentation{RLE: r}, nil
}

func parsePolygons(text []byte) (*Segmentation, error) {
	s := &Segmentation{}
	if err := json.Unmarshal(text, &s.Polygons); err != nil {
		return nil, fmt.Errorf("segmentation: %w", err)
	}
	for i, p := range s.Polygons {
		if len(p) < 6 || len(p)%2 != 0 {
			return nil, fmt.Errorf("segmentation: polygon %d has %d numbers, want x, y of three points or more", i, len(p))
		}
	}
	if len(s.Polygons) > 0 && bytes.Contains(text, []byte("null")) { // which the decoder takes for 0
		return nil, errors.New("segmentation: a polygon has a number that is not finite")
	}
	return s, nil
}

// Empty reports whether there is no mask: COCO converters write [] for "not known".
func (s *Segmentation) Empty() bool { return s.RLE == nil && len(s.Polygons) == 0 }

// Area is in pixels: the ones of an RLE, or the sum of the polygons' areas by the shoelace formula. (COCO's own
// area counts the pixels of the drawn polygon; the two differ by about half the outline's length.)
func (s *Segmentation) Area() float64 {
	if s.RLE != nil {
		return s.RLE.Area()
	}
	sum := 0.0
	for _, p := range s.Polygons {
		sum += PolygonArea(p)
	}
	return sum
}

// BBox is [x, y, width, height] of the mask, zeros when it is empty.
func (s *Segmentation) BBox() [4]float64 {
	if s.RLE != nil {
		return s.RLE.BBox()
	}
	if len(s.Polygons) == 0 {
		return [4]float64{}
	}
	x0, y0, x1, y1 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, p := range s.Polygons {
		for i := 0; i+1 < len(p); i += 2 {
			x0, x1 = min(x0, p[i]), max(x1, p[i])
			y0, y1 = min(y0, p[i+1]), max(y1, p[i+1])
		}
	}
	return [4]float64{x0, y0, x1 - x0, y1 - y0}
}

// PolygonArea is the area of a polygon x0, y0, x1, y1, ...: |sum of x_i y_i+1 - x_i+1 y_i| / 2.
func PolygonArea(p []float64) float64 {
	n := len(p) / 2
	sum := 0.0
	for i := range n {
		j := (i + 1) % n
		sum += p[2*i]*p[2*j+1] - p[2*j]*p[2*i+1]
	}
	return math.Abs(sum) / 2
}
