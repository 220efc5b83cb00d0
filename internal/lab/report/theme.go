package report

import (
	"fmt"
	"image/color"
	"strings"
)

// tone is a colour of the page in its two themes. Plots are drawn in the light theme.
type tone struct{ light, dark color.RGBA }

func rgb(v uint32) color.RGBA {
	return color.RGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 255}
}

var (
	paper = tone{rgb(0xFFFFFF), rgb(0x14171B)}
	card  = tone{rgb(0xFAFBFC), rgb(0x1B1F24)}
	ink   = tone{rgb(0x1D232A), rgb(0xE3E6EA)}
	faint = tone{rgb(0x5B6570), rgb(0xA3ACB6)}
	grid  = tone{rgb(0xD9DEE3), rgb(0x3A4149)}
	link  = tone{rgb(0x0B5CAD), rgb(0x7DB8F5)}

	// series are the colours of curves in their order. They are told apart with normal vision, protanopia and deuteranopia, and on the card.
	series = []tone{
		{rgb(0x0B62B8), rgb(0x5FB0F7)}, // blue
		{rgb(0xAA8800), rgb(0xFFCC99)}, // gold, sand
		{rgb(0xCC2266), rgb(0xEE0099)}, // crimson, pink
		{rgb(0x114400), rgb(0x00BB00)}, // green
		{rgb(0xBB66FF), rgb(0x8833FF)}, // violet
		{rgb(0x660066), rgb(0x886622)}, // plum, brown
	}
)

func hex(c color.RGBA) string { return fmt.Sprintf("#%02X%02X%02X", c.R, c.G, c.B) }

// themeStyle returns a style sheet with the page's colours and the replacements for a plot's colours on a dark screen. Prints stay light.
func themeStyle() string {
	var light, dark, plots strings.Builder
	for _, v := range []struct {
		name string
		tone
	}{{"paper", paper}, {"card", card}, {"ink", ink}, {"faint", faint}, {"grid", grid}, {"link", link}} {
		fmt.Fprintf(&light, "--%s:%s;", v.name, hex(v.light))
		fmt.Fprintf(&dark, "--%s:%s;", v.name, hex(v.dark))
	}
	for i, s := range series {
		fmt.Fprintf(&light, "--%s:%s;", seriesClass(i), hex(s.light))
		fmt.Fprintf(&dark, "--%s:%s;", seriesClass(i), hex(s.dark))
	}
	for _, t := range append([]tone{ink, faint, grid}, series...) {
		for _, property := range []string{"stroke", "fill"} {
			fmt.Fprintf(&plots, "svg [style*=\"%s:%s\"]{%s:%s!important}\n", property, hex(t.light), property, hex(t.dark))
		}
	}
	text := fmt.Sprintf(":root{%s}\n@media screen and (prefers-color-scheme: dark){\n:root{color-scheme:dark;%s}\n%s}\n", light.String(), dark.String(), plots.String())
	for i := range series {
		text += fmt.Sprintf("i.%[1]s{background:var(--%[1]s)}\n", seriesClass(i))
	}
	return text
}

func seriesClass(i int) string { return fmt.Sprintf("s%d", i%len(series)) }
