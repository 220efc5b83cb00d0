package convert

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// region returns x, y, width and height of a region as the VGG Image Annotator (VIA) writes it into a CSV's cell: {"name":"rect","x":1,...},
// or a polygon, of which the box is taken.
func region(cell string) ([]string, error) {
	var r struct {
		Name                string
		X, Y, Width, Height *float64
		Xs                  []float64 `json:"all_points_x"`
		Ys                  []float64 `json:"all_points_y"`
	}
	if err := json.Unmarshal([]byte(cell), &r); err != nil {
		return nil, fmt.Errorf("%.80q is no region: %w", cell, err)
	}
	text := func(v ...float64) (out []string) {
		for _, x := range v {
			out = append(out, strconv.FormatFloat(x, 'g', -1, 64))
		}
		return out
	}
	switch {
	case r.X != nil && r.Y != nil && r.Width != nil && r.Height != nil:
		return text(*r.X, *r.Y, *r.Width, *r.Height), nil
	case len(r.Xs) >= 3 && len(r.Xs) == len(r.Ys):
		x, y := slices.Min(r.Xs), slices.Min(r.Ys)
		return text(x, y, slices.Max(r.Xs)-x, slices.Max(r.Ys)-y), nil
	}
	return nil, fmt.Errorf("a region of the kind %q has no box: want a rect or a polygon", r.Name)
}

// regionClass is the class in a cell of VIA's attributes, {"class":"cat"}: the attribute that is called so, or the only one. Other cells are
// returned as they are.
func regionClass(cell string) string {
	var attributes map[string]any
	if json.Unmarshal([]byte(cell), &attributes) != nil {
		return cell
	}
	names := slices.Sorted(maps.Keys(attributes))
	if len(names) > 1 {
		bares := make([]string, len(names))
		for i, n := range names {
			bares[i] = bare(n)
		}
		_, at := pictureAndClass(bares)
		if at < 0 {
			return ""
		}
		names = names[at : at+1]
	}
	if len(names) == 0 {
		return ""
	}
	switch v := attributes[names[0]].(type) {
	case string:
		return v
	case map[string]any: // a list of choices, of which one is ticked
		if ticked := slices.Sorted(maps.Keys(v)); len(ticked) == 1 {
			return ticked[0]
		}
	}
	return ""
}
