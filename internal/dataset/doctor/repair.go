package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"retinago/coco"
)

// Faulty are findings of pictures, by the name of their image.
type Faulty map[string]coco.Problem

// unreadable are the faults of a picture that is not there to be decoded.
var unreadable = []coco.Kind{coco.NoFileName, MissingPicture, BrokenPicture}

// add keeps a finding of a picture; of the others it does nothing.
func (f Faulty) add(p coco.Problem) {
	if slices.Contains(unreadable, p.Kind) || slices.Contains([]coco.Kind{SidesSwapped, OtherShape, OtherSize}, p.Kind) {
		f[p.Item] = p
	}
}

// Repair returns a repaired copy of a dataset, and what was changed: the images without a readable picture are dropped, and the rest is
// repaired by coco.Dataset.Fix. Pictures of another size than their image are kept, or dropped where mode is coco.Drop. Where no image
// would be left, or no box of those that there are, that is an error.
func (f Faulty) Repair(d *coco.Dataset, mode coco.Mode) (*coco.Dataset, *coco.Report, error) {
	kept, dropped, left := *d, []coco.Change(nil), []coco.Problem(nil)
	kept.Images, kept.Annotations = nil, nil
	gone := map[int64]bool{}
	for i := range d.Images {
		im := &d.Images[i]
		p, faulty := f[item(im)]
		switch {
		case !faulty || p.Kind == coco.NoFileName: // which coco's report has
		case p.Kind == MissingPicture, p.Kind == BrokenPicture, mode == coco.Drop && p.Severity == coco.Error:
			gone[im.ID] = true
			dropped = append(dropped, coco.Change{Kind: p.Kind, Item: p.Item, Action: "dropped with its boxes: " + p.Seen})
			continue
		default:
			left = append(left, p)
		}
		kept.Images = append(kept.Images, *im)
	}
	for i := range d.Annotations {
		if !gone[d.Annotations[i].ImageID] {
			kept.Annotations = append(kept.Annotations, d.Annotations[i])
		}
	}
	if len(kept.Images) == 0 && len(d.Images) > 0 {
		first := f[item(&d.Images[0])]
		return nil, nil, fmt.Errorf("%s: nothing would be left: none of its %d images has a picture that can be kept; the first: %s: correct the folder of pictures, "+
			"or what the findings say; no copy was written", d.Path, len(d.Images), first.Text())
	}
	fixed, report := kept.Fix(mode)
	if len(fixed.Annotations) == 0 && len(d.Annotations) > 0 {
		return nil, nil, fmt.Errorf("%s: nothing would be left of its %d boxes: correct what the findings say; no copy was written", d.Path, len(d.Annotations))
	}
	if len(fixed.Images) == 0 {
		return nil, nil, errors.New(d.Path + ": it has no images: there is nothing to repair; no copy was written")
	}
	report.ImagesBefore, report.AnnotationsBefore = len(d.Images), len(d.Annotations)
	report.Changes = append(dropped, report.Changes...)
	for _, c := range dropped {
		report.Changed[c.Kind]++
	}
	report.Left = append(left, report.Left...)
	for p, err := range Examine(context.Background(), fixed, Options{Run: true}) {
		if err == nil && p.Severity == coco.Error && !slices.ContainsFunc(report.Left, func(q coco.Problem) bool { return q.Kind == p.Kind }) {
			report.Left = append(report.Left, p)
		}
	}
	return fixed, report, nil
}
