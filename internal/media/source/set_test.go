package source

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"retinago/internal/media/picture"
	"retinago/internal/media/video"
)

// tree makes empty files below a folder.
func tree(t testing.TB, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range files {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(f)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, f), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// names are those of all frames of sources below a folder; "error" stands for a set that does not open.
func names(dir, stdin string, sources ...string) string {
	for i, s := range sources {
		if s != "-" {
			sources[i] = filepath.Join(dir, s)
		}
	}
	s, err := Open(sources, Options{Stdin: strings.NewReader(stdin)})
	if err != nil {
		return "error"
	}
	var out []string
	for f := range s.Frames(context.Background()) {
		if f.Err != nil {
			out = append(out, "broken")
			continue
		}
		out = append(out, JPEG(f.Name))
	}
	return strings.Join(out, " ")
}

func TestNames(t *testing.T) {
	dir := tree(t, "a/x.jpg", "a/y.PNG", "a/sub/x.jpg", "b/x.jpg", "b/x.png", "b/notes.txt", "c,d/p.jpg", "e/x.txt", "a.jpg")
	for _, k := range []struct{ sources, want string }{
		{"a", "sub/x.jpg x.jpg y.PNG.jpg"},
		{"b/*", "notes.txt.jpg x.jpg x.png.jpg"}, // a named file is taken; reading it shows that it is no image
		{"b/x.*", "x.jpg x.png.jpg"},
		{"b/notes.txt", "notes.txt.jpg"},
		{"absent", "error"},
		{"no*such", "error"},
		{"e", "error"}, // nothing to look at
		{"a/x.jpg b/x.jpg b/x.jpg", "x.jpg x_2.jpg x_3.jpg"},
		{"c,d", "p.jpg"}, // a comma in its name
		{"c,d/p.jpg", "p.jpg"},
		{".", "a/sub/x.jpg a/x.jpg a/y.PNG.jpg a.jpg b/x.jpg b/x.png.jpg c,d/p.jpg"}, // folders stand among files by name
	} {
		if got := names(dir, "", strings.Fields(k.sources)...); got != k.want {
			t.Errorf("%s: %s, want %s", k.sources, got, k.want)
		}
	}
	x, y := filepath.Join(dir, "a/x.jpg"), filepath.Join(dir, "b/x.jpg")
	s, err := Open([]string{x + "," + y}, Options{})
	if err != nil || len(s.inputs) != 2 {
		t.Errorf("a list with a comma: %v", err)
	}
	// Names on standard input are looked for when it is their turn.
	if got := names(dir, x+"\r\n\nabsent.jpg\n"+filepath.Join(dir, "a/sub"), "-", "b/x.png"); got != "x.jpg broken x_2.jpg x.png.jpg" {
		t.Errorf("standard input: %s", got)
	}
	got, err := Pictures([]string{filepath.Join(dir, "a"), y})
	if err != nil || len(got) != 4 || got[3] != y {
		t.Errorf("pictures %v, %v", got, err)
	}
	if _, err := Pictures([]string{filepath.Join(dir, "e")}); err == nil || !strings.Contains(err.Error(), "no images") {
		t.Errorf("no pictures: %v", err)
	}
}

func TestParse(t *testing.T) {
	for _, k := range []struct {
		name string
		want []string
	}{
		{"rtsp://u:p@10.0.0.1/live?a=1,2", []string{"rtsp://u:p@10.0.0.1/live?a=1,2"}},
		{"rtsp://a/x,rtsp://b/y,cam:1", []string{"rtsp://a/x", "rtsp://b/y", "cam:1"}},
		{"cam:0,cam:1", []string{"cam:0", "cam:1"}},
	} {
		if got := split(k.name); !slices.Equal(got, k.want) {
			t.Errorf("%s: %q, want %q", k.name, got, k.want)
		}
	}
	if in, err := parse("cam:12"); err != nil || in.kind != camera || in.cam != 12 {
		t.Errorf("%+v, %v", in, err)
	}
	for _, name := range []string{"cam:", "cam:x", "cam:-1"} {
		if _, err := parse(name); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for address, want := range map[string]string{"rtsp://me:secret@10.0.0.1:554/a/b?x=1": "10.0.0.1_554_a_b", "cam:3": "cam_3", "http://h/": "h"} {
		if got := plain(address); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
	if _, err := Open([]string{"-"}, Options{}); err == nil {
		t.Error("no standard input, no error")
	}
}

// A folder that cannot be read is told, and the others are.
func TestWalkUnreadable(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root reads everything")
	}
	dir := tree(t, "a/x.jpg", "b/x.jpg", "c/x.jpg")
	if err := os.Chmod(filepath.Join(dir, "b"), 0); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(filepath.Join(dir, "b"), 0o755)
	if got := names(dir, "", "."); got != "a/x.jpg broken c/x.jpg" {
		t.Errorf("%s", got)
	}
}

// film is a video that was thought up.
type film struct {
	format video.Format
	n      int           // frames
	at     int           //
	bad    map[int]bool  // frames that cannot be read
	wait   time.Duration // before each
	stamps []time.Duration
	closed *int
}

var errBad = errors.New("no such block")

func (f *film) Format() video.Format { return f.format }

func (f *film) Read() (*picture.Picture, time.Duration, error) {
	time.Sleep(f.wait)
	n := f.at
	if n >= f.n {
		return nil, 0, video.ErrEnd
	}
	f.at++
	if f.bad[n] {
		return nil, 0, errBad
	}
	if f.stamps != nil {
		return picture.New(2, 2), f.stamps[n], nil
	}
	return picture.New(2, 2), time.Duration(n) * time.Second, nil
}

func (f *film) Close() error {
	*f.closed++
	return nil
}

// A video's frames come with their numbers; broken ones are told and passed over, and so is an end that comes too soon.
func TestVideo(t *testing.T) {
	dir := tree(t, "a.mp4", "b.jpg")
	for _, k := range []struct {
		told, have int
		bad        map[int]bool
		want       string
	}{
		{0, 3, nil, "a.mp4:0 a.mp4:1 a.mp4:2 b.jpg"},
		{4, 3, nil, "a.mp4:0 a.mp4:1 a.mp4:2 b.jpg"}, // counted one too many
		{9, 3, nil, "a.mp4:0 a.mp4:1 a.mp4:2 cut b.jpg"},
		{3, 0, nil, "cut b.jpg"},
		{3, 3, map[int]bool{1: true}, "a.mp4:0 bad a.mp4:2 b.jpg"},
	} {
		s, err := Open([]string{filepath.Join(dir, "a.mp4"), filepath.Join(dir, "b.jpg")}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		closed := 0
		s.open = func(input) (reader, error) {
			return &film{format: video.Format{Frames: k.told, Rate: 5}, n: k.have, bad: k.bad, closed: &closed}, nil
		}
		var got []string
		i := 0
		for f := range s.Frames(context.Background()) {
			if f.Index != i {
				t.Errorf("frame %d has index %d", i, f.Index)
			}
			i++
			switch {
			case errors.Is(f.Err, errBad) && strings.Contains(f.Err.Error(), "frame 1"):
				got = append(got, "bad")
			case f.Err != nil:
				got = append(got, "cut")
			case f.Video == nil:
				got = append(got, f.Name)
			default:
				if f.Time != time.Duration(f.Count)*time.Second || f.Video.Rate != 5 || f.Pic == nil {
					t.Errorf("frame %+v", f)
				}
				got = append(got, fmt.Sprintf("%s:%d", f.Name, f.Count))
			}
		}
		if text := strings.Join(got, " "); text != k.want || closed != 1 {
			t.Errorf("%d of %d frames: %s, want %s; closed %d times", k.have, k.told, text, k.want, closed)
		}
	}
	// One that is broken for good is given up.
	s, _ := Open([]string{filepath.Join(dir, "a.mp4")}, Options{})
	all, closed := map[int]bool{}, 0
	for i := range 10000 {
		all[i] = true
	}
	s.open = func(input) (reader, error) { return &film{n: 10000, bad: all, closed: &closed}, nil }
	n := 0
	for range s.Frames(context.Background()) {
		n++
	}
	if n != faults {
		t.Errorf("%d broken frames were tried, want %d", n, faults)
	}
}

// With Retries below 0 a live source that breaks is not opened again.
func TestNoRetries(t *testing.T) {
	s, err := Open([]string{"rtsp://host/x"}, Options{Retries: -1, Notice: func(text string) { t.Errorf("notice: %s", text) }})
	if err != nil {
		t.Fatal(err)
	}
	opened := 0
	s.open = func(input) (reader, error) { opened++; return nil, errors.New("refused") }
	var last error
	for f := range s.Frames(context.Background()) {
		last = f.Err
	}
	if opened != 1 || last == nil || !strings.Contains(last.Error(), "refused") || strings.Contains(last.Error(), "opened again") {
		t.Errorf("opened %d times, %v", opened, last)
	}
}

// A live source is opened again when it breaks, less and less often, and given up after Retries; images come meanwhile. No goroutine
// is left behind: a bubble of synctest fails where one is.
func TestReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := tree(t, "b.jpg")
		var notices []string
		s, err := Open([]string{"rtsp://me:secret@host/x", filepath.Join(dir, "b.jpg")}, Options{Retries: 3, Notice: func(text string) { notices = append(notices, text) }})
		if err != nil {
			t.Fatal(err)
		}
		s.backoff = time.Millisecond
		opened, closed := 0, 0
		s.open = func(input) (reader, error) {
			if opened++; opened == 2 || opened > 3 {
				return nil, errors.New("refused")
			}
			return &film{n: 2, wait: 20 * time.Millisecond, closed: &closed}, nil
		}
		var counts []int
		var last error
		pictures := 0
		for f := range s.Frames(context.Background()) {
			switch {
			case f.Err != nil:
				last = f.Err
			case f.Video == nil:
				pictures++
			default:
				if !f.Video.Realtime || f.Name != "host_x" || f.Path != "rtsp://***@host/x" {
					t.Errorf("frame %+v", f)
				}
				counts = append(counts, f.Count)
			}
		}
		if !slices.Equal(counts, []int{0, 1, 2, 3}) || pictures != 1 || opened != 6 || closed != 2 {
			t.Errorf("frames %v, %d pictures, opened %d times, closed %d times", counts, pictures, opened, closed)
		}
		if last == nil || !strings.Contains(last.Error(), "3 times") || strings.Contains(last.Error(), "secret") {
			t.Errorf("the end: %v", last)
		}
		if len(notices) != 5 || !strings.Contains(notices[0], "in 1ms") || !strings.Contains(notices[1], "in 2ms") || !strings.Contains(notices[2], "in 1ms") {
			t.Errorf("notices %q", notices)
		}

		s, _ = Open([]string{"cam:7"}, Options{})
		s.open = func(input) (reader, error) { return nil, errors.New("no camera 7") }
		for f := range s.Frames(context.Background()) {
			if f.Err == nil || !strings.Contains(f.Err.Error(), "camera 7") {
				t.Errorf("%+v", f)
			}
		}
	})
}

