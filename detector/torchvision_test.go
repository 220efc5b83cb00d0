package detector

import (
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"retinago/box"
	"retinago/config"
	"retinago/engine"
	"retinago/internal/model/weights"
	"retinago/loss"
	"retinago/nn"
)

// Every stage of the inference network is torchvision's to 1e-4 of its largest magnitude, anchors to the bit.
func TestTorchvisionStages(t *testing.T) {
	for _, f := range fixtures(t) {
		t.Run(f.name(), func(t *testing.T) {
			m := f.model(t, "batch")
			batch, shape := f.npy(t, "batch")
			n, h, w := shape[0], shape[2], shape[3]
			if err := m.refresh(); err != nil {
				t.Fatal(err)
			}
			images, err := m.engine.New(tensor.Float32, n, h, w, 3)
			if err != nil {
				t.Fatal(err)
			}
			if err := m.engine.Upload(images, narrow(nhwc(batch, shape))); err != nil {
				t.Fatal(err)
			}
			b := m.builder(nn.Inference)
			c := m.backbone.Build(b, b.Input("images", images))
			p := m.pyramid.Build(b, c, m.backbone.Channels())
			if b.Err() != nil {
				t.Fatal(b.Err())
			}
			machine, err := nn.NewMachine(m.arena, append(G.Nodes(c[1:]), p...))
			if err != nil {
				t.Fatal(err)
			}
			defer machine.Close()
			if err := machine.Run(); err != nil {
				t.Fatal(err)
			}
			for i, node := range append(G.Nodes(c[1:]), p...) {
				name := []string{"C3", "C4", "C5", "P3", "P4", "P5", "P6", "P7"}[i]
				got := make([]float32, node.Shape().TotalSize())
				if err := m.engine.Download(got, node.Value().(*tensor.Dense)); err != nil {
					t.Fatal(err)
				}
				want, s := f.npy(t, name)
				d := worst(got, nhwc(want, s))
				t.Logf("%s: %.2g", name, d)
				if !(d < 1e-4) {
					t.Errorf("%s differs by %.2g of its largest magnitude", name, d)
				}
			}
			f.heads(t, m, narrow(nhwc(batch, shape)), n, h, w)
		})
	}
}

func (f fixture) heads(t *testing.T, m *Model, images []float32, n, h, w int) {
	t.Helper()
	anchors, _ := m.Anchors(h, w)
	want, _ := f.npy(t, "anchors")
	for i, a := range anchors {
		if got := [4]float32{a.X1, a.Y1, a.X2, a.Y2}; got != [4]float32(narrow(want[4*i:4*i+4])) {
			t.Fatalf("anchor %d is %v, want %v", i, got, want[4*i:4*i+4])
		}
	}
	net, err := m.Net(n, h, w)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := net.Run(images)
	if err != nil {
		t.Fatal(err)
	}
	for name, levels := range map[string][][]float32{"cls_logits": raw.Logits, "bbox_regression": raw.Deltas} {
		want, shape := f.npy(t, name) // [N, anchors of all levels, values]
		var got []float32
		for i := range n {
			for _, l := range levels {
				got = append(got, l[i*len(l)/n:(i+1)*len(l)/n]...)
			}
		}
		d := worst(got, want)
		t.Logf("%s: %.2g", name, d)
		if !(d < 1e-4) || len(got) != tensor.Shape(shape).TotalSize() {
			t.Errorf("%s differs by %.2g of its largest magnitude", name, d)
		}
	}
	for i, s := range f.Meta.Sizes {
		f.detections(t, m, raw, i, h, w, s)
	}
}

