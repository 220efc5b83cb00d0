package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"retinago/internal/memory"
)

// realData is a folder of the real test pictures. They are no part of the project.
func realData(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join("..", "..", "shared", "data", name)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the real pictures of %s are not here", dir)
	}
	return dir
}

// farthest is the largest difference of two pictures in any channel, 256 for different sizes.
func farthest(a, b *Picture) int {
	if a.W != b.W || a.H != b.H {
		return 256
	}
	d := 0
	for i := range a.Pix {
		d = max(d, abs(int(a.Pix[i])-int(b.Pix[i])))
	}
	return d
}

// gradient is a picture without symmetry: red rises to the right, green downwards.
func gradient(w, h int) *Picture {
	p := New(w, h)
	for y := range h {
		for x := range w {
			p.Set(x, y, uint8(40+160*x/w), uint8(20+200*y/h), 90)
		}
	}
	return p
}

func encode(t *testing.T, f func(*bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := f(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestDecodeFormats(t *testing.T) {
	p := gradient(37, 23)
	m := p.image()
	files := map[string]struct {
		b   []byte
		tol int
	}{
		"png":  {encode(t, func(b *bytes.Buffer) error { return png.Encode(b, m) }), 0},
		"bmp":  {encode(t, func(b *bytes.Buffer) error { return bmp.Encode(b, m) }), 0},
		"tiff": {encode(t, func(b *bytes.Buffer) error { return tiff.Encode(b, m, nil) }), 0},
		"jpeg": {encode(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, m, &jpeg.Options{Quality: 98}) }), 12},
	}
	for name, f := range files {
		q, err := DecodeBytes(name, f.b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if d := farthest(p, q); d > f.tol {
			t.Errorf("%s: a pixel is off by %d", name, d)
		}
	}
}

// Pictures that are not RGB: gray, 16-bit gray, 16-bit colour, palette, transparency, an animation's first frame.
func TestDecodeModels(t *testing.T) {
	const w, h = 6, 4
	want := New(w, h)
	gray, gray16 := image.NewGray(image.Rect(0, 0, w, h)), image.NewGray16(image.Rect(0, 0, w, h))
	rgb16, clear := image.NewNRGBA64(image.Rect(0, 0, w, h)), image.NewNRGBA(image.Rect(0, 0, w, h))
	pal := image.NewPaletted(image.Rect(0, 0, w, h), nil)
	for y := range h {
		for x := range w {
			v := uint8(10*x + 40*y)
			want.Set(x, y, v, v, v)
			gray.SetGray(x, y, color.Gray{v})
			gray16.SetGray16(x, y, color.Gray16{uint16(v)<<8 | 0x55})
			rgb16.SetNRGBA64(x, y, color.NRGBA64{uint16(v) << 8, uint16(v) << 8, uint16(v) << 8, 0xffff})
			clear.SetNRGBA(x, y, color.NRGBA{v, v, v, uint8(60 + 20*x)})
			pal.Palette = append(pal.Palette, color.RGBA{v, v, v, 255})
			pal.SetColorIndex(x, y, uint8(len(pal.Palette)-1))
		}
	}
	for name, m := range map[string]image.Image{"gray": gray, "gray16": gray16, "rgb16": rgb16, "transparent": clear, "palette": pal} {
		q, err := DecodeBytes(name, encode(t, func(b *bytes.Buffer) error { return png.Encode(b, m) }))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if d := farthest(want, q); d > 0 {
			t.Errorf("%s: a pixel is off by %d", name, d)
		}
	}
	q, err := DecodeBytes("gif", encode(t, func(b *bytes.Buffer) error {
		return gif.EncodeAll(b, &gif.GIF{Image: []*image.Paletted{pal, pal}, Delay: []int{1, 1}})
	}))
	if err != nil {
		t.Fatal(err)
	}
	if d := farthest(want, q); d > 0 {
		t.Errorf("gif: a pixel is off by %d", d)
	}
}

// withExif puts an EXIF block with an orientation into a JPEG, as a camera does.
func withExif(jpg []byte, orientation uint16, order binary.ByteOrder) []byte {
	block := []byte("Exif\x00\x00II*\x00")
	if order == binary.ByteOrder(binary.BigEndian) {
		block = []byte("Exif\x00\x00MM\x00*")
	}
	block = append(block, make([]byte, 4+2+12+4)...)
	tiff := block[6:]
	order.PutUint32(tiff[4:], 8)
	order.PutUint16(tiff[8:], 1)
	order.PutUint16(tiff[10:], 0x0112)
	order.PutUint16(tiff[12:], 3)
	order.PutUint32(tiff[14:], 1)
	order.PutUint16(tiff[18:], orientation)
	out := append([]byte{0xff, 0xd8, 0xff, 0xe1}, 0, 0)
	binary.BigEndian.PutUint16(out[4:], uint16(len(block)+2))
	return append(append(out, block...), jpg[2:]...)
}

// stored returns how a camera stores an upright picture under an EXIF orientation. (EXIF 2.3, 4.6.4 A: 1 is top-left, 2
// top-right, ... 8 left-bottom for where row 0 and column 0 are.)
func stored(p *Picture, orientation int) *Picture {
	w, h := p.W, p.H
	if orientation >= 5 {
		w, h = h, w
	}
	q := New(w, h)
	for y := range p.H {
		for x := range p.W {
			r, g, b := p.At(x, y)
			fx, fy := p.W-1-x, p.H-1-y
			sx, sy := [...]int{1: x, 2: fx, 3: fx, 4: x, 5: y, 6: y, 7: fy, 8: fy}[orientation],
				[...]int{1: y, 2: y, 3: fy, 4: fy, 5: x, 6: fx, 7: fx, 8: x}[orientation]
			q.Set(sx, sy, r, g, b)
		}
	}
	return q
}

func TestOrientation(t *testing.T) {
	p := gradient(48, 32)
	for o := 1; o <= 8; o++ {
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			jpg := encode(t, func(b *bytes.Buffer) error {
				return jpeg.Encode(b, stored(p, o).image(), &jpeg.Options{Quality: 100})
			})
			q, err := DecodeBytes("exif", withExif(jpg, uint16(o), order))
			if err != nil {
				t.Fatal(err)
			}
			if d := farthest(p, q); d > 12 {
				t.Errorf("orientation %d, %v: %dx%d, a pixel is off by %d", o, order, q.W, q.H, d)
			}
		}
	}
}

func TestOrientationOfRealPictures(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(realData(t, "bad_images"), "exif", "*.jpg"))
	if err != nil || len(files) < 9 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	upright, err := Decode(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files[1:] {
		p, err := Decode(f)
		if err != nil {
			t.Fatal(err)
		}
		w, h, err := Size(f)
		if err != nil || w != p.W || h != p.H {
			t.Errorf("%s: the header says %dx%d upright, the picture is %dx%d (%v)", f, w, h, p.W, p.H, err)
		}
		if p.W != upright.W || p.H != upright.H {
			t.Errorf("%s: %dx%d, want %dx%d", f, p.W, p.H, upright.W, upright.H)
			continue
		}
		sum := 0
		for i := range p.Pix {
			sum += abs(int(p.Pix[i]) - int(upright.Pix[i]))
		}
		if mean := float64(sum) / float64(len(p.Pix)); mean > 8 {
			t.Errorf("%s: differs from %s by %.1f on average", f, files[0], mean)
		}
	}
}

// A header that is longer than what is read first, and a file that is.
func TestSizeOfLongFiles(t *testing.T) {
	dir := t.TempDir()
	long := filepath.Join(dir, "long.jpg")
	if err := New(30, 20).WriteJPEG(long, 90); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(long)
	if err != nil {
		t.Fatal(err)
	}
	// Five application segments of 65535 bytes, and an EXIF that turns the picture by a quarter.
	var head []byte
	for range 5 {
		head = append(append(head, 0xff, 0xe5, 0xff, 0xff), make([]byte, 65533)...)
	}
	tiff := "II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00"
	exif := "Exif\x00\x00" + tiff
	head = append(append(head, 0xff, 0xe1, 0, byte(len(exif)+2)), exif...)
	if err := os.WriteFile(long, slices.Concat(b[:2], head, b[2:]), 0o644); err != nil {
		t.Fatal(err)
	}
	if w, h, err := Size(long); err != nil || w != 20 || h != 30 {
		t.Errorf("a long header: %dx%d, %v; want 20x30", w, h, err)
	}
	big := filepath.Join(dir, "big.png")
	p := New(400, 300)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range p.Pix {
		p.Pix[i] = uint8(r.Uint32()) // noise, so that it stays big
	}
	if err := p.WritePNG(big); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(big); err != nil || st.Size() <= headerBytes {
		t.Fatalf("the file is small: %v, %v", st, err)
	}
	if w, h, err := Size(big); err != nil || w != 400 || h != 300 {
		t.Errorf("a big file: %dx%d, %v", w, h, err)
	}
	if _, _, err := Size(filepath.Join(dir, "absent.png")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// PngSuite: what is broken is refused, everything else is what Go's own decoder reads.
func TestPngSuite(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(realData(t, "bad_images"), "png", "*.png"))
	if err != nil || len(files) < 170 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		p, err := Decode(f)
		if strings.HasPrefix(filepath.Base(f), "x") {
			if err == nil {
				t.Errorf("%s is broken and was decoded", f)
			} else if !strings.Contains(err.Error(), f) {
				t.Errorf("the error does not name %s: %v", f, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s is sound: %v", f, err)
			continue
		}
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		m, err := png.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		q := FromImage(m).turned(orientation(b))
		if p.W != q.W || p.H != q.H {
			t.Errorf("%s: %dx%d, want %dx%d", f, p.W, p.H, q.W, q.H)
			continue
		}
		worst := 0
		for i := range q.Pix {
			worst = max(worst, abs(int(p.Pix[i])-int(q.Pix[i])))
		}
		if worst > 1 && !transparent(m) {
			t.Errorf("%s: a pixel is off by %d", f, worst)
		}
	}
}

// transparent tells whether a picture has pixels whose colour cannot be told after Go's premultiplication.
func transparent(m image.Image) bool {
	o, ok := m.(interface{ Opaque() bool })
	return !ok || !o.Opaque()
}

// Go's own test pictures: CMYK, progressive, odd samplings; and those that are cut.
func TestGoPictures(t *testing.T) {
	dir := filepath.Join(runtime.GOROOT(), "src", "image", "testdata")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("this Go comes without its sources")
	}
	var jpegs int
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".jpeg") && !strings.HasSuffix(path, ".png") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		m, _, ref := image.Decode(bytes.NewReader(b))
		p, err := Decode(path)
		if ref != nil {
			if err == nil {
				t.Errorf("%s was decoded, Go says: %v", path, ref)
			}
			return nil
		}
		if err != nil {
			t.Errorf("%s: %v", path, err)
			return nil
		}
		jpegs++
		q := FromImage(m)
		sum := 0
		for i := range q.Pix {
			sum += abs(int(p.Pix[i]) - int(q.Pix[i]))
		}
		// Decoders differ in how they interpolate colour.
		if mean := float64(sum) / float64(len(q.Pix)); mean > 5 {
			t.Errorf("%s: differs from Go's decoder by %.1f on average", path, mean)
		}
		return nil
	})
	if err != nil || jpegs < 10 {
		t.Fatalf("%d pictures, %v", jpegs, err)
	}
}

