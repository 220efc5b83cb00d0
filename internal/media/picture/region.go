package picture

import (
	"image"
	"math"
	"slices"
)

// regionShare is the size of names of lines and zones as a share of the labels'.
const regionShare = .7

// Line draws a line where objects are counted, from a to b: dashed in black and white, unlike the frames of objects, with its name and an
// arrow that crosses it to its right, seen from a to b.
func Line(p *Picture, a, b [2]float64, name string) error {
	p.dashes([][2]float64{a, b})
	from, to, ok := clipped(a, b, float64(p.W), float64(p.H), 0)
	long := math.Hypot(b[0]-a[0], b[1]-a[1])
	if !ok || long == 0 {
		return nil
	}
	f, err := p.face(regionShare)
	if err != nil {
		return err
	}
	defer f.release()
	middle := [2]float64{(from[0] + to[0]) / 2, (from[1] + to[1]) / 2}
	x, y := (b[0]-a[0])/long, (b[1]-a[1])/long
	head := p.arrow(middle, [2]float64{-y, x}, 2*float64(f.height))
	w, h := f.plate(name)
	// The plate lies on the line, behind the arrow.
	aside := head + (math.Abs(x)*float64(w)+math.Abs(y)*float64(h))/2
	p.name(name, f, int(middle[0]+aside*x-float64(w)/2), int(middle[1]+aside*y-float64(h)/2))
	return nil
}

// Zone draws a polygon where objects are counted: its border as a Line's, the inside brightened, with its name at its top.
func Zone(p *Picture, corners [][2]float64, name string) error {
	if len(corners) == 0 {
		return nil
	}
	p.tint(corners, white, .2)
	p.dashes(append(slices.Clone(corners), corners[0]))
	f, err := p.face(regionShare)
	if err != nil {
		return err
	}
	defer f.release()
	top, seen := [2]float64{}, false
	for i, a := range corners {
		from, to, ok := clipped(a, corners[(i+1)%len(corners)], float64(p.W), float64(p.H), 0)
		for _, at := range [][2]float64{from, to} {
			if ok && (!seen || at[1] < top[1] || at[1] == top[1] && at[0] < top[0]) {
				top, seen = at, true
			}
		}
	}
	if seen {
		p.name(name, f, int(top[0]), int(top[1]))
	}
	return nil
}

// name writes the name of a region with its corner at x, y, or as near as it has room in the image.
func (p *Picture) name(s string, f *face, x, y int) {
	if s = f.shortened(s, p.W-2*f.pad); s == "" {
		return
	}
	w, h := f.plate(s)
	x, y = max(min(x, p.W-w), 0), max(min(y, p.H-h), 0)
	p.tag(s, f, image.Rect(x, y, x+w, y+h))
}

// dashes draws lines in dashes of black and white.
func (p *Picture) dashes(points [][2]float64) {
	line := p.line() + 1
	p.stroke(points, line, func(along float64) [3]uint8 {
		if int(along)/(5*line)%2 == 0 {
			return white
		}
		return plateColor
	})
}

// arrow draws an arrow of some length in pixels across a place, or back from there so that its tip is in the image, and returns the
// width of its head. way has the length 1.
func (p *Picture) arrow(across, way [2]float64, long float64) (head float64) {
	line := p.line() + 1
	head = float64(5 * line)
	long = max(long, 2*head)
	tip := [2]float64{
		min(max(across[0]+way[0]*long/2, 0), float64(p.W)),
		min(max(across[1]+way[1]*long/2, 0), float64(p.H)),
	}
	at := func(back, aside float64) [2]float64 {
		return [2]float64{tip[0] - back*way[0] - aside*way[1], tip[1] - back*way[1] + aside*way[0]}
	}
	plain := func(c [3]uint8) func(float64) [3]uint8 { return func(float64) [3]uint8 { return c } }
	shaft, triangle := [][2]float64{at(long, 0), at(head, 0)}, [][2]float64{tip, at(head, head/2), at(head, -head/2)}
	p.stroke(shaft, line+2, plain(plateColor))
	p.stroke(append(triangle, tip), 3, plain(plateColor))
	p.stroke(shaft, line, plain(white))
	p.tint(triangle, white, 1)
	return head
}