// detections compares what is found after NMS, in the pixels of the resized image.
func (f fixture) detections(t *testing.T, m *Model, raw *Raw, i, h, w int, s [2]int) {
	t.Helper()
	_, shape := f.npy(t, fmt.Sprintf("image%d", i)) // 3,H,W
	sx, sy := float64(s[1])/float64(shape[2]), float64(s[0])/float64(shape[1])
	boxes, _ := f.npy(t, fmt.Sprintf("det%d_boxes", i))
	scores, _ := f.npy(t, fmt.Sprintf("det%d_scores", i))
	labels, _ := f.npy(t, fmt.Sprintf("det%d_labels", i))
	found := m.Decode(raw, i, h, w, float32(s[1]), float32(s[0]), Decoding{Score: .05, TopK: 1000, NMS: .5, MaxDets: 300})
	if len(found) != len(scores) {
		t.Errorf("picture %d: %d detections, want %d", i, len(found), len(scores))
		return
	}
	for k, d := range found {
		// Scores that differ in their last bits may change places.
		at := slices.IndexFunc(scores, func(v float64) bool { return math.Abs(v-float64(d.Score)) < 1e-5 })
		matched := false
		for ; at >= 0 && at < len(scores) && math.Abs(scores[at]-float64(d.Score)) < 1e-5; at++ {
			want := box.Box{X1: float32(boxes[4*at] * sx), Y1: float32(boxes[4*at+1] * sy), X2: float32(boxes[4*at+2] * sx), Y2: float32(boxes[4*at+3] * sy)}
			diff := max(math.Abs(float64(want.X1-d.Box.X1)), math.Abs(float64(want.Y1-d.Box.Y1)), math.Abs(float64(want.X2-d.Box.X2)), math.Abs(float64(want.Y2-d.Box.Y2)))
			matched = matched || int(labels[at]) == int(d.Class) && diff < .01
		}
		if !matched {
			t.Errorf("picture %d, detection %d: %v has no counterpart", i, k, d)
		}
	}
}

// Losses and the gradient of every parameter, with the batch's statistics in the norms and with the running ones.
//
// A gradient in float32 is as good as its ReLUs and its pool: a unit whose input is a rounding error from 0 passes
// everything or nothing, a window whose largest values are as near sends it elsewhere, and of millions some ten do. So
// gradients are compared, to 1e-3, with float64 in which the same units are active and the same pixels chosen: this test
// writes which they are, `reference.py units` computes the gradients, and the test runs again.
func TestTorchvisionGradients(t *testing.T) {
	for _, f := range fixtures(t) {
		for _, k := range []struct {
			norm, tag string
			losses    map[string]float64
		}{{"frozen", "evalbn", f.Meta.Losses}, {"batch", "bntrain", f.Meta.Train}} {
			t.Run(f.name()+"/"+k.norm, func(t *testing.T) { f.gradients(t, f.model(t, k.norm), k.tag, k.losses) })
		}
	}
}

func (f fixture) gradients(t *testing.T, m *Model, tag string, losses map[string]float64) {
	t.Helper()
	batch, dims := f.npy(t, "batch")
	objects := make([]Objects, dims[0])
	for i := range objects {
		boxes, _ := f.npy(t, fmt.Sprintf("gt%d_boxes_resized", i))
		labels, _ := f.npy(t, fmt.Sprintf("gt%d_labels", i))
		objects[i] = annotated(narrow(boxes), labels)
	}
	step, rectified := f.step(t, m, shape{dims[0], dims[2], dims[3]})
	grads := f.backward(t, m, step, narrow(nhwc(batch, dims)), objects, []float64{losses["classification"], losses["bbox_regression"]})
	f.writeUnits(t, m, tag, rectified, step.shape)

	double, same := f.tensors(t, "grads_"+tag+"_f64"), f.tensors(t, "grads_"+tag+"_units")
	t.Logf("of float64 with its own units active, PyTorch's float32 is up to %.2g away, this up to %.2g",
		furthest(f.tensors(t, "grads_"+tag), double), furthest(grads, double))
	if same == nil {
		t.Fatalf("%s has no gradients with the same units active: run `reference.py units %s`, then this test again", f.dir, f.dir)
	}
	compare(t, grads, same, 1e-3)
}

