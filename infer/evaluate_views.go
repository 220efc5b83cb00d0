package infer

import (
	"context"

	"retinago/coco"
	"retinago/internal/media/source"
)

// Evaluate detects objects in every image of a dataset as Stream does one by one: with the settings of Load, in all views of
// Options.Choice. Classes are matched, and images that cannot be read are treated, as by the function Evaluate. Boxes are in pixels of the
// dataset: they are scaled where an image has another size than its entry.
func (p *Predictor) Evaluate(ctx context.Context, d *Dataset, report Progress) (*Evaluation, error) {
	classes, err := MatchClasses(p.info.Config.Model.Classes, d.Categories())
	if err != nil {
		return nil, err
	}
	r := p.common
	r.decode = classes.wanted(r.decode)
	paths := make([]string, d.Len())
	for i := range paths {
		paths[i] = d.File(i)
	}
	e := &Evaluation{Broken: map[string]error{}}
	for result, err := range p.stream(ctx, r, source.Paths(paths), StreamOptions{}) {
		if err != nil {
			return nil, err
		}
		e.take(result, d.Image(result.Index), classes.ids)
		if report != nil {
			report(result.Index+1, d.Len())
		}
	}
	return e, nil
}

// take adds the result of an image. ids are the categories by class of the model.
func (e *Evaluation) take(r Result, im coco.Image, ids []int64) {
	if r.Broken != nil {
		e.Broken[r.Path] = r.Broken
		return
	}
	e.Network += r.Times.Network
	e.Decode += r.Times.Decode + r.Times.NMS
	sx, sy := float64(im.Width)/float64(r.Size.W), float64(im.Height)/float64(r.Size.H)
	for _, f := range r.Found {
		e.Detections = append(e.Detections, coco.Detection{
			ImageID: im.ID, CategoryID: ids[f.Class], Score: float64(f.Score),
			BBox: [4]float64{float64(f.Box.X1) * sx, float64(f.Box.Y1) * sy, float64(f.Box.W()) * sx, float64(f.Box.H()) * sy},
		})
	}
}
