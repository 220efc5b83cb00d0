package detector

import (
	"slices"
	"testing"
)

// Outputs that are read where they lie are those that Run copies, and what is found on them is what Decode finds.
func TestFind(t *testing.T) {
	const n, h, w = 2, 64, 96
	for _, background := range []bool{false, true} {
		c := tiny()
		c.Background = background
		m := newModel(t, c)
		net, err := m.Net(n, h, w)
		if err != nil {
			t.Fatal(err)
		}
		images := picture(n, h, w)
		raw, err := net.Run(images)
		if err != nil {
			t.Fatal(err)
		}
		want := Raw{N: raw.N, Classes: raw.Classes}
		for l := range raw.Logits {
			want.Logits, want.Deltas = append(want.Logits, slices.Clone(raw.Logits[l])), append(want.Deltas, slices.Clone(raw.Deltas[l]))
		}
		seen, err := net.Look(images)
		if err != nil {
			t.Fatal(err)
		}
		if seen.N != n || seen.Classes != want.Classes || !slices.EqualFunc(seen.Logits, want.Logits, slices.Equal) || !slices.EqualFunc(seen.Deltas, want.Deltas, slices.Equal) {
			t.Errorf("background %v: Look sees what Run does not copy", background)
		}
		d := Decoding{Score: .001, TopK: 50, NMS: .5, MaxDets: 20}
		found, err := m.Find(net, images, []Wanted{{W: w, H: h, Decoding: d}, {W: w - 8, H: h, Decoding: d, Candidates: true}})
		if err != nil {
			t.Fatal(err)
		}
		if best := m.Decode(&want, 0, h, w, w, h, d); len(best) == 0 || !slices.Equal(found[0].Detections, best) {
			t.Errorf("background %v: found %v, Decode %v", background, found[0].Detections, best)
		}
		c1, c2 := found[1].Candidates, m.Candidates(&want, 1, h, w, w-8, h, d)
		if len(c2.Boxes) == 0 || !slices.Equal(c1.Boxes, c2.Boxes) || !slices.Equal(c1.Scores, c2.Scores) || !slices.Equal(c1.Classes, c2.Classes) {
			t.Errorf("background %v: %d candidates, want %d", background, len(c1.Boxes), len(c2.Boxes))
		}
	}
}