// A file that ends anywhere before its end is an error; one with flipped bits is an error or a picture.
func TestDecodeDamaged(t *testing.T) {
	p := gradient(64, 48)
	for name, b := range map[string][]byte{
		"png": encode(t, func(b *bytes.Buffer) error { return png.Encode(b, p.image()) }),
		"jpg": encode(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, p.image(), nil) }),
	} {
		for n := 0; n < len(b)-2; n += 1 + len(b)/200 {
			if _, err := DecodeBytes(name, b[:n]); err == nil {
				t.Errorf("%s: %d of %d bytes were decoded", name, n, len(b))
			}
		}
		r := rand.New(rand.NewPCG(1, 2))
		for range 300 {
			c := bytes.Clone(b)
			for range 1 + r.IntN(4) {
				c[r.IntN(len(c))] ^= 1 << r.IntN(8)
			}
			if q, err := DecodeBytes(name, c); err == nil && len(q.Pix) != 3*q.W*q.H {
				t.Fatalf("%s: %dx%d with %d values", name, q.W, q.H, len(q.Pix))
			}
		}
	}
}

func TestDecodeErrors(t *testing.T) {
	dir := t.TempDir()
	huge := encode(t, func(b *bytes.Buffer) error { return png.Encode(b, New(1, 1).image()) })
	binary.BigEndian.PutUint32(huge[16:], 1<<20)
	binary.BigEndian.PutUint32(huge[20:], 1<<20)
	for name, f := range map[string]struct {
		content []byte
		want    string
	}{
		"empty.jpg": {nil, "empty"},
		"text.png":  {[]byte("this is no picture at all"), "no picture"},
		"huge.png":  {huge, "damaged"}, // the checksum betrays it first
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, f.content, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Decode(path); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), f.want) {
			t.Errorf("%s: %v; want the path and %q", name, err, f.want)
		}
	}
	if _, err := Decode(filepath.Join(dir, "absent.jpg")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent: %v", err)
	}
}

