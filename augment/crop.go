package augment

import (
	"retinago/box"
	"retinago/internal/kinds"
)

var cropKinds = []Kind{
	{Kind: kinds.Kind{Name: "zoom_out", Text: "lays the image into a larger one without content, which is fitted to the canvas (SSD's expansion, Liu et al. 2016)",
		Params: []kinds.Param{probability(.5), {Key: "min", Default: 1, Min: 1, Max: 16, Text: "least factor of the sides"},
			{Key: "max", Default: 4, Min: 1, Max: 16, Text: "largest factor of the sides"}}},
		apply: func(d *draw) {
			r := d.drawn()
			w, h := whole(d.w*r), whole(d.h*r)
			d.zoomOut(d.offset(w-d.w), d.offset(h-d.h), w, h)
		}},
	{Kind: kinds.Kind{Name: "iou_crop", Text: "crops a window that overlaps some object by an IoU of at least 0, .1, .3, .5, .7 or .9, or does not crop, and drops objects whose centres are outside (SSD's, Liu et al. 2016)",
		Params: []kinds.Param{probability(1), {Key: "min", Default: .3, Min: .05, Max: 1, Text: "least share of a side"},
			{Key: "max", Default: 1, Min: .05, Max: 1, Text: "largest share of a side"},
			{Key: "min_ratio", Default: .5, Min: .05, Max: 20, Text: "least width by height"},
			{Key: "max_ratio", Default: 2, Min: .05, Max: 20, Text: "largest width by height"}}},
		apply: iouCrop},
	{Kind: kinds.Kind{Name: "crop", Text: "crops a window of the image as it is, unscaled: small objects in large images keep their size",
		Params: []kinds.Param{probability(1), {Key: "size", Default: 640, Min: leastImage, Max: mostImage, Whole: true, Text: "px of a side, at most the canvas's"}}},
		apply: func(d *draw) {
			d.resize(d.native())
			w, h := min(d.get("size"), float64(d.canvas.W)), min(d.get("size"), float64(d.canvas.H))
			x, y := d.offset(d.w-w), d.offset(d.h-h)
			d.crop(x, y, w, h)
		}},
}

// zoomOut puts the frame at x, y of a frame of w x h px, which is fitted to the canvas.
func (p *plan) zoomOut(x, y, w, h float64) {
	p.move(Translate(x, y), w, h)
	p.fit(p.canvas.Short)
}

// leastIoUs are the options of iouCrop, of which 1 does not crop.
var leastIoUs = [...]float32{0, .1, .3, .5, .7, .9, 1}

const (
	triesWindow = 40 // windows for one least IoU
	triesIoU    = 50 // least IoUs until the image stays whole
)

// iouCrop draws as torchvision's RandomIoUCrop does.
func iouCrop(d *draw) {
	for range triesIoU {
		least := leastIoUs[d.IntN(len(leastIoUs))]
		if least >= 1 {
			return
		}
		for range triesWindow {
			w, h := whole(d.drawn()*d.w), whole(d.drawn()*d.h)
			x, y := d.offset(d.w-w), d.offset(d.h-h)
			if ratio := w / h; ratio < d.get("min_ratio") || ratio > d.get("max_ratio") {
				continue
			}
			window := box.Box{X1: float32(x), Y1: float32(y), X2: float32(x + w), Y2: float32(y + h)}
			if d.overlaps(window, least) {
				d.dropOutside(window)
				d.crop(x, y, w, h)
				d.fit(d.canvas.Short)
				return
			}
		}
	}
}

// overlaps reports whether a window has an IoU of at least least with an object whose centre is in it.
func (p *plan) overlaps(window box.Box, least float32) bool {
	for _, o := range p.objects {
		if b := p.at(o); !o.dropped && inside(b, window) && b.IoU(window) >= least {
			return true
		}
	}
	return false
}

// dropOutside drops the objects whose centres are outside of a window.
func (p *plan) dropOutside(window box.Box) {
	for i, o := range p.objects {
		if !o.Crowd && !inside(p.at(o), window) {
			p.objects[i].dropped = true
		}
	}
}

// inside reports whether the centre of b is in a window.
func inside(b, window box.Box) bool {
	x, y := (b.X1+b.X2)/2, (b.Y1+b.Y2)/2
	return x > window.X1 && x < window.X2 && y > window.Y1 && y < window.Y2
}
