package recipe

import (
	"math"
	"slices"

	"retinago/internal/dataset/data"
)

// look is what a dataset shows about its images and objects.
type look struct {
	pictures int
	classes  int
	objects  int
	short    float64 // median of the images' short sides, px
	aspect   float64 // long side over short side that 95 % of the images do not exceed
	small    float64 // side of objects over the short side of their image: a tenth of the objects is smaller. The side is sqrt(w*h)
	fewest   int     // images of the rarest class
	rarest   string  // its name
	share    float64 // of the images that the median class is in
	side     float64 // median side of the objects, px of the image as it is
	smallest float64 // side that nine of ten objects have at least, px of the image as it is

	// Objects of the most frequent class, and of the rarest one that has any, with the names of both.
	mostObjects, leastObjects int
	frequent, scarce          string
}

func lookAt(d *data.Dataset) look {
	l := look{pictures: d.Len(), classes: len(d.Categories())}
	var shorts, aspects, sides, natural, shares []float64
	with, of := make([]int, l.classes), make([]int, l.classes)
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
			of[classes[k]]++
			side := math.Sqrt(float64(b.Area()))
			sides, natural = append(sides, side/short), append(natural, side)
			if !seen[classes[k]] {
				seen[classes[k]] = true
				with[classes[k]]++
			}
		}
	}
	l.short, l.aspect, l.small = quantile(shorts, .5), quantile(aspects, .95), quantile(sides, .1)
	l.side, l.smallest = quantile(natural, .5), quantile(natural, .1)
	for k, n := range with {
		name := d.Categories()[k].Name
		if k == 0 || n < l.fewest {
			l.fewest, l.rarest = n, name
		}
		if of[k] == 0 {
			continue
		}
		shares = append(shares, float64(n)/float64(l.pictures))
		if of[k] > l.mostObjects {
			l.mostObjects, l.frequent = of[k], name
		}
		if l.leastObjects == 0 || of[k] < l.leastObjects {
			l.leastObjects, l.scarce = of[k], name
		}
	}
	l.share = quantile(shares, .5)
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