// Where no unit happens to be so near 0 that it is active in one precision only, which is so for some of a few small
// images, gradients are float64's as they are, to the same 1e-3.
func TestTorchvisionSmall(t *testing.T) {
	for _, f := range fixtures(t) {
		t.Run(f.name(), func(t *testing.T) {
			m, equal := f.model(t, "frozen"), 0
			const pictures, h, w = 4, 64, 96
			step, _ := f.step(t, m, shape{1, h, w})
			for i := range pictures {
				want := f.tensors(t, fmt.Sprintf("small%d_f64", i))
				if want == nil {
					t.Fatalf("%s has no small pictures: make it anew", f.dir)
				}
				labels := make([]float64, len(want["labels"]))
				for k, l := range want["labels"] {
					labels[k] = float64(l)
				}
				image := make([]float64, len(want["batch"]))
				for k, v := range want["batch"] {
					image[k] = float64(v)
				}
				losses := []float64{float64(want["losses"][0]), float64(want["losses"][1])}
				grads := f.backward(t, m, step, narrow(nhwc(image, []int{1, 3, h, w})), []Objects{annotated(want["boxes"], labels)}, losses)
				d := furthest(grads, want)
				t.Logf("picture %d: the gradients differ by up to %.2g", i, d)
				if d < 1e-3 {
					equal++
				}
			}
			if equal == 0 {
				t.Errorf("of %d pictures none has all gradients within 1e-3", pictures)
			}
		})
	}
}

// annotated are the objects of one image; boxes has four numbers each.
func annotated(boxes []float32, labels []float64) Objects {
	var o Objects
	for k, l := range labels {
		b := boxes[4*k:]
		o.Boxes = append(o.Boxes, box.Box{X1: b[0], Y1: b[1], X2: b[2], Y2: b[3]})
		o.Classes = append(o.Classes, int32(l))
		o.Crowd = append(o.Crowd, false)
	}
	return o
}

// backward runs a training step on images, compares its class and box loss with losses, and returns the gradients by the
// parameters' names.
func (f fixture) backward(t *testing.T, m *Model, step *TrainStep, images []float32, objects []Objects, losses []float64) map[string][]float32 {
	t.Helper()
	k := step.shape
	targets := m.Assign(config.Default().Match.Assigner(9), k.h, k.w, objects)
	norm := make([]float32, k.n)
	for i := range norm {
		norm[i] = 1 / float32(k.n*max(targets.Positives[i], 1))
	}
	got, err := step.Run(&Batch{N: k.n, H: k.h, W: k.w, Images: images, Targets: targets, ClassNorm: norm, BoxNorm: norm})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range []float64{got.Class, got.Box} {
		d := math.Abs(v-losses[i]) / losses[i]
		t.Logf("%s loss: %.2g", [2]string{"class", "box"}[i], d)
		if !(d < 1e-5) {
			t.Errorf("%s loss is %.8g, want %.8g", [2]string{"class", "box"}[i], v, losses[i])
		}
	}
	grads := map[string][]float32{}
	err = step.Gradients(func(p *nn.Param, g *tensor.Dense) error {
		grads[p.Name] = make([]float32, p.Size())
		return m.engine.Download(grads[p.Name], g)
	})
	if err != nil {
		t.Fatal(err)
	}
	return grads
}

// furthest is the largest distance of a gradient from the wanted one, as a share of the latter's norm.
func furthest(got, want map[string][]float32) float64 {
	most := 0.0
	for name, v := range got {
		if len(want[name]) != len(v) {
			return math.Inf(1)
		}
		most = max(most, apart(v, want[name]))
	}
	return most
}

// compare checks every gradient by the norm of its difference.
func compare(t *testing.T, got, want map[string][]float32, tol float64) {
	t.Helper()
	most := 0.0
	for name, v := range got {
		d := math.Inf(1)
		if len(want[name]) == len(v) {
			d = apart(v, want[name])
		}
		most = max(most, d)
		if !(d < tol) {
			t.Errorf("%s: the gradient differs by %.2g, %.2g are allowed", name, d, tol)
		}
	}
	t.Logf("%d gradients, the worst differs by %.2g", len(got), most)
}

