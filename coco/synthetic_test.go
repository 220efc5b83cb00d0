package coco

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// synthetic makes images with objects, and detections near objects or anywhere; scores have ties.
func synthetic(images, objects, detections, classes int, seed uint64) (*Dataset, []Detection) {
	r := rand.New(rand.NewPCG(seed, 1))
	d := &Dataset{Path: "synthetic"}
	for k := range classes {
		d.Categories = append(d.Categories, Category{ID: int64(k + 1), Name: fmt.Sprintf("class %d", k+1)})
	}
	var dets []Detection
	for i := range images {
		id := int64(images - i) // not ascending
		d.Images = append(d.Images, Image{ID: id, FileName: fmt.Sprintf("%d.jpg", id), Width: 640, Height: 480})
		for range r.IntN(2*objects + 1) {
			w, h := math.Exp(r.Float64()*4+2), math.Exp(r.Float64()*4+2)
			a := Annotation{ID: int64(len(d.Annotations) + 1), ImageID: id, CategoryID: r.Int64N(int64(classes)) + 1,
				BBox: [4]float64{r.Float64() * 600, r.Float64() * 440, w, h}, Area: w * h, IsCrowd: r.IntN(60) == 0}
			d.Annotations = append(d.Annotations, a)
			if r.IntN(4) > 0 {
				b := a.BBox
				for j := range b {
					b[j] += r.NormFloat64() * .08 * math.Sqrt(w*h)
				}
				dets = append(dets, Detection{id, a.CategoryID, b, math.Round(r.Float64()*1000) / 1000})
			}
		}
		for range r.IntN(2*detections + 1) {
			dets = append(dets, Detection{id, r.Int64N(int64(classes)) + 1,
				[4]float64{r.Float64() * 600, r.Float64() * 440, math.Exp(r.Float64()*4 + 2), math.Exp(r.Float64()*4 + 2)},
				math.Round(r.Float64()*300) / 1000})
		}
	}
	return d, dets
}
