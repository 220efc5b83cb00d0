package convert

import (
	"encoding/xml"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// pixels is a whole number of pixels, 0 where it is none: the image's own size is taken then. Some programs write 80.0.
type pixels int

// UnmarshalText reads a number.
func (p *pixels) UnmarshalText(text []byte) error {
	if v, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64); err == nil && v == math.Trunc(v) && math.Abs(v) <= math.MaxInt32 {
		*p = pixels(v)
	}
	return nil
}

// flag is 1 for what says yes. What programs write for "not known" is no.
type flag int

// UnmarshalText reads a word or a number.
func (f *flag) UnmarshalText(text []byte) error {
	switch strings.ToLower(strings.TrimSpace(string(text))) {
	case "1", "true", "yes":
		*f = 1
	}
	return nil
}

// corners are those of a polygon, in elements x1, y1, x2, y2, ...
type corners struct {
	Values []struct {
		XMLName xml.Name
		Value   number `xml:",chardata"`
	} `xml:",any"`
}

// box is the polygon's, nil where it has no corners.
func (c *corners) box() *vocBox {
	if c == nil {
		return nil
	}
	b := vocBox{number(math.Inf(1)), number(math.Inf(1)), number(math.Inf(-1)), number(math.Inf(-1))}
	for _, v := range c.Values {
		if strings.HasPrefix(v.XMLName.Local, "x") {
			b.XMin, b.XMax = min(b.XMin, v.Value), max(b.XMax, v.Value)
		} else {
			b.YMin, b.YMax = min(b.YMin, v.Value), max(b.YMax, v.Value)
		}
	}
	if len(c.Values) < 6 {
		return nil
	}
	return &b
}

// vocBox holds the outermost pixels of an object, counted from 1.
type vocBox struct {
	XMin number `xml:"xmin"`
	YMin number `xml:"ymin"`
	XMax number `xml:"xmax"`
	YMax number `xml:"ymax"`
}

// fault says which corner is no number; "" is none.
func (b *vocBox) fault() string {
	for _, c := range []struct {
		name string
		v    number
	}{{"xmin", b.XMin}, {"ymin", b.YMin}, {"xmax", b.XMax}, {"ymax", b.YMax}} {
		if !finite(float64(c.v)) {
			return fmt.Sprintf("its %s is no number", c.name)
		}
	}
	return ""
}

// number is a text that should be a number, NaN where it is none. Some programs write a comma before the decimals.
type number float64

// UnmarshalText reads a number.
func (n *number) UnmarshalText(text []byte) error {
	v, err := strconv.ParseFloat(strings.Replace(strings.TrimSpace(string(text)), ",", ".", 1), 64)
	if err != nil {
		v = math.NaN()
	}
	*n = number(v)
	return nil
}
