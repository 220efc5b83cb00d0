package track

import "testing"

func TestSeen(t *testing.T) {
	t.Parallel()
	for _, k := range []struct {
		name        string
		v           []float64
		some, whole bool
	}{
		{"line across", []float64{0, 50, 100, 50}, true, true},
		{"line at the border", []float64{0, 80, 100, 80}, true, true},
		{"line beyond both sides", []float64{-50, 50, 500, 50}, true, false},
		{"line at the right of the frame", []float64{101, 0, 101, 80}, false, false},
		{"line past the corner", []float64{90, -20, 120, 10}, false, false},
		{"line over the corner", []float64{70, -20, 120, 30}, true, false},
		{"line below", []float64{0, 400, 1280, 400}, false, false},
		{"zone inside", []float64{10, 10, 90, 10, 90, 70}, true, true},
		{"zone partly outside", []float64{50, 10, 150, 10, 150, 70, 50, 70}, true, false},
		{"zone outside", []float64{150, 10, 250, 10, 250, 70}, false, false},
		{"zone around the frame", []float64{-10, -10, 110, -10, 110, 90, -10, 90}, false, false},
		{"zone whose last side is seen", []float64{50, -50, 200, 40, 50, 130}, true, false},
	} {
		make := ZoneAt
		if len(k.v) == 4 {
			make = LineAt
		}
		p, err := make(k.name, k.v)
		if err != nil {
			t.Fatal(err)
		}
		if some, whole := Seen(p.New(), 100, 80); some != k.some || whole != k.whole {
			t.Errorf("%s: some %v, whole %v; want %v, %v", k.name, some, whole, k.some, k.whole)
		}
	}
}
