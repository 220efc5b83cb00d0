// Package vision has how different two colours are to eyes of several kinds, for palettes that all people tell apart.
//
// Colours are sRGB: R, G, B of 8 bits each.
package vision

import "math"

// matrix is a linear map of colours.
type matrix [3][3]float64

func (m matrix) of(v [3]float64) (o [3]float64) {
	for i := range o {
		for j := range v {
			o[i] += m[i][j] * v[j]
		}
	}
	return o
}

var (
	// toCones and toOklab make Oklab of linear intensities, with a cube root between. (Ottosson 2020, "A perceptual color space for image
	// processing".)
	toCones = matrix{{.4122214708, .5363325363, .0514459929}, {.2119034982, .6806995451, .1073969566}, {.0883024619, .2817188376, .6299787005}}
	toOklab = matrix{{.2104542553, .7936177850, -.0040720468}, {1.9779984951, -2.4285922050, .4505937099}, {.0259040371, .7827717662, -.8086757660}}
	// kinds are normal vision, protanopia and deuteranopia, as maps of linear intensities. (Machado et al. 2009, severity 1.)
	kinds = [3]matrix{
		{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
		{{.152286, 1.052583, -.204868}, {.114503, .786281, .099216}, {-.003882, -.048116, 1.051998}},
		{{.367322, .860646, -.227968}, {.280085, .672501, .047413}, {-.011820, .042940, .968881}},
	}
)

// Seen is a colour in Oklab (lightness 0 to 1, green to red, blue to yellow), as seen with normal vision, protanopia and deuteranopia.
type Seen [3][3]float64

// See returns how a colour is seen.
func See(c [3]uint8) (s Seen) {
	for i, kind := range kinds {
		l := kind.of(linear(c))
		for k := range l {
			l[k] = min(max(l[k], 0), 1)
		}
		l = toCones.of(l)
		for k := range l {
			l[k] = math.Cbrt(l[k])
		}
		s[i] = toOklab.of(l)
	}
	return s
}

// Apart returns the distance of two colours to the kind of vision for which they differ least. .02 is just noticeable.
func (s Seen) Apart(o Seen) float64 {
	least := math.Inf(1)
	for i := range s {
		d := 0.
		for k := range s[i] {
			d += (s[i][k] - o[i][k]) * (s[i][k] - o[i][k])
		}
		least = min(least, math.Sqrt(d))
	}
	return least
}

// Contrast returns the contrast ratio of two colours, 1 to 21. (WCAG 2.1.)
func Contrast(a, b [3]uint8) float64 {
	x, y := luminance(a)+.05, luminance(b)+.05
	return max(x, y) / min(x, y)
}

// luminance is a colour's relative luminance, 0 to 1.
func luminance(c [3]uint8) float64 {
	l := linear(c)
	return .2126*l[0] + .7152*l[1] + .0722*l[2]
}

// linear is a colour as intensities of light, 0 to 1. (IEC 61966-2-1.)
func linear(c [3]uint8) (l [3]float64) {
	for i, v := range c {
		if f := float64(v) / 255; f <= .04045 {
			l[i] = f / 12.92
		} else {
			l[i] = math.Pow((f+.055)/1.055, 2.4)
		}
	}
	return l
}
