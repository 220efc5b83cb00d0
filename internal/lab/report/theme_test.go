package report

import (
	"image/color"
	"testing"

	"retinago/internal/vision"
)

// Curves are told apart by colour-blind people, and stand out from the card (WCAG 2.1, 1.4.11: 3 to 1), in both themes.
func TestSeries(t *testing.T) {
	for theme, of := range map[string]func(tone) [3]uint8{
		"light": func(v tone) [3]uint8 { return channels(v.light) },
		"dark":  func(v tone) [3]uint8 { return channels(v.dark) },
	} {
		for i, s := range series {
			if c := vision.Contrast(of(s), of(card)); c < 3 {
				t.Errorf("%s: curve %d has a contrast of %.2f", theme, i, c)
			}
			for j := range i {
				if d := vision.See(of(s)).Apart(vision.See(of(series[j]))); d < .12 {
					t.Errorf("%s: curves %d and %d are %.3f apart", theme, j, i, d)
				}
			}
		}
		for name, v := range map[string]tone{"ink": ink, "faint": faint, "link": link} {
			if c := min(vision.Contrast(of(v), of(card)), vision.Contrast(of(v), of(paper))); c < 4.5 {
				t.Errorf("%s: text in %s has a contrast of %.2f", theme, name, c)
			}
		}
	}
}

func channels(c color.RGBA) [3]uint8 { return [3]uint8{c.R, c.G, c.B} }
