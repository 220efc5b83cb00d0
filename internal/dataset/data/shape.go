package data

import (
	"encoding/json"
	"math"
	"math/rand/v2"

	"retinago/coco"
)

// shape is a polygon of a class, in pixels.
type shape struct {
	class  int // index into shapeClasses
	points [][2]float64
	color  [3]float64 // 0 to 255
}

// newShape makes a shape of a class around (x, y) that stays within half of it.
func newShape(r *rand.Rand, class int, x, y, half float64) shape {
	turn := (r.Float64() - .5) * math.Pi / 5 // 18 degrees to either side
	v := shape{class: class, color: vivid(r)}
	corner := func(radius, angle float64) {
		v.points = append(v.points, [2]float64{x + radius*math.Cos(angle+turn), y + radius*math.Sin(angle+turn)})
	}
	const up = -math.Pi / 2
	switch shapeClasses[class].Name {
	case "circle":
		for i := range 40 {
			corner(half, 2*math.Pi*float64(i)/40)
		}
	case "square":
		for i := range 4 {
			corner(half, math.Pi/4+math.Pi/2*float64(i))
		}
	case "triangle":
		for i := range 3 {
			corner(half, up+2*math.Pi/3*float64(i))
		}
	case "star":
		for i := range 10 {
			corner(half*[]float64{1, .42}[i%2], up+math.Pi/5*float64(i))
		}
	}
	return v
}

// vivid is a saturated colour.
func vivid(r *rand.Rand) [3]float64 {
	h := 6 * r.Float64()
	value := 150 + 105*r.Float64()
	var c [3]float64
	for i := range c {
		k := math.Mod(5-2*float64(i)+h, 6) // the hue circle of HSV
		c[i] = value * (1 - .85*max(0, min(k, 4-k, 1)))
	}
	return c
}

// bounds is the least box around the points.
func (v shape) bounds() (x1, y1, x2, y2 float64) {
	x1, y1, x2, y2 = math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, p := range v.points {
		x1, y1, x2, y2 = min(x1, p[0]), min(y1, p[1]), max(x2, p[0]), max(y2, p[1])
	}
	return x1, y1, x2, y2
}

// area is the polygon's.
func (v shape) area() float64 { return coco.PolygonArea(v.flat()) }

func (v shape) flat() []float64 {
	out := make([]float64, 0, 2*len(v.points))
	for _, p := range v.points {
		out = append(out, math.Round(100*p[0])/100, math.Round(100*p[1])/100)
	}
	return out
}

func (v shape) annotation(id int64, im coco.Image) coco.Annotation {
	x1, y1, x2, y2 := v.bounds()
	round := func(a float64) float64 { return math.Round(100*a) / 100 }
	a := coco.Annotation{ID: id, ImageID: im.ID, CategoryID: shapeClasses[v.class].ID, Area: round(v.area()),
		BBox: [4]float64{round(x1), round(y1), round(x2 - x1), round(y2 - y1)}}
	a.Segmentation, _ = json.Marshal([][]float64{v.flat()}) // numbers always encode
	return a
}
