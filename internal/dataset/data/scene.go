package data

import (
	"image"
	"image/color"
	"math"

	"golang.org/x/image/vector"
)

// background fills the image with a gradient under one of several textures.
func (s *scene) background() {
	r := s.r
	from, to := muted(s), muted(s)
	angle := 2 * math.Pi * r.Float64()
	dx, dy := math.Cos(angle), math.Sin(angle)
	kind, period, depth := r.IntN(5), 6+24*r.Float64(), 8+26*r.Float64()
	phase := 2 * math.Pi * r.Float64()
	turn := 2 * math.Pi * r.Float64()
	tx, ty := math.Cos(turn), math.Sin(turn)
	grain := 3 + 14*r.Float64()
	cloud := newField(s)
	w, h := float64(s.pic.W), float64(s.pic.H)
	for y := range s.pic.H {
		for x := range s.pic.W {
			fx, fy := float64(x), float64(y)
			t := .5 + .5*(dx*(2*fx/w-1)+dy*(2*fy/h-1))/math.Sqrt2
			var wave float64
			switch kind {
			case 1: // stripes
				wave = math.Sin(2*math.Pi*(tx*fx+ty*fy)/period + phase)
			case 2: // checks
				wave = math.Copysign(.8, math.Sin(2*math.Pi*fx/period+phase)*math.Sin(2*math.Pi*fy/period+phase))
			case 3: // clouds
				wave = 2 * cloud.at(fx/w, fy/h)
			case 4: // rings
				wave = math.Sin(2*math.Pi*math.Hypot(fx-w*tx, fy-h*ty)/period + phase)
			}
			n := grain * (r.Float64() - .5)
			var c [3]uint8
			for k := range c {
				c[k] = uint8(min(max(from[k]+t*(to[k]-from[k])+depth*wave+n, 0), 255))
			}
			s.pic.Set(x, y, c[0], c[1], c[2])
		}
	}
}

// muted is a colour of low saturation.
func muted(s *scene) [3]float64 {
	base := 45 + 155*s.r.Float64()
	var c [3]float64
	for k := range c {
		c[k] = base + 50*(s.r.Float64()-.5)
	}
	return c
}

// field is smooth noise: random values on a coarse grid, interpolated.
type field struct {
	n int
	v []float64
}

func newField(s *scene) field {
	f := field{n: 4 + s.r.IntN(8)}
	for range (f.n + 1) * (f.n + 1) {
		f.v = append(f.v, s.r.Float64()-.5)
	}
	return f
}

// at reads the field at x and y in [0, 1).
func (f field) at(x, y float64) float64 {
	x, y = x*float64(f.n), y*float64(f.n)
	i, j := int(x), int(y)
	smooth := func(t float64) float64 { return t * t * (3 - 2*t) }
	a, b := smooth(x-float64(i)), smooth(y-float64(j))
	row := func(j int) float64 { return f.v[j*(f.n+1)+i]*(1-a) + f.v[j*(f.n+1)+i+1]*a }
	return row(j)*(1-b) + row(j+1)*b
}

// distractor paints a mark of no class: a line, a cross, a ring or a bar, in any colour.
func (s *scene) distractor() {
	r := s.r
	x, y := r.Float64()*float64(s.pic.W), r.Float64()*float64(s.pic.H)
	size := s.o.MinSize + r.Float64()*(s.o.MaxSize-s.o.MinSize)*.6
	thick := max(1.2, size/12)
	angle := math.Pi * r.Float64()
	c := vivid(r)
	switch r.IntN(3) {
	case 0:
		s.stroke(x, y, size, thick, angle, c)
	case 1:
		s.stroke(x, y, size/2, thick, angle, c)
		s.stroke(x, y, size/2, thick, angle+math.Pi/2, c)
	case 2:
		outer, inner := ring(x, y, size/2), ring(x, y, size/2-thick)
		for i, j := 0, len(inner)-1; i < j; i, j = i+1, j-1 { // the other way round: a hole
			inner[i], inner[j] = inner[j], inner[i]
		}
		s.polygons(c, outer, inner)
	}
}

func (s *scene) stroke(x, y, half, thick, angle float64, c [3]float64) {
	dx, dy := half*math.Cos(angle), half*math.Sin(angle)
	nx, ny := -thick/2*math.Sin(angle), thick/2*math.Cos(angle)
	s.polygons(c, [][2]float64{{x - dx - nx, y - dy - ny}, {x + dx - nx, y + dy - ny}, {x + dx + nx, y + dy + ny}, {x - dx + nx, y - dy + ny}})
}

func ring(x, y, radius float64) [][2]float64 {
	out := make([][2]float64, 40)
	for i := range out {
		a := 2 * math.Pi * float64(i) / 40
		out[i] = [2]float64{x + radius*math.Cos(a), y + radius*math.Sin(a)}
	}
	return out
}

// paint draws a shape with a light from above and a thin darker rim.
func (s *scene) paint(v shape) {
	var rim [3]float64
	for k := range rim {
		rim[k] = .55 * v.color[k]
	}
	s.polygons(rim, v.points)
	x1, y1, x2, y2 := v.bounds()
	cx, cy := (x1+x2)/2, (y1+y2)/2
	shrink := max(1-3/(x2-x1), .8)
	inner := make([][2]float64, len(v.points))
	for i, p := range v.points {
		inner[i] = [2]float64{cx + (p[0]-cx)*shrink, cy + (p[1]-cy)*shrink}
	}
	s.polygons(v.color, inner)
}

// polygons fills closed paths, antialiased; a path inside another the other way round is a hole.
func (s *scene) polygons(c [3]float64, paths ...[][2]float64) {
	z := vector.NewRasterizer(s.pic.W, s.pic.H)
	for _, p := range paths {
		z.MoveTo(float32(p[0][0]), float32(p[0][1]))
		for _, q := range p[1:] {
			z.LineTo(float32(q[0]), float32(q[1]))
		}
		z.ClosePath()
	}
	mask := image.NewAlpha(image.Rect(0, 0, s.pic.W, s.pic.H))
	z.Draw(mask, mask.Bounds(), image.NewUniform(color.Opaque), image.Point{})
	for i, a := range mask.Pix {
		if a == 0 {
			continue
		}
		for k := range 3 {
			old := float64(s.pic.Pix[3*i+k])
			s.pic.Pix[3*i+k] = uint8(old + (c[k]-old)*float64(a)/255)
		}
	}
}
