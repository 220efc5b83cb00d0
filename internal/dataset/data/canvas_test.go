package data

import "testing"

// torchvision 0.14.1, GeneralizedRCNNTransform: the scaled sides of some sizes.
func TestResized(t *testing.T) {
	for _, c := range []struct {
		in          Size
		short, long int
		want        Size
	}{
		{Size{640, 480}, 800, 1333, Size{1066, 800}},
		{Size{480, 640}, 800, 1333, Size{800, 1066}},
		{Size{640, 424}, 800, 1333, Size{1207, 799}},
		{Size{500, 333}, 800, 1333, Size{1201, 799}},
		{Size{1116, 600}, 800, 1333, Size{1332, 716}},
		{Size{1000, 200}, 800, 1333, Size{1333, 266}},
		{Size{400, 301}, 320, 416, Size{415, 313}},
		{Size{1, 1}, 320, 416, Size{320, 320}},
		{Size{10000, 1}, 320, 416, Size{416, 1}},
	} {
		if got := Resized(c.in, c.short, c.long); got != c.want {
			t.Errorf("%v at %d/%d: %v, wants %v", c.in, c.short, c.long, got, c.want)
		}
	}
}

func TestBucketize(t *testing.T) {
	var sizes []Size
	for i := range 40 {
		sizes = append(sizes, Size{100 + 10*i, 200}, Size{200, 100 + 10*i})
	}
	bucket, canvases := bucketize(sizes, 32, trainBuckets)
	if len(canvases) > trainBuckets {
		t.Fatalf("%d canvases", len(canvases))
	}
	for i, s := range sizes {
		c := canvases[bucket[i]]
		if s.W > c.W || s.H > c.H || c.W%32 != 0 || c.H%32 != 0 {
			t.Errorf("%v on %v", s, c)
		}
	}
	// One shape of image makes one canvas.
	if _, c := bucketize([]Size{{320, 240}, {320, 240}}, 128, 2); len(c) != 1 || c[0] != (Size{384, 256}) {
		t.Errorf("canvases %v", c)
	}
}
