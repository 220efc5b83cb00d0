package nn

import (
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/engine"
)

// UpsampleAdd adds y = lateral + nearest-neighbour upsampling of top to lateral's size: top [N,h,w,C],
// lateral and y [N,H,W,C] (Lin et al. 2017, "Feature Pyramid Networks", figure 3).
func UpsampleAdd(top, lateral *G.Node) (*G.Node, error) { return Apply(upsampleAdd{}, top, lateral) }

type upsampleAdd struct{}

func (upsampleAdd) Name() string     { return "UpsampleAdd" }
func (upsampleAdd) WRT(n int) []bool { return all(n) }

func (upsampleAdd) Shape(in []tensor.Shape) (tensor.Shape, error) {
	if err := want(in, 4, 4); err != nil {
		return nil, err
	}
	if in[0][3] != in[1][3] || in[0][0] != in[1][0] {
		return nil, errChannels
	}
	return in[1].Clone(), nil
}

func (upsampleAdd) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	return e.UpsampleAdd(out, in[0], in[1])
}

// Export doubles the coarser map: a canvas that can be exported is such that the finer has twice its size.
func (upsampleAdd) Export(x Exporter, in []Operand) (string, error) {
	scales, nearest := x.Floats("scales", []float32{1, 1, 2, 2}, 4), Attr("mode", "nearest")
	var up string
	if x.Opset() < 11 {
		up = x.Op("Resize", []string{in[0].Name, scales}, nearest)
	} else {
		up = x.Op("Resize", []string{in[0].Name, "", scales}, nearest, Attr("coordinate_transformation_mode", "asymmetric"), Attr("nearest_mode", "floor"))
	}
	return x.Op("Add", []string{up, in[1].Name}), nil
}

func (upsampleAdd) Int8() Int8Form {
	return Int8Form{Suffix: "sum", After: 1, Bytes: func(ya engine.Affine, xa []engine.Affine) Int8Kernel {
		return func(e engine.Int8, y *tensor.Dense, x []*tensor.Dense) error {
			return e.UpsampleAddInt8(y, x[0], x[1], ya, xa[0], xa[1])
		}
	}}
}

func (upsampleAdd) Gradient(in G.Nodes, _, dout *G.Node) (G.Nodes, error) {
	dtop, err := Apply(&upsampleGrad{in[0].Shape()}, dout)
	return G.Nodes{dtop, dout}, err
}

// upsampleGrad sums dy over the pixels that read one pixel of top: dy [N,H,W,C] -> [N,h,w,C].
type upsampleGrad struct{ top tensor.Shape }

func (*upsampleGrad) Name() string                                 { return "UpsampleGrad" }
func (u *upsampleGrad) Shape([]tensor.Shape) (tensor.Shape, error) { return u.top.Clone(), nil }

func (u *upsampleGrad) Forward(e engine.Engine, out *tensor.Dense, in []*tensor.Dense) error {
	return e.UpsampleGrad(out, in[0])
}