// A header that asks for more pixels than there can be is refused before memory is taken.
func TestDecodeHuge(t *testing.T) {
	b := encode(t, func(b *bytes.Buffer) error { return bmp.Encode(b, New(2, 2).image()) })
	binary.LittleEndian.PutUint32(b[18:], 60000)
	binary.LittleEndian.PutUint32(b[22:], 60000)
	if _, err := DecodeBytes("huge.bmp", b); err == nil || !strings.Contains(err.Error(), "60000x60000") {
		t.Errorf("%v; want its size", err)
	}
}

// OpenCV's pictures live outside of Go's heap: decoding must give them back.
func TestDecodeLeak(t *testing.T) {
	b := encode(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, gradient(800, 600).image(), nil) })
	work := func(n int) {
		for range n {
			if _, err := DecodeBytes("leak", b); err != nil {
				t.Fatal(err)
			}
		}
		runtime.GC()
	}
	work(30)
	before := memory.Resident()
	work(200) // leaks of one picture each would be 288 MB
	if grown := memory.Resident() - before; grown > 48<<20 {
		t.Errorf("200 pictures left %d MB behind", grown>>20)
	}
}

// A file's content tells its size, upright, also where it is more than is decoded; what is no picture is told apart.
func TestSizeBytes(t *testing.T) {
	jpg := encode(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, New(8, 5).image(), nil) })
	for _, c := range []struct {
		name string
		b    []byte
		w, h int
	}{
		{"jpeg", jpg, 8, 5},
		{"turned", withExif(jpg, 6, binary.LittleEndian), 5, 8},
		{"huge", hugePNG(t, 97_000_000, 1_000_000_000), 97_000_000, 1_000_000_000},
	} {
		if w, h, err := SizeBytes(c.name, c.b); err != nil || w != c.w || h != c.h {
			t.Errorf("%s: %dx%d, want %dx%d; %v", c.name, w, h, c.w, c.h, err)
		}
	}
	if _, _, err := SizeBytes("text", []byte("hello")); !errors.Is(err, image.ErrFormat) {
		t.Errorf("text: %v", err)
	}
	if _, _, err := SizeBytes("cut", jpg[:20]); err == nil || errors.Is(err, image.ErrFormat) {
		t.Errorf("a cut header: %v", err)
	}
}