// step is the fixture's training step, with what comes out of every ReLU, by `WEIGHT HxW` of the convolution before.
func (f fixture) step(t *testing.T, m *Model, k shape) (*TrainStep, map[string]*G.Node) {
	t.Helper()
	losses := LossFunc{Class: loss.Focal{Alpha: .25, Gamma: 2}, Box: loss.L1{}}
	if f.Meta.V2 {
		losses.Box = loss.GIoU{}
	}
	if err := m.refresh(); err != nil {
		t.Fatal(err)
	}
	s, outputs, err := m.trainGraph(k, TrainSpec{LossFunc: losses})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := nn.NewPlan(m.Engine(), outputs)
	if err != nil {
		t.Fatal(err)
	}
	conv, rectified := map[int]string{}, map[string]*G.Node{} // conv: whose values a result has
	g := plan.Graph()
	nodes := map[int]*G.Node{}
	for _, n := range outputs[0].Graph().AllNodes() {
		nodes[g.Numbers(n)[0]] = n
	}
	for i, v := range g.Values {
		switch v.Layer.Op {
		case "Conv":
			conv[i] = g.Values[v.In[1]].Name
		case "BatchNorm", "GroupNorm", "Add", "Activate":
			conv[i] = conv[v.In[0]]
		default:
			continue
		}
		if v.Layer.Activation == engine.ReLU {
			rectified[fmt.Sprintf("%s %dx%d", conv[i], v.Shape[1], v.Shape[2])] = nodes[i]
		}
	}
	if s.machine, err = nn.NewMachine(m.arena, slices.AppendSeq(outputs, maps.Values(rectified))); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, rectified
}

// writeUnits writes which units were active, 1 or 0 in N,H,W,C, and which pixel of its window the pool took, for
// reference.py.
func (f fixture) writeUnits(t *testing.T, m *Model, tag string, rectified map[string]*G.Node, k shape) {
	t.Helper()
	var out []weights.Tensor
	stem := fmt.Sprintf("backbone.body.conv1.weight %dx%d", k.h/2, k.w/2)
	for name, n := range rectified {
		v := weights.Tensor{Name: name, Shape: n.Shape(), Data: make([]float32, n.Shape().TotalSize())}
		if err := m.engine.Download(v.Data, n.Value().(*tensor.Dense)); err != nil {
			t.Fatal(err)
		}
		if name == stem {
			out = append(out, pooled(v))
		}
		for i, x := range v.Data {
			v.Data[i] = 0
			if x > 0 {
				v.Data[i] = 1
			}
		}
		out = append(out, v)
	}
	if err := weights.Write(filepath.Join(f.dir, "units_"+tag+".safetensors"), nil, out); err != nil {
		t.Fatal(err)
	}
}

// pooled is the place in its window, rows first, of the first maximum that the stem's pool finds.
func pooled(x weights.Tensor) weights.Tensor {
	n, h, w, c := x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3]
	out := weights.Tensor{Name: "pool", Shape: []int{n, (h + 1) / 2, (w + 1) / 2, c}}
	for i := range tensor.Shape(out.Shape).TotalSize() {
		k, ox, oy, img := i%c, i/c%out.Shape[2], i/c/out.Shape[2]%out.Shape[1], i/c/out.Shape[2]/out.Shape[1]
		best, at := float32(math.Inf(-1)), 0
		for p := range 9 {
			y, xx := 2*oy+p/3-1, 2*ox+p%3-1
			if y >= 0 && y < h && xx >= 0 && xx < w && x.Data[((img*h+y)*w+xx)*c+k] > best {
				best, at = x.Data[((img*h+y)*w+xx)*c+k], p
			}
		}
		out.Data = append(out.Data, float32(at))
	}
	return out
}
