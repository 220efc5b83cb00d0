package lab

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"retinago/anchors"
	"retinago/config"
	"retinago/detector"
	"retinago/internal/dataset/data"
	"retinago/internal/file"
	"retinago/loss"
)

// easy is the least p_t of an easy anchor, whose loss gamma 2 reduces to a hundredth (section 3.2).
const easy = .9

// histogramBins of p_t.
const histogramBins = 20

// View is the distribution of a model's loss and gradient over the anchors of images. The p_t of an object's anchor is the
// probability of its class; of background, 1 minus that of the likeliest class. Ignored anchors are left out.
type View struct {
	Pictures      int
	Positives     int
	Negatives     int
	EasyNegatives int // with a p_t of at least .9
	Gammas        []GammaView
	PT            [2][histogramBins]int // of negatives and of positives, by p_t
	Levels        []GroupView           // P3 and so on
	Sizes         [3]GroupView          // of objects: small, medium, large; positives only
}

// GammaView is the distribution of the focal loss with one gamma over a model's outputs. The model may have been trained with another loss.
type GammaView struct {
	Gamma, Alpha float64 // the paper's pair; Alpha does not change the curves, each of which has only positives or only negatives
	Negative     []Point // cumulative share of loss by share of anchors, smallest loss first
	Positive     []Point
	// Shares of the sum over all anchors of |dL/dx|.
	EasyGradient, NegativeGradient float64
	NegativeLoss                   float64 // share of the loss
}

// GroupView is the distribution over one group of anchors.
type GroupView struct {
	Positives, Negatives, EasyNegatives int
	PT                                  float64  // mean p_t of positives
	Gradient                            perGamma // share of all |dL/dx|
}

// viewGammas are the gammas of figure 4.
var viewGammas = perGamma{0, .5, 1, 2}

// perGamma has a number for each of viewGammas.
type perGamma [4]float64

// Inspect runs a model on the first images of a dataset, no more than most of them, and computes each anchor's loss with the labels of
// training.
func Inspect(ctx context.Context, m *detector.Model, c config.Config, d *data.Dataset, most int) (*View, error) {
	l := data.NewEvalLoader(d, c.Data, 1, false)
	defer l.Close()
	match := c.Match.Assigner(c.Model.Anchors.PerCell())
	v := newInspection(m.Levels())
	for v.view.Pictures < most {
		b, _, err := l.Next(ctx)
		if errors.Is(err, data.ErrEnd) {
			break
		}
		if err != nil {
			return nil, err
		}
		if b.Sizes[0].W > 0 { // not broken
			if err := v.picture(m, match, b, d); err != nil {
				return nil, err
			}
		}
		b.Release()
	}
	if v.view.Pictures == 0 {
		return nil, fmt.Errorf("lab: %s: no image could be read", d.Path())
	}
	return v.finish(), nil
}

// inspection collects the sums of a View.
type inspection struct {
	view   View
	losses [][2]*lossHistogram // by gamma, of negatives and of positives
	focal  []loss.Focal
	grad   []gradients // by gamma
	levels []perGamma  // sums of |dL/dx|
	sizes  [3]perGamma // of positives
}

// gradients are sums of |dL/dx|, and of the loss with alpha.
type gradients struct {
	all, negative, easy float64
	loss, negativeLoss  float64
}

func newInspection(levels int) *inspection {
	v := &inspection{view: View{Levels: make([]GroupView, levels)}, levels: make([]perGamma, levels)}
	for _, g := range viewGammas {
		v.losses = append(v.losses, [2]*lossHistogram{newLossHistogram(), newLossHistogram()})
		v.focal = append(v.focal, loss.Focal{Alpha: config.PairedAlpha(g), Gamma: g})
	}
	v.grad = make([]gradients, len(viewGammas))
	return v
}

func (v *inspection) picture(m *detector.Model, match anchors.Assigner, b *data.Batch, d *data.Dataset) error {
	net, err := m.Net(b.N, b.H, b.W)
	if err != nil {
		return err
	}
	raw, err := net.Run(b.Images)
	if err != nil {
		return err
	}
	grid, starts := m.Anchors(b.H, b.W)
	t := m.Assign(match, b.H, b.W, []detector.Objects{{Boxes: b.Boxes[0], Classes: b.Classes[0], Crowd: b.Crowd[0]}})
	im := d.Image(b.Index[0])
	scale := float64(b.Sizes[0].W) / float64(im.Width) * float64(b.Sizes[0].H) / float64(im.Height)
	coder := anchors.NewCoder()
	k := raw.Classes
	for l := range m.Levels() {
		for a := range starts[l+1] - starts[l] {
			i := starts[l] + a // with one image the levels follow each other
			area := 0.0
			if t.Labels[i] >= 0 {
				area = float64(coder.Decode(grid[i], [4]float32(t.Deltas[4*i:])).Area()) / scale
			}
			v.anchor(raw.Logits[l][a*k:(a+1)*k], t.Labels[i], l, area)
		}
	}
	v.view.Pictures++
	return nil
}

