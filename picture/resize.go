package picture

// tap is the two source pixels of one target pixel and the weight of the second.
type tap struct {
	a, b int
	t    float32
}

// taps are the sources of n target pixels among m: bilinear, pixel centres at .5, no antialiasing
// (torch.nn.functional.interpolate with align_corners=False).
func taps(n, m int) []tap {
	out := make([]tap, n)
	scale := float64(m) / float64(n)
	for i := range out {
		x := max((float64(i)+.5)*scale-.5, 0)
		a := min(int(x), m-1)
		out[i] = tap{a, min(a+1, m-1), float32(x - float64(a))}
	}
	return out
}

// ResizeNormalize scales src to w x h and writes (value/255 - mean)/std to dst, row by row at the given stride in
// floats, R, G, B interleaved. flip mirrors the result from left to right.
func ResizeNormalize(dst []float32, stride int, src *Picture, w, h int, mean, std [3]float32, flip bool) {
	var scale, shift [3]float32
	for c := range scale {
		scale[c] = 1 / (255 * std[c])
		shift[c] = -mean[c] / std[c]
	}
	xs, ys := taps(w, src.W), taps(h, src.H)
	// Each source row is scaled sideways once, when the first target row wants it.
	var rows [2][]float32
	have := [2]int{-1, -1}
	rows[0], rows[1] = make([]float32, 3*w), make([]float32, 3*w)
	row := func(y int) []float32 {
		k := y & 1
		if have[k] != y {
			have[k] = y
			across(rows[k], src.Pix[3*src.W*y:3*src.W*(y+1)], xs, flip)
		}
		return rows[k]
	}
	for y, v := range ys {
		a, b := row(v.a), row(v.b)
		out := dst[y*stride : y*stride+3*w]
		for x := 0; x < 3*w; x += 3 {
			out[x] = (a[x]+v.t*(b[x]-a[x]))*scale[0] + shift[0]
			out[x+1] = (a[x+1]+v.t*(b[x+1]-a[x+1]))*scale[1] + shift[1]
			out[x+2] = (a[x+2]+v.t*(b[x+2]-a[x+2]))*scale[2] + shift[2]
		}
	}
}

// Scaled returns the picture at w x h pixels, bilinear without antialiasing.
func (p *Picture) Scaled(w, h int) *Picture {
	v := make([]float32, 3*w*h)
	ResizeNormalize(v, 3*w, p, w, h, [3]float32{}, [3]float32{1, 1, 1}, false)
	out := New(w, h)
	for i, x := range v {
		out.Pix[i] = uint8(x*255 + .5)
	}
	return out
}

// across scales one row sideways.
func across(dst []float32, src []uint8, xs []tap, flip bool) {
	for x, v := range xs {
		o := 3 * x
		if flip {
			o = len(dst) - 3 - o
		}
		for c := range 3 {
			p, q := float32(src[3*v.a+c]), float32(src[3*v.b+c])
			dst[o+c] = p + v.t*(q-p)
		}
	}
}
