package infer

import (
	"context"
	"errors"
	"time"

	"retinago/coco"
	"retinago/config"
	"retinago/detector"
	"retinago/engine"
	"retinago/internal/dataset/data"
)

// Progress is called after every batch with the number of images that are done.
type Progress func(done, total int)

// Evaluation is the result of a model on a dataset.
type Evaluation struct {
	Detections []coco.Detection
	Broken     map[string]error // images that could not be read: their objects count as missed
	Network    time.Duration    // with boxes and NMS, where the engine does them
	Wait       time.Duration    // for images; 0 of Predictor.Evaluate, which reads them while the network runs
	Decode     time.Duration    // boxes and NMS, on the host, and the merging of views
}

// EvalBatch is the largest number of images that go through the network together.
const EvalBatch = 4

// Evaluate runs a model on every image of a dataset. Detections have the ids of the dataset's categories, which MatchClasses matches with
// the classes of the model, those of c; classes that the dataset does not have are not looked for. Images are read and prepared while
// the network computes.
func Evaluate(ctx context.Context, m *detector.Model, c config.Config, d *Dataset, report Progress) (*Evaluation, error) {
	bytes := m.Engine().Supports(engine.Preparation{})
	classes, err := MatchClasses(c.Model.Classes, d.Categories())
	if err != nil {
		return nil, err
	}
	l := data.NewEvalLoader(d, c.Data, min(EvalBatch, d.Len()), bytes)
	defer l.Close()
	decoding := classes.wanted(Decoding(c.Infer))
	e := &Evaluation{}
	done := 0
	var canvas data.Size
	for {
		b, wait, err := l.Next(ctx)
		if errors.Is(err, data.ErrEnd) {
			e.Broken = l.Broken()
			return e, nil
		}
		if err != nil {
			return nil, err
		}
		e.Wait += wait
		if now := (data.Size{W: b.W, H: b.H}); now != canvas { // the last does not come again
			if err := m.ForgetNets(); err != nil {
				return nil, err
			}
			canvas = now
		}
		if err := e.add(m, b, d, classes.ids, decoding); err != nil {
			return nil, err
		}
		done += b.N
		b.Release()
		if report != nil {
			report(done, d.Len())
		}
	}
}

// add runs a batch and appends its detections, in pixels of the images.
func (e *Evaluation) add(m *detector.Model, b *data.Batch, d *data.Dataset, ids []int64, decoding detector.Decoding) error {
	begin := time.Now()
	net, err := m.Net(b.N, b.H, b.W)
	if err != nil {
		return err
	}
	if b.Canvases != nil {
		if err := net.Prepare(b.Canvases); err != nil {
			return err
		}
	}
	want := make([]detector.Wanted, b.N)
	for i := range want {
		s := b.Sizes[i] // 0 of a broken image
		want[i] = detector.Wanted{W: float32(s.W), H: float32(s.H), Decoding: decoding}
	}
	found, err := m.Find(net, b.Images, want)
	if err != nil {
		return err
	}
	took := time.Since(begin)
	for i, all := range found {
		decode := all.Times[0] + all.Times[1]
		e.Decode += decode
		took -= decode
		s, im := b.Sizes[i], d.Image(b.Index[i])
		sx, sy := float64(im.Width)/float64(s.W), float64(im.Height)/float64(s.H)
		for _, f := range all.Detections {
			e.Detections = append(e.Detections, coco.Detection{
				ImageID: im.ID, CategoryID: ids[f.Class], Score: float64(f.Score),
				BBox: [4]float64{float64(f.Box.X1) * sx, float64(f.Box.Y1) * sy, float64(f.Box.W()) * sx, float64(f.Box.H()) * sy},
			})
		}
	}
	e.Network += took
	return nil
}
