package doctor

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"retinago/coco"
	"retinago/internal/dataset/locate"
	"retinago/internal/media/picture"
	"retinago/internal/progress"
)

// Check is examine for `data check`, which also decodes the images whose headers are read. It adds findings of images to faulty.
func Check(ctx context.Context, d *coco.Dataset, o Options, faulty Faulty) iter.Seq2[coco.Problem, error] {
	return func(yield func(coco.Problem, error) bool) {
		add := func(p coco.Problem, err error) bool {
			faulty.add(p)
			return yield(p, err)
		}
		for p, err := range examine(ctx, d, o) {
			if !add(p, err) || err != nil {
				return
			}
		}
		if o.Images == "" || o.Headers == nil {
			return
		}
		if _, none := faulty[whole]; none {
			return
		}
		x := examination{d: d, o: o}
		for p, err := range x.decode(ctx, faulty) {
			if !add(p, err) || err != nil {
				return
			}
		}
	}
}

// decode decodes the images that are not faulty yet, and yields a finding for each that cannot be. Training and evaluation go on without
// them; where they are all, that is an error. It ends with an error of ctx alone.
func (x *examination) decode(ctx context.Context, faulty Faulty) iter.Seq2[coco.Problem, error] {
	d, images := x.d, x.o.Images
	return func(yield func(coco.Problem, error) bool) {
		good, broken := 0, 0
		line, begun := progress.On(x.o.Headers.Log), time.Now()
		defer line.Clear()
		for i := range d.Images {
			im := &d.Images[i]
			n, all := int64(i+1), int64(len(d.Images))
			line.Show(progress.Status{What: fmt.Sprintf("images %d/%d", n, all), Done: n, Total: all, Left: progress.Left(begun, n, all)})
			if slices.Contains(unreadable, faulty[item(im)].Kind) {
				continue
			}
			p, _, _, err := picture.DecodeFor(ctx, locate.Path(images, im.FileName), nil)
			if ctx.Err() != nil {
				yield(coco.Problem{}, ctx.Err())
				return
			}
			if err == nil {
				good++
				p.Release()
				continue
			}
			broken++
			kind, why := x.unread(i, err)
			if !yield(coco.Problem{Severity: coco.Warning, Kind: kind, Item: item(im), Seen: why, Advice: "write it again, or drop it with `data check -fix`; a run goes on without it"}, nil) {
				return
			}
		}
		if good == 0 && broken > 0 {
			yield(coco.Problem{Severity: coco.Error, Kind: BrokenPicture, Item: whole, Seen: "none of its images can be decoded", Advice: "write them again"}, nil)
		}
	}
}
