package enginetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"retinago/engine"
)

// groups describes a normalisation for the reference: the elements of x that share statistics.
type groups struct {
	n, hw, c, g int // g groups per image; 0 is batch norm
}

func (s groups) of(i int) int {
	ch := i % s.c
	if s.g == 0 {
		return ch
	}
	return i/s.c/s.hw*s.g + ch/(s.c/s.g)
}

// reference normalises in float64 and returns y, mean, variance, and the gradients by x, gamma and beta.
func (s groups) reference(x, gamma, beta, dy []float32, eps float64, relu bool) (y, mean, variance, dx, dgamma, dbeta []float64) {
	count := s.n * s.g
	if s.g == 0 {
		count = s.c
	}
	mean, variance, num := make([]float64, count), make([]float64, count), make([]float64, count)
	for i, v := range x {
		mean[s.of(i)] += float64(v)
		num[s.of(i)]++
	}
	for k := range mean {
		mean[k] /= num[k]
	}
	for i, v := range x {
		d := float64(v) - mean[s.of(i)]
		variance[s.of(i)] += d * d / num[s.of(i)]
	}
	y, dx = make([]float64, len(x)), make([]float64, len(x))
	dgamma, dbeta = make([]float64, s.c), make([]float64, s.c)
	a, b := make([]float64, count), make([]float64, count) // mean of dxhat, mean of dxhat*xhat
	hat := func(i int) float64 { return (float64(x[i]) - mean[s.of(i)]) / math.Sqrt(variance[s.of(i)]+eps) }
	g := make([]float64, len(x))
	for i := range x {
		ch := i % s.c
		y[i] = hat(i)*float64(gamma[ch]) + float64(beta[ch])
		g[i] = float64(dy[i])
		if relu && y[i] <= 0 {
			y[i], g[i] = 0, 0
		}
		dgamma[ch] += g[i] * hat(i)
		dbeta[ch] += g[i]
		a[s.of(i)] += g[i] * float64(gamma[ch]) / num[s.of(i)]
		b[s.of(i)] += g[i] * float64(gamma[ch]) * hat(i) / num[s.of(i)]
	}
	for i := range x {
		k := s.of(i)
		dx[i] = (g[i]*float64(gamma[i%s.c]) - a[k] - hat(i)*b[k]) / math.Sqrt(variance[k]+eps)
	}
	return y, mean, variance, dx, dgamma, dbeta
}

func norms(t *testing.T, open Open) {
	e := open(t)
	const eps = 1e-5
	for _, s := range []groups{{2, 35, 6, 0}, {3, 1, 5, 0}, {1, 600, 64, 0}, {2, 35, 64, 32}, {2, 9, 6, 3}, {1, 1, 32, 1}, {2, 500, 128, 32}} {
		for _, relu := range []bool{false, true} {
			r := rand.New(rand.NewPCG(3, uint64(s.c)))
			x, dy := Normal(r, s.n*s.hw*s.c), Normal(r, s.n*s.hw*s.c)
			for i := range x {
				x[i] = 3*x[i] + 20 // a mean far from 0: what a one-pass variance loses
			}
			gamma, beta := Normal(r, s.c), Normal(r, s.c)
			y, mean, variance, dx, dgamma, dbeta := s.reference(x, gamma, beta, dy, eps, relu)
			p := engine.NormParams{Eps: eps, Momentum: .1, Groups: s.g, Activation: map[bool]engine.Activation{true: engine.ReLU}[relu]}
			shape := []int{s.n, 1, s.hw, s.c}
			yd, dxd, dp := Put(t, e, nil, shape...), Put(t, e, nil, shape...), Put(t, e, nil, 2, s.c)
			xd, dyd, gd, bd := Put(t, e, x, shape...), Put(t, e, dy, shape...), Put(t, e, gamma, s.c), Put(t, e, beta, s.c)
			name := fmt.Sprint(s, relu)
			if s.g > 0 {
				stats := Put(t, e, nil, 2, s.n, s.g)
				Must(t, e.GroupNorm(yd, stats, xd, gd, bd, p))
				AlmostEqual(t, name+" mean", Get(t, e, stats)[:len(mean)], mean, 1e-5)
				Must(t, e.GroupNormParamGrad(dp, dyd, yd, xd, stats, p))
				Must(t, e.GroupNormGrad(dxd, dyd, yd, xd, gd, stats, p))
			} else {
				stats, rm, rv := Put(t, e, nil, 2, s.c), Put(t, e, Filled(s.c, 1), s.c), Put(t, e, Filled(s.c, 2), s.c)
				Must(t, e.BatchNorm(yd, stats, rm, rv, xd, gd, bd, p))
				Must(t, e.BatchNormParamGrad(dp, dyd, yd, xd, stats, p))
				Must(t, e.BatchNormGrad(dxd, dyd, yd, xd, gd, stats, dp, p))
				wantMean, wantVar := make([]float64, s.c), make([]float64, s.c)
				n := float64(s.n * s.hw)
				for c := range s.c {
					wantMean[c] = .9 + .1*mean[c]
					wantVar[c] = 1.8 + .1*variance[c]*n/max(n-1, 1)
				}
				AlmostEqual(t, name+" running mean", Get(t, e, rm), wantMean, 1e-5)
				AlmostEqual(t, name+" running variance", Get(t, e, rv), wantVar, 1e-4)
			}
			AlmostEqual(t, name+" y", Get(t, e, yd), y, 1e-4)
			AlmostEqual(t, name+" dgamma", Get(t, e, dp)[:s.c], dgamma, 1e-4)
			AlmostEqual(t, name+" dbeta", Get(t, e, dp)[s.c:], dbeta, 1e-4)
			AlmostEqual(t, name+" dx", Get(t, e, dxd), dx, 2e-4)
		}
	}
}