// anchor adds an anchor with its label and the area of its object, in px of the image.
func (v *inspection) anchor(x []float32, label int32, level int, area float64) {
	if label == loss.Ignored {
		return
	}
	positive := label >= 0
	pt := probability(x, label)
	side, group := 0, &v.view.Levels[level]
	if positive {
		side = 1
		v.view.Positives++
		group.Positives++
		group.PT += pt
	} else {
		v.view.Negatives++
		group.Negatives++
	}
	isEasy := !positive && pt >= easy
	if isEasy {
		v.view.EasyNegatives++
		group.EasyNegatives++
	}
	v.view.PT[side][min(int(pt*histogramBins), histogramBins-1)]++
	size := 0
	for _, bound := range []float64{32 * 32, 96 * 96} {
		if area >= bound {
			size++
		}
	}
	if positive {
		v.view.Sizes[size].Positives++
		v.view.Sizes[size].PT += pt
	}
	for i, f := range v.focal {
		sum, slope := 0.0, 0.0
		weighed := 0.0
		for c, z := range x {
			own := int32(c) == label
			xt := -float64(z)
			if own {
				xt = -xt
			}
			l, s := f.At(xt, own)
			weighed += l
			slope += math.Abs(s)
			sum += l / alphaOf(f.Alpha, own)
		}
		v.losses[i][side].add(sum)
		g := &v.grad[i]
		g.all += slope
		g.loss += weighed
		if !positive {
			g.negative += slope
			g.negativeLoss += weighed
		}
		if isEasy {
			g.easy += slope
		}
		v.levels[level][i] += slope
		if positive {
			v.sizes[size][i] += slope
		}
	}
}

func alphaOf(alpha float64, own bool) float64 {
	if own {
		return alpha
	}
	return 1 - alpha
}

// probability returns p_t of an anchor.
func probability(x []float32, label int32) float64 {
	xt := 0.0
	if label >= 0 {
		xt = float64(x[label])
	} else {
		most := x[0]
		for _, v := range x[1:] {
			most = max(most, v)
		}
		xt = -float64(most)
	}
	return 1 / (1 + math.Exp(-xt))
}

// finish turns sums into shares.
func (v *inspection) finish() *View {
	for i, f := range v.focal {
		g := v.grad[i]
		v.view.Gammas = append(v.view.Gammas, GammaView{Gamma: f.Gamma, Alpha: f.Alpha, Negative: v.losses[i][0].cumulative(), Positive: v.losses[i][1].cumulative(),
			EasyGradient: share(g.easy, g.all), NegativeGradient: share(g.negative, g.all), NegativeLoss: share(g.negativeLoss, g.loss)})
	}
	for l := range v.view.Levels {
		v.view.Levels[l].finish(v.levels[l], v.grad)
	}
	for s := range v.view.Sizes {
		v.view.Sizes[s].finish(v.sizes[s], v.grad)
	}
	return &v.view
}

func (g *GroupView) finish(gradient perGamma, all []gradients) {
	g.PT = share(g.PT, float64(g.Positives))
	for i := range all {
		g.Gradient[i] = share(gradient[i], all[i].all)
	}
}

// share returns a/b, or 0 if b is 0.
func share(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// Save writes the view as JSON.
func (v *View) Save(path string) error { return file.WriteJSON(path, " ", v) }

// String returns the view in a few lines.
func (v *View) String() string {
	var b strings.Builder
	per := func(n int) float64 { return float64(n) / float64(v.Pictures) }
	fmt.Fprintf(&b, "%d images; an image has %.1f anchors of objects and %.1f of background (1:%.0f), of which %.1f are easy (p_t >= %g)\n",
		v.Pictures, per(v.Positives), per(v.Negatives), share(float64(v.Negatives), float64(v.Positives)), per(v.EasyNegatives), easy)
	for _, g := range v.Gammas {
		fmt.Fprintf(&b, "gamma %-3g alpha %-4g  background has %.3f of the loss and %.3f of the gradient, easy background %.3f of the gradient\n",
			g.Gamma, g.Alpha, g.NegativeLoss, g.NegativeGradient, g.EasyGradient)
	}
	return b.String()
}
