package picture

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var gifColour = color.Palette{color.RGBA{}, color.RGBA{200, 0, 0, 255}, color.RGBA{0, 200, 0, 255}, color.RGBA{0, 0, 200, 255}}

// patch is a frame of a GIF of one of gifColour's colours.
type patch struct {
	at      image.Rectangle
	colour  uint8
	dispose byte
	delay   int // in hundredths of a second
}

func gifOf(t *testing.T, w, h int, patches ...patch) []byte {
	t.Helper()
	g := &gif.GIF{Config: image.Config{Width: w, Height: h, ColorModel: gifColour}}
	for _, p := range patches {
		m := image.NewPaletted(p.at, gifColour)
		for i := range m.Pix {
			m.Pix[i] = p.colour
		}
		g.Image, g.Delay, g.Disposal = append(g.Image, m), append(g.Delay, p.delay), append(g.Disposal, p.dispose)
	}
	return encode(t, func(b *bytes.Buffer) error { return gif.EncodeAll(b, g) })
}

// tiffOf is a TIFF of grey pages of 4 x 3 pixels, each of one value.
func tiffOf(values ...byte) []byte {
	o := binary.LittleEndian
	b := append([]byte("II*\x00"), 0, 0, 0, 0)
	link := 4
	for _, v := range values {
		pixels := uint32(len(b))
		b = append(b, bytes.Repeat([]byte{v}, 12)...)
		o.PutUint32(b[link:], uint32(len(b)))
		tags := [][3]uint32{{256, 3, 4}, {257, 3, 3}, {258, 3, 8}, {259, 3, 1}, {262, 3, 1}, {273, 4, pixels}, {277, 3, 1}, {278, 3, 3}, {279, 4, 12}}
		b = o.AppendUint16(b, uint16(len(tags)))
		for _, t := range tags {
			b = o.AppendUint32(o.AppendUint32(o.AppendUint16(o.AppendUint16(b, uint16(t[0])), uint16(t[1])), 1), t[2])
		}
		link = len(b)
		b = o.AppendUint32(b, 0)
	}
	return b
}

// read opens a file's content under a name and returns what each of its pages is: a colour at a point, or an error.
func readPages(t *testing.T, name string, b []byte, x, y int) (seen []string, times []time.Duration) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	p := OpenPages(path)
	if p == nil {
		return nil, nil
	}
	defer p.Close()
	for {
		pic, at, err := p.Next(t.Context())
		if errors.Is(err, io.EOF) && err == io.EOF {
			if len(seen) != p.Len() {
				t.Errorf("%s: %d pages, %d announced", name, len(seen), p.Len())
			}
			return seen, times
		}
		if err != nil {
			seen = append(seen, err.Error())
			continue
		}
		if pic.More != 0 {
			t.Errorf("%s: a page has %d more", name, pic.More)
		}
		r, g, bl := pic.At(x, y)
		switch {
		case r == g && g == bl:
			seen = append(seen, string(rune('a'+r)))
		default:
			seen = append(seen, map[[3]uint8]string{{200, 0, 0}: "red", {0, 200, 0}: "green", {0, 0, 200}: "blue"}[[3]uint8{r, g, bl}])
		}
		times = append(times, at)
		pic.Release()
	}
}

// Pages and frames come in their order, each frame as a browser would show it. 'a' is black, 'b' the grey value 1.
func TestPages(t *testing.T) {
	whole, corner := image.Rect(0, 0, 8, 6), image.Rect(0, 0, 4, 3)
	round := tiffOf(1, 2)
	binary.LittleEndian.PutUint32(round[len(round)-4:], binary.LittleEndian.Uint32(round[4:]))
	broken := tiffOf(1, 2, 3)
	second := bytes.Index(broken[8+12+2+9*12+4:], []byte{0, 1, 3, 0}) + 8 + 12 + 2 + 9*12 + 4 // its tag of the width
	binary.LittleEndian.PutUint32(broken[second+8:], 0)
	film := gifOf(t, 8, 6, patch{whole, 1, 0, 7}, patch{corner, 2, 0, 0}, patch{corner, 3, 0, 1}, patch{corner, 1, 0, 50})
	cut := film[:len(film)-12]
	for _, k := range []struct {
		name string
		b    []byte
		want string
	}{
		{"one.gif", gifOf(t, 8, 6, patch{whole, 1, 0, 5}), ""},
		{"kept.gif", gifOf(t, 8, 6, patch{whole, 1, 0, 5}, patch{corner, 2, 0, 5}, patch{image.Rect(5, 4, 8, 6), 3, 0, 5}), "red green green"},
		{"cleared.gif", gifOf(t, 8, 6, patch{corner, 1, gif.DisposalBackground, 5}, patch{image.Rect(5, 4, 8, 6), 3, 0, 5}), "red a"},
		{"restored.gif", gifOf(t, 8, 6, patch{whole, 1, 0, 5}, patch{corner, 2, gif.DisposalPrevious, 5}, patch{image.Rect(5, 4, 8, 6), 3, 0, 5}), "red green red"},
		{"transparent.gif", gifOf(t, 8, 6, patch{whole, 3, 0, 5}, patch{whole, 0, 0, 5}), "blue blue"},
		{"first transparent.GIF", gifOf(t, 8, 6, patch{whole, 0, 0, 5}, patch{whole, 2, 0, 5}), "a green"},
		{"cut.gif", cut, "red green blue"},
		{"film.gif", film, "red green blue red"},
		{"two.tif", tiffOf(1, 2), "b c"},
		{"seven.TIFF", tiffOf(1, 2, 3, 4, 5, 6, 7), "b c d e f g h"},
		{"one.tif", tiffOf(1), ""},
		{"round.tif", round, "b c"},
		{"thumbnail.tif", pages(0, 1), ""},
		{"thumbnails.tif", pages(0, 1, 0, 1), "a a"},
		{"named.gif.tif", gifOf(t, 8, 6, patch{whole, 1, 0, 5}, patch{whole, 2, 0, 5}), "red green"},
		{"other.png", tiffOf(1, 2), ""},
		{"no.tif", []byte("II*\x00\xff\xff\xff\xff"), ""},
		{"empty.gif", nil, ""},
	} {
		seen, _ := readPages(t, k.name, k.b, 1, 1)
		if got := strings.Join(seen, " "); got != k.want && !(k.name == "cut.gif" && strings.HasPrefix(got, k.want+" picture: ") && strings.Contains(got, "frame 4")) {
			t.Errorf("%s: %s; want %s", k.name, got, k.want)
		}
	}
	seen, _ := readPages(t, "broken.tif", broken, 1, 1)
	if len(seen) != 3 || seen[0] != "b" || !strings.Contains(seen[1], "broken.tif: page 2") || seen[2] != "d" {
		t.Errorf("a broken page between others: %q", seen)
	}
	_, times := readPages(t, "film.gif", film, 1, 1)
	// 70 ms; then none and 10 ms, for which browsers take 100 ms.
	for i, want := range []time.Duration{0, 70, 170, 270} {
		if times[i] != want*time.Millisecond {
			t.Errorf("frame %d begins at %v, want %d ms", i, times[i], want)
		}
	}
}

