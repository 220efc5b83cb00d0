package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"retinago/coco"
)

// Faulty has findings about images by the file name of the image. A finding about all images has the key whole.
type Faulty map[string]coco.Problem

// unreadable are the faults of an image that is not there to be decoded.
var unreadable = []coco.Kind{coco.NoFileName, MissingPicture, BrokenPicture}

// add keeps a finding of an image; of the others it does nothing.
func (f Faulty) add(p coco.Problem) {
	if p.Kind == NoPictures || slices.Contains(unreadable, p.Kind) || slices.Contains([]coco.Kind{SidesSwapped, OtherShape, OtherSize}, p.Kind) {
		f[p.Item] = p
	}
}

// NoPictures reports whether the file of no image was found: then the folder of the images is another, and a repair has nothing to keep.
func (f Faulty) NoPictures() bool { return f[whole].Kind == NoPictures }

// Repair returns a repaired copy of a dataset, and what was changed: images whose files cannot be read are dropped, and the rest is
// repaired by coco.Dataset.Fix. Images with swapped sides are turned together with their boxes; with coco.Drop they are dropped, and so are
// those of another ratio. Where no image would be left, or no box of those that there are, that is an error. images is the folder of the
// images.
func (f Faulty) Repair(d *coco.Dataset, images string, mode coco.Mode) (*coco.Dataset, *coco.Report, error) {
	if p, none := f[whole]; none {
		return nil, nil, fmt.Errorf("%s: nothing would be left: %s; no copy was written", d.Path, p.Text())
	}
	kept, changes, left := *d, []coco.Change(nil), []coco.Problem(nil)
	kept.Images, kept.Annotations = nil, nil
	gone, turns := map[int64]bool{}, map[int64]turn{}
	boxes := f.boxes(d)
	for i := range d.Images {
		im := d.Images[i]
		p, faulty := f[item(&im)]
		switch {
		case !faulty || p.Kind == coco.NoFileName || p.Kind == OtherSize: // which coco's report has, or which does no harm
		case slices.Contains(unreadable, p.Kind), mode == coco.Drop:
			gone[im.ID] = true
			changes = append(changes, coco.Change{Kind: p.Kind, Item: p.Item, Action: "dropped with its boxes: " + p.Seen})
			continue
		default:
			t, can := turnOf(images, &im, boxes[im.ID])
			if !can {
				left = append(left, p)
				break
			}
			turns[im.ID] = t
			im.Width, im.Height = t.w, t.h
			changes = append(changes, coco.Change{Kind: p.Kind, Item: p.Item, Action: t.String()})
		}
		kept.Images = append(kept.Images, im)
	}
	for _, a := range d.Annotations {
		if gone[a.ImageID] {
			continue
		}
		if t, ok := turns[a.ImageID]; ok {
			t.annotation(&a)
		}
		kept.Annotations = append(kept.Annotations, a)
	}
	if len(kept.Images) == 0 && len(d.Images) > 0 {
		first := f[item(&d.Images[0])]
		return nil, nil, fmt.Errorf("%s: nothing would be left: none of its %d images can be kept; the first: %s: correct the folder of images, "+
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
	report.Changes = append(changes, report.Changes...)
	for _, c := range changes {
		report.Changed[c.Kind]++
	}
	report.Left = append(left, report.Left...)
	for p, err := range examine(context.Background(), fixed, Options{Run: true}) {
		if err == nil && p.Severity == coco.Error && !slices.ContainsFunc(report.Left, func(q coco.Problem) bool { return q.Kind == p.Kind }) {
			report.Left = append(report.Left, p)
		}
	}
	return fixed, report, nil
}

// boxes are the annotations of the images that have findings, by image id.
func (f Faulty) boxes(d *coco.Dataset) map[int64][]*coco.Annotation {
	out := map[int64][]*coco.Annotation{}
	for i := range d.Images {
		if _, faulty := f[item(&d.Images[i])]; faulty {
			out[d.Images[i].ID] = nil
		}
	}
	for i := range d.Annotations {
		a := &d.Annotations[i]
		if list, faulty := out[a.ImageID]; faulty {
			out[a.ImageID] = append(list, a)
		}
	}
	return out
}
