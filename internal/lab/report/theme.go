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

	// series are the colours of curves in their order. They also differ in brightness, for readers who see colours differently.
	series = []tone{
		{rgb(0x0B62B8), rgb(0x5FB0F7)}, // blue
		{rgb(0xC65A00), rgb(0xFFA552)}, // orange
		{rgb(0x14855A), rgb(0x5AD6A4)}, // green
		{rgb(0x9A3C96), rgb(0xE79BE4)}, // purple
		{rgb(0x7A6A00), rgb(0xE2CE4F)}, // olive
		{rgb(0xB3233F), rgb(0xFF8296)}, // red
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