// A receiver that is slower than a realtime source gets the newest frames, and the number of dropped ones.
func TestDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := Open([]string{"cam:0"}, Options{Retries: 1})
		if err != nil {
			t.Fatal(err)
		}
		s.backoff = time.Millisecond
		closed := 0
		s.open = func(input) (reader, error) {
			if closed > 0 {
				return nil, errors.New("gone")
			}
			return &film{n: 60, wait: 3 * time.Millisecond, closed: &closed}, nil
		}
		taken, last := 0, -1
		for f := range s.Frames(context.Background()) {
			if f.Err != nil {
				continue
			}
			if f.Count <= last {
				t.Errorf("frame %d after %d", f.Count, last)
			}
			taken, last = taken+1, f.Count
			time.Sleep(20 * time.Millisecond)
		}
		if taken+int(s.Dropped()) != 60 || s.Dropped() < 10 || last != 59 {
			t.Errorf("%d frames were taken and %d dropped, the last is %d", taken, s.Dropped(), last)
		}
		// Left or cancelled, nothing stays.
		for range 2 {
			s, _ := Open([]string{"cam:0", "cam:1"}, Options{})
			s.open = func(input) (reader, error) { return &film{n: 1 << 30, wait: time.Millisecond, closed: new(int)}, nil }
			ctx, cancel := context.WithCancel(context.Background())
			lanes := map[int]bool{}
			for f := range s.Frames(ctx) {
				if lanes[f.Video.Input] = true; len(lanes) == 2 {
					cancel()
				}
			}
			cancel()
			time.Sleep(time.Millisecond) // each reader ends with its frame
		}
	})
}

func FuzzSplit(f *testing.F) {
	f.Add("rtsp://a,b,cam:0")
	f.Fuzz(func(t *testing.T, name string) {
		if got := strings.Join(split(name), ","); got != name {
			t.Errorf("%q became %q", name, got)
		}
		if p := plain(name); strings.ContainsAny(p, "/\\") {
			t.Errorf("%q as a file: %q", name, p)
		}
	})
}

func BenchmarkWalk(b *testing.B) {
	dir := b.TempDir()
	for i := range 2000 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%05d.jpg", i)), nil, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		s, err := Open([]string{dir}, Options{})
		if err != nil {
			b.Fatal(err)
		}
		for range s.Frames(context.Background()) {
		}
	}
}
