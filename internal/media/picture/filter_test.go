package picture

import (
	"bytes"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"retinago/augment"
)

// copied is p with pixels of its own.
func copied(p *Picture) *Picture { return p.Crop(0, 0, p.W, p.H) }

func filtered(t *testing.T, p *Picture, f ...augment.Filter) *Picture {
	t.Helper()
	q, err := Filter(copied(p), f)
	if err != nil {
		t.Fatal(err)
	}
	if q.W != p.W || q.H != p.H || len(q.Pix) != len(p.Pix) {
		t.Fatalf("%dx%d of %dx%d", q.W, q.H, p.W, p.H)
	}
	return q
}

// uniform is an image of one value.
func uniform(w, h int, v uint8) *Picture {
	p := New(w, h)
	for i := range p.Pix {
		p.Pix[i] = v
	}
	return p
}

// Noise has its mean and standard deviation, the share of values of a normal distribution within one and two of them, and no correlation
// between neighbours or channels. Bytes are rounded, which adds 1/12 to the variance.
func TestNoise(t *testing.T) {
	const deviation = 12.
	p := uniform(400, 300, 128)
	q := filtered(t, p, augment.Filter{Kind: augment.Noise, Value: deviation, Seed: 3})
	d := make([]float64, len(q.Pix))
	var sum, square, one, two float64
	for i, v := range q.Pix {
		d[i] = float64(v) - 128
		sum, square = sum+d[i], square+d[i]*d[i]
		if math.Abs(d[i]) < 12.5 {
			one++
		}
		if math.Abs(d[i]) < 24.5 {
			two++
		}
	}
	n := float64(len(d))
	spread := math.Sqrt(square/n - 1./12)
	within := func(x float64) float64 { return math.Erf(x / deviation / math.Sqrt2) }
	if math.Abs(sum/n) > .1 || math.Abs(spread-deviation) > .1 || math.Abs(one/n-within(12.5)) > .005 || math.Abs(two/n-within(24.5)) > .005 {
		t.Errorf("mean %g, deviation %g, shares %g and %g", sum/n, spread, one/n, two/n)
	}
	for _, lag := range []int{1, 2, 3, 3 * p.W} {
		var both float64
		for i := lag; i < len(d); i++ {
			both += d[i] * d[i-lag]
		}
		if r := both / square; math.Abs(r) > .01 {
			t.Errorf("values %d apart correlate by %g", lag, r)
		}
	}
	bright := filtered(t, uniform(50, 50, 255), augment.Filter{Kind: augment.Noise, Value: 255, Seed: 3})
	if bytes.Count(bright.Pix, []byte{255}) < len(bright.Pix)/3 {
		t.Error("values above 255 are not clipped")
	}
}

// A value's noise depends on the seed and on its place alone: an image in parts has the noise of the whole.
func TestNoiseByPlace(t *testing.T) {
	p := speckled(rand.New(rand.NewPCG(1, 2)), 37, 23)
	of := func(seed uint64) []uint8 {
		return filtered(t, p, augment.Filter{Kind: augment.Noise, Value: 20, Seed: seed}).Pix
	}
	whole := of(5)
	if !bytes.Equal(of(5), whole) {
		t.Error("two runs differ")
	}
	for _, other := range []uint64{6, 5 << 32} {
		if bytes.Equal(of(other), whole) {
			t.Errorf("seed %d has the noise of seed 5", other)
		}
	}
	q := copied(p)
	for from := 0; from < len(q.Pix); from += 100 {
		noise(q.Pix[from:min(from+100, len(q.Pix))], from, 5, 20)
	}
	if !bytes.Equal(q.Pix, whole) {
		t.Error("parts differ from the whole")
	}
}