// The first page or frame is the image that Decode reads.
func TestFirstPage(t *testing.T) {
	for name, b := range map[string][]byte{
		"a.gif": gifOf(t, 9, 7, patch{image.Rect(2, 1, 6, 5), 2, 0, 5}, patch{image.Rect(0, 0, 9, 7), 1, 0, 5}), "a.tif": tiffOf(9, 4),
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		want, err := Decode(path)
		if err != nil {
			t.Fatal(err)
		}
		p := OpenPages(path)
		got, _, err := p.Next(t.Context())
		if err != nil || want.More != 1 || got.W != want.W || got.H != want.H || !bytes.Equal(got.Pix, want.Pix) {
			t.Errorf("%s: %v, or other pixels", name, err)
		}
		p.Close()
	}
}

// A hundred thousand frames cost the memory of one, and end with the context; a frame outside the canvas is an error, and the others go on.
func TestManyFrames(t *testing.T) {
	b := gifOf(t, 64, 64, patch{image.Rect(0, 0, 64, 64), 1, 0, 5}, patch{image.Rect(0, 0, 64, 64), 2, 0, 5})
	frame := b[bytes.LastIndex(b, []byte{0x21, 0xf9}) : len(b)-1]
	many := append(bytes.Repeat(frame, 1e5), 0x3b)
	many = append(bytes.Clone(b[:len(b)-1]), many...)
	path := filepath.Join(t.TempDir(), "many.gif")
	if err := os.WriteFile(path, many, 0o600); err != nil {
		t.Fatal(err)
	}
	p := OpenPages(path)
	defer p.Close()
	if p.Len() != 1e5+2 {
		t.Errorf("%d frames", p.Len())
	}
	for range 100 {
		pic, _, err := p.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		pic.Release()
	}
	why := errors.New("the request is over")
	ended, stop := context.WithCancelCause(t.Context())
	stop(why)
	if _, _, err := p.Next(ended); !errors.Is(err, why) {
		t.Errorf("after the end of its context: %v", err)
	}
	outside := bytes.Clone(b)
	at := bytes.LastIndexByte(outside[:bytes.LastIndex(outside, []byte{64, 0, 64, 0})], 0x2c)
	outside[at+1] = 1
	seen, _ := readPages(t, "outside.gif", append(outside[:len(outside)-1], append(bytes.Clone(frame), 0x3b)...), 1, 1)
	if len(seen) != 3 || seen[0] != "red" || !strings.Contains(seen[1], "frame 2") || seen[2] != "green" {
		t.Errorf("a frame outside: %q", seen)
	}
}

// Files cut anywhere are read or an error, without a panic.
func TestPagesCut(t *testing.T) {
	film := gifOf(t, 8, 6, patch{image.Rect(0, 0, 8, 6), 1, 0, 7}, patch{image.Rect(0, 0, 4, 3), 2, 3, 0}, patch{image.Rect(0, 0, 4, 3), 3, 2, 1})
	for name, b := range map[string][]byte{"a.gif": film, "a.tif": tiffOf(1, 2, 3)} {
		for n := range len(b) {
			if seen, _ := readPages(t, name, b[:n], 1, 1); strings.Contains(strings.Join(seen, " "), "panics") {
				t.Fatalf("%s cut after %d bytes: %q", name, n, seen)
			}
		}
	}
}
