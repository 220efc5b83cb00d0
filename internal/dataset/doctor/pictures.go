package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"

	"retinago/coco"
	"retinago/internal/dataset/locate"
	"retinago/internal/file"
	"retinago/internal/text"
)

// tooMany reports whether so many of n images are broken that a run stops. It goes on without up to three, or a tenth of them, as long as
// they are not most.
func tooMany(bad, n int) bool { return bad > max(3, n/10) || 2*bad > n }

// header is what is known of an image before it is decoded.
type header struct {
	w, h int // upright, 0 where they were not read
	err  error
}

// read looks for the images, and reads their headers where it shall.
func (x *examination) read(ctx context.Context) ([]header, error) {
	paths := make([]string, len(x.d.Images))
	for i := range paths {
		paths[i] = locate.Path(x.o.Images, x.d.Images[i].FileName)
	}
	if x.o.Headers != nil {
		return x.o.Headers.read(ctx, x.o.Images, paths)
	}
	out := make([]header, len(paths))
	for i, path := range paths {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		out[i].err = file.Irregular(path)
	}
	return out, nil
}

// pictures yields the faults of the images' files. A missing file is an error, because the folder, or the dataset, is probably not the
// intended one. Broken files are errors if they are many.
func (x *examination) pictures(seen []header) iter.Seq[coco.Problem] {
	broken, missing := 0, 0
	for i := range seen {
		switch kind, _ := x.unread(i, seen[i].err); kind {
		case BrokenPicture:
			broken++
		case MissingPicture:
			missing++
		}
	}
	return func(yield func(coco.Problem) bool) {
		if missing > 1 && missing == len(seen) {
			yield(coco.Problem{Severity: coco.Error, Kind: NoPictures, Item: whole, Advice: "give the folder of the images with -images, in a configuration with images",
				Seen: fmt.Sprintf("none of its %d images is in %s%s, such as %s", missing, text.Printable(x.o.Images), file.From(x.o.Images), text.Printable(x.d.Images[0].FileName))})
			return
		}
		for i := range seen {
			im := &x.d.Images[i]
			if kind, why := x.unread(i, seen[i].err); kind != "" {
				p := coco.Problem{Severity: coco.Error, Kind: kind, Item: item(im), Seen: why}
				switch kind {
				case coco.NoFileName:
					p.Advice = "add it; without one the image cannot be found"
				case MissingPicture:
					p.Advice = "correct the folder of images, or drop the image with `data check -fix drop`"
				default:
					p.Advice = "write it again, or drop it with `data check -fix`; a run goes on without a few of them"
					if !tooMany(broken, len(seen)) {
						p.Severity = coco.Warning
					}
				}
				if !yield(p) {
					return
				}
			}
			if p, wrong := size(im, seen[i]); wrong && !yield(p) {
				return
			}
		}
	}
}

// unread is the fault of image i whose file cannot be read for some reason, "" for none, and what is wrong.
func (x *examination) unread(i int, err error) (k coco.Kind, why string) {
	name := x.d.Images[i].FileName
	switch {
	case name == "":
		return coco.NoFileName, "it has no file_name"
	case err == nil:
		return "", ""
	case errors.Is(err, fs.ErrNotExist):
		return MissingPicture, "no file " + text.Printable(locate.Path(x.o.Images, name))
	case errors.Is(err, file.ErrIrregular):
		return MissingPicture, text.Printable(err.Error())
	}
	return BrokenPicture, text.Printable(err.Error())
}

// alike is how much the ratio of the sides may change when an image is made smaller: its sides are rounded.
const alike = .01

// size compares the annotated size of an image with its file's.
func size(im *coco.Image, seen header) (p coco.Problem, wrong bool) {
	p = coco.Problem{Severity: coco.Error, Item: item(im)}
	w, h := im.Width, im.Height
	if w <= 0 || h <= 0 {
		p.Kind, p.Seen, p.Advice = coco.NoSize, fmt.Sprintf("it is %dx%d pixels", w, h), "give its width and height"
		return p, true
	}
	if seen.err != nil || seen.w == 0 || seen.w == w && seen.h == h {
		return p, false
	}
	p.Seen = fmt.Sprintf("the image is %dx%d pixels upright, the dataset says %dx%d", seen.w, seen.h, w, h)
	ratio := float64(seen.w) * float64(h) / (float64(seen.h) * float64(w))
	// Rounding moves a side by half a pixel.
	near := alike + .5/float64(min(seen.w, seen.h)) + .5/float64(min(w, h))
	switch {
	case seen.w == h && seen.h == w:
		p.Kind = SidesSwapped
		p.Seen += ": the sides are swapped, as where EXIF turns an image that was labelled as it is stored"
		p.Advice = "write the size and the boxes of the upright image; `data check -fix clip` does so where it can"
	case ratio > 1+near || ratio < 1-near:
		p.Kind, p.Advice = OtherShape, "are the boxes of another image? Correct the file or the size"
	default:
		p.Severity, p.Kind, p.Advice = coco.Warning, OtherSize, "nothing to do if the image was made smaller or larger: its boxes are scaled with it"
	}
	return p, true
}
