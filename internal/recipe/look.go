package recipe

import (
	"math"
	"slices"

	"retinago/internal/dataset/data"
)

// look is what a dataset shows about its pictures and objects.
type look struct {
	pictures int
	classes  int
	objects  int
	short    float64 // median of the pictures' short sides, px
	aspect   float64 // long side over short side that 95 % of the pictures do not exceed
	small    float64 // side of objects over the short side of their picture: a tenth of the objects is smaller. The side is sqrt(w*h)
	fewest   int     // pictures of the rarest class
	rarest   string  // its name
}

func lookAt(d *data.Dataset) look {
	l := look{pictures: d.Len(), classes: len(d.Categories())}
	var shorts, aspects, sides []float64
	with := make([]int, l.classes)
	for i := range d.Len() {
		im := d.Image(i)
		short, long := float64(min(im.Width, im.Height)), float64(max(im.Width, im.Height))
		shorts, aspects = append(shorts, short), append(aspects, long/short)
		boxes, classes, crowd := d.Objects(i)
		seen := map[int32]bool{}
		for k, b := range boxes {
			if crowd[k] {
				continue
			}
			l.objects++
			sides = append(sides, math.Sqrt(float64(b.Area()))/short)
			if !seen[classes[k]] {
				seen[classes[k]] = true
				with[classes[k]]++
			}
		}
	}
	l.short, l.aspect, l.small = quantile(shorts, .5), quantile(aspects, .95), quantile(sides, .1)
	for k, n := range with {
		if k == 0 || n < l.fewest {
			l.fewest, l.rarest = n, d.Categories()[k].Name
		}
	}
	return l
}

// quantile returns the value that a share q of the values does not exceed, 0 without values.
func quantile(v []float64, q float64) float64 {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	return v[int(q*float64(len(v)-1)+.5)]
}
