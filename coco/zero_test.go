package coco

import (
	"fmt"
	"testing"
)

// Annotations with the id 0, all of them or one, are numbered behind the others.
func TestFixZeroID(t *testing.T) {
	t.Parallel()
	for want, ids := range map[string][]int64{"[1 2 3]": {0, 0, 0}, "[5 7 8]": {5, 7, 0}, "[8 5 7]": {0, 5, 7}, "[-3 1]": {-3, 0}} {
		d := &Dataset{Images: []Image{{ID: 1, FileName: "a", Width: 9, Height: 9}}, Categories: []Category{{ID: 1, Name: "a"}}}
		for i, id := range ids {
			d.Annotations = append(d.Annotations, Annotation{ID: id, ImageID: 1, CategoryID: 1, BBox: [4]float64{0, float64(i), 2, 2}, Area: 4})
		}
		for _, mode := range []Mode{Clip, Drop} {
			fixed, report := d.Fix(mode)
			var got []int64
			for _, a := range fixed.Annotations {
				got = append(got, a.ID)
			}
			if fmt.Sprint(got) != want || report.Changed[ZeroID] == 0 || len(report.Left) > 0 {
				t.Errorf("%v, mode %d: %v, want %s; %v", ids, mode, got, want, report)
			}
		}
	}
}
