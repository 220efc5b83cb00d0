package track

import "retinago/box"

// Deviations of the noise, in heights of the box (Wojke et al. 2017, "Simple Online and Realtime Tracking with a Deep
// Association Metric", and ByteTrack's kalman_filter.py).
const (
	noisePlace = 1. / 20
	noiseSpeed = 1. / 160
)

// motion is a value with a constant speed per frame: a Kalman filter with the state (x, v), of which x is measured. Its
// covariance is symmetric.
type motion struct {
	x, v       float64
	xx, xv, vv float64 // covariance
}

// predict advances by a frame: x' = x + v, P' = F P F^T + Q with F = [1 1; 0 1], and the variances q of the noise of place
// and speed.
func (m *motion) predict(qx, qv float64) {
	m.x += m.v
	m.xx, m.xv, m.vv = m.xx+2*m.xv+m.vv+qx, m.xv+m.vv, m.vv+qv
}

// update takes a measurement z of x with the variance r: K = P H^T / (H P H^T + R), with H = [1 0].
func (m *motion) update(z, r float64) {
	s := m.xx + r
	kx, kv := m.xx/s, m.xv/s
	d := z - m.x
	m.x, m.v = m.x+kx*d, m.v+kv*d
	m.xx, m.xv, m.vv = (1-kx)*m.xx, (1-kx)*m.xv, m.vv-kv*m.xv
}

// filter is the state of a box: its centre, its ratio of width to height, and its height. ByteTrack's filter has eight states and
// one matrix for all; neither its motion nor its noise ever mixes the four, so that they are four filters of two.
type filter struct{ x, y, ratio, height motion }

// newFilter begins with a box at rest.
func newFilter(b box.Box) filter {
	x, y, a, h := measured(b)
	place, speed := square(2*noisePlace*h), square(10*noiseSpeed*h)
	return filter{
		x: motion{x: x, xx: place, vv: speed}, y: motion{x: y, xx: place, vv: speed},
		ratio: motion{x: a, xx: square(1e-2), vv: square(1e-5)}, height: motion{x: h, xx: place, vv: speed},
	}
}

// predict advances by a frame.
func (f *filter) predict() {
	place, speed := square(noisePlace*f.height.x), square(noiseSpeed*f.height.x)
	f.x.predict(place, speed)
	f.y.predict(place, speed)
	f.ratio.predict(square(1e-2), square(1e-5))
	f.height.predict(place, speed)
}

// update takes a detected box.
func (f *filter) update(b box.Box) {
	x, y, a, h := measured(b)
	r := square(noisePlace * f.height.x)
	f.x.update(x, r)
	f.y.update(y, r)
	f.ratio.update(a, square(1e-1))
	f.height.update(h, r)
}

// box returns the predicted box.
func (f *filter) box() box.Box {
	h := max(f.height.x, 0)
	w := max(f.ratio.x, 0) * h
	return box.FromXYWH(float32(f.x.x-w/2), float32(f.y.x-h/2), float32(w), float32(h))
}

// measured returns a box as its centre, ratio and height. A box without height counts as one of a thousandth of a pixel.
func measured(b box.Box) (x, y, ratio, h float64) {
	h = max(float64(b.H()), 1e-3)
	return float64(b.X1+b.X2) / 2, float64(b.Y1+b.Y2) / 2, max(float64(b.W()), 0) / h, h
}

func square(v float64) float64 { return v * v }