// A blurred point is the product of two Gaussians, also at a border, beyond which its pixels continue; a plain image stays.
func TestBlur(t *testing.T) {
	const w, h = 41, 35
	for _, deviation := range []float64{.3, 1, 2.5, 5} {
		radius := int(math.Ceil(3 * deviation))
		weights := gaussian(deviation, radius)
		weight := func(from, at, n int) (sum float64) { // of a pixel for another, with what continues beyond the border
			for k, v := range weights {
				if min(max(at+k-radius, 0), n-1) == from {
					sum += float64(v)
				}
			}
			return sum
		}
		for _, point := range [][2]int{{20, 17}, {0, 34}, {1, 5}} {
			p := New(w, h)
			p.Set(point[0], point[1], 255, 200, 100)
			q := filtered(t, p, augment.Filter{Kind: augment.Blur, Value: deviation})
			for i, got := range q.Pix {
				want := weight(point[0], i/3%w, w) * weight(point[1], i/3/w, h) * float64([3]uint8{255, 200, 100}[i%3])
				if math.Abs(float64(got)-want) > .501 {
					t.Fatalf("deviation %g, point %v: pixel %d,%d channel %d is %d, want %g", deviation, point, i/3%w, i/3/w, i%3, got, want)
				}
			}
		}
	}
	for _, deviation := range []float64{0, .8, 40, math.Inf(1)} {
		for _, s := range [][2]int{{1, 1}, {5, 1}, {1, 4}, {30, 20}} {
			if q := filtered(t, uniform(s[0], s[1], 77), augment.Filter{Kind: augment.Blur, Value: deviation}); bytes.Count(q.Pix, []byte{77}) != len(q.Pix) {
				t.Errorf("deviation %g, %v: a plain picture changed", deviation, s)
			}
		}
	}
	weights := gaussian(1, 3)
	if r := float64(weights[3] / weights[4]); math.Abs(r-math.Exp(.5)) > 1e-6 {
		t.Errorf("the weights of 0 and of one deviation have the ratio %g", r)
	}
}

// A JPEG loses more by a lower quality, and is what a file of that quality decodes to.
func TestCompression(t *testing.T) {
	p := gradient(64, 48)
	loss := func(quality float64) float64 {
		return mean(filtered(t, p, augment.Filter{Kind: augment.JPEG, Value: quality}), p)
	}
	if a, b, c := loss(100), loss(50), loss(3); !(a < b && b < c && a < 2 && c > 3) {
		t.Errorf("qualities 100, 50 and 3 change values by %g, %g and %g", a, b, c)
	}
	var file bytes.Buffer
	if err := p.EncodeJPEG(&file, 30); err != nil {
		t.Fatal(err)
	}
	want, err := DecodeBytes("a file", file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if got := filtered(t, p, augment.Filter{Kind: augment.JPEG, Value: 30}); !bytes.Equal(got.Pix, want.Pix) {
		t.Error("it is not what a file of this quality decodes to")
	}
}

// mean is the mean distance of two images' values.
func mean(p, q *Picture) (d float64) {
	for i := range p.Pix {
		d += math.Abs(float64(p.Pix[i])-float64(q.Pix[i])) / float64(len(p.Pix))
	}
	return d
}

// Filters work one after the other.
func TestFilterOrder(t *testing.T) {
	p := gradient(40, 30)
	blur, noise := augment.Filter{Kind: augment.Blur, Value: 2}, augment.Filter{Kind: augment.Noise, Value: 10, Seed: 4}
	a, b := filtered(t, p, blur, noise), filtered(t, filtered(t, p, blur), noise)
	if !bytes.Equal(a.Pix, b.Pix) {
		t.Error("two filters are not one after the other")
	}
	if c := filtered(t, p, noise, blur); bytes.Equal(a.Pix, c.Pix) {
		t.Error("the order makes no difference")
	}
	if q, err := Filter(p, nil); err != nil || q != p {
		t.Errorf("no filters: %v %v", q, err)
	}
}

func TestFilterErrors(t *testing.T) {
	for _, k := range []struct {
		f    augment.Filter
		want string
	}{
		{augment.Filter{Kind: augment.Noise, Value: -1}, "deviation -1: give 0 to 255"},
		{augment.Filter{Kind: augment.Noise, Value: math.NaN()}, "deviation NaN"},
		{augment.Filter{Kind: augment.Blur, Value: -.5}, "deviation -0.5 px"},
		{augment.Filter{Kind: augment.JPEG, Value: 0}, "quality 0: give 1 to 100"},
		{augment.Filter{Kind: augment.JPEG, Value: 101}, "quality 101"},
		{augment.Filter{}, "no filter has the kind 0"},
	} {
		if _, err := Filter(gradient(9, 9), []augment.Filter{k.f}); err == nil || !strings.Contains(err.Error(), k.want) {
			t.Errorf("%+v: %v, want %q", k.f, err, k.want)
		}
	}
}

func BenchmarkFilter(b *testing.B) {
	for _, k := range []struct {
		name string
		f    augment.Filter
	}{{"noise", augment.Filter{Kind: augment.Noise, Value: 10}}, {"blur", augment.Filter{Kind: augment.Blur, Value: 2}}, {"JPEG", augment.Filter{Kind: augment.JPEG, Value: 50}}} {
		b.Run(k.name, func(b *testing.B) {
			for b.Loop() {
				q, err := Filter(gradient(640, 480), []augment.Filter{k.f})
				if err != nil {
					b.Fatal(err)
				}
				q.Release()
			}
		})
	}
}
