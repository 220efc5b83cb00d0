package lab

import (
	"fmt"

	"retinago/config"
	"retinago/internal/lab/report"
)

// network draws the network as in figure 3: the maps of the backbone, the pyramid, and the two heads on each level.
func network(m config.Model) report.Diagram {
	d := report.Diagram{Title: "Figure 3: the network", Words: "maps by their level and their size as a part of the image's", Width: 12}
	low := 3
	if m.P2 {
		low = 2
	}
	row := func(level int) float64 { return float64(level-low) + .7 }
	d.Height = row(7) + .7
	const backbone, pyramid, bus, heads = 1.6, 5.2, 7.4, 9.9
	at := func(x, y float64) report.Point { return report.Point{X: x, Y: y} }
	arrow := func(from, to report.Point) { d.Arrows = append(d.Arrows, report.Arrow{From: from, To: to}) }
	for level := low; level <= 7; level++ {
		y := row(level)
		if level <= 5 {
			d.Boxes = append(d.Boxes, report.Box{X: backbone, Y: y, Width: 2.4, Height: .6, Text: fmt.Sprintf("C%d  1/%d", level, 1<<level), Series: 1})
			arrow(at(backbone+1.2, y), at(pyramid-1.4, y))
		}
		if level < 5 {
			arrow(at(backbone, y+.3), at(backbone, y+.7))
			arrow(at(pyramid-.3, y+.7), at(pyramid-.3, y+.3))
			if m.Pyramid == "pafpn" {
				arrow(at(pyramid+.3, y+.3), at(pyramid+.3, y+.7))
			}
		}
		d.Boxes = append(d.Boxes, report.Box{X: pyramid, Y: y, Width: 2.8, Height: .6, Text: fmt.Sprintf("P%d  1/%d, %d", level, 1<<level, m.FPNWidth), Series: 0})
		arrow(at(pyramid+1.4, y), at(bus, y))
	}
	if m.P6From == "c5" {
		arrow(at(backbone+1.2, row(5)+.3), at(pyramid-1.4, row(6)))
	} else {
		arrow(at(pyramid, row(5)+.3), at(pyramid, row(6)-.3))
	}
	arrow(at(pyramid, row(6)+.3), at(pyramid, row(7)-.3))
	arrow(at(bus, row(low)), at(bus, row(7)))
	anchors := len(m.Anchors.Scales) * len(m.Anchors.Ratios)
	middle := (row(low) + row(7)) / 2
	for _, h := range []struct {
		y      float64
		series int
		last   string
	}{{middle + 1, 2, fmt.Sprintf("%d anchors x classes", anchors)}, {middle - 1, 3, fmt.Sprintf("%d anchors x 4", anchors)}} {
		d.Boxes = append(d.Boxes, report.Box{X: heads, Y: h.y, Width: 4, Height: 1.3, Text: fmt.Sprintf("%d x 3x3, %d\n%s", m.HeadDepth, m.FPNWidth, h.last), Series: h.series})
		arrow(at(bus, h.y), at(heads-2, h.y))
	}
	return d
}
