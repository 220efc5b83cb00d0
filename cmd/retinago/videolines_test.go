package main

import (
	"strings"
	"testing"
	"time"

	"retinago/detector"
	"retinago/infer"
	sources "retinago/internal/media/source"
)

// A video has a line every five seconds and one at its end, with rate and time left as far as they are known.
func TestVideoLines(t *testing.T) {
	person := infer.Detection{Category: detector.Category{Name: "person"}}
	for _, k := range []struct {
		name  string
		video sources.Video
		count func(i int) int // of the i-th frame that is looked at
		want  []string
	}{
		{"a length", sources.Video{Rate: 10, Frames: 24}, func(i int) int { return i }, []string{
			"a.mp4: frame 6/24 (0.50 s)  1.0 frames/s  eta 18s  6 objects in 6 frames: 6 person",
			"a.mp4: frame 11/24 (1.00 s)  1.0 frames/s  eta 13s  5 objects in 5 frames: 5 person",
			"a.mp4: frame 12/24 (1.10 s)  1.0 frames/s  eta 12s  1 object in 1 frame: 1 person",
		}},
		{"no length", sources.Video{Rate: 10}, func(i int) int { return i }, []string{
			"a.mp4: frame 6 (0.50 s)  1.0 frames/s  6 objects in 6 frames: 6 person",
			"a.mp4: frame 11 (1.00 s)  1.0 frames/s  5 objects in 5 frames: 5 person",
			"a.mp4: frame 12 (1.10 s)  1.0 frames/s  1 object in 1 frame: 1 person",
		}},
		{"dropped frames", sources.Video{Rate: 10, Realtime: true}, func(i int) int { return 2 * i }, []string{
			"a.mp4: frame 11 (1.00 s)  1.0 frames/s  6 objects in 6 frames: 6 person",
			"a.mp4: frame 21 (2.00 s)  1.0 frames/s  5 objects in 5 frames: 5 person",
			"a.mp4: frame 23 (2.20 s)  1.0 frames/s  1 object in 1 frame: 1 person",
		}},
		{"more frames than its header has", sources.Video{Rate: 10, Frames: 8}, func(i int) int { return i }, []string{
			"a.mp4: frame 6/8 (0.50 s)  1.0 frames/s  eta 2s  6 objects in 6 frames: 6 person",
			"a.mp4: frame 11 (1.00 s)  1.0 frames/s  5 objects in 5 frames: 5 person",
			"a.mp4: frame 12 (1.10 s)  1.0 frames/s  1 object in 1 frame: 1 person",
		}},
	} {
		t.Run(k.name, func(t *testing.T) {
			var out strings.Builder
			v := newVideoLines(&out)
			now := time.Unix(0, 0)
			v.now = func() time.Time { return now }
			for i := range 12 {
				r := infer.Result{Found: []infer.Detection{person}}
				r.Path, r.Video, r.Count = "a.mp4", &k.video, k.count(i)
				r.Time = time.Duration(r.Count) * 100 * time.Millisecond
				v.take(r)
				now = now.Add(time.Second)
			}
			now = now.Add(-time.Second)
			v.close()
			if got := strings.Split(strings.TrimSpace(out.String()), "\n"); strings.Join(got, "\n") != strings.Join(k.want, "\n") {
				t.Errorf("the lines are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(k.want, "\n"))
			}
		})
	}
}

// The next video of an input ends the one before; videos of two inputs have lines of their own, and the end prints nothing twice.
func TestVideoLinesOfInputs(t *testing.T) {
	var out strings.Builder
	v := newVideoLines(&out)
	for _, k := range []struct {
		path  string
		video *sources.Video
	}{{"a", &sources.Video{}}, {"b", &sources.Video{Input: 1}}, {"c", &sources.Video{}}} {
		for i := range 2 {
			r := infer.Result{}
			r.Path, r.Video, r.Count = k.path, k.video, i
			v.take(r)
		}
	}
	v.close()
	v.close()
	var names []string
	for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		name, rest, _ := strings.Cut(line, ": frame 2 ")
		if names = append(names, name); !strings.HasSuffix(rest, "0 objects in 2 frames") {
			t.Errorf("%q", line)
		}
	}
	if got := strings.Join(names, " "); got != "a c b" {
		t.Errorf("the lines are of %s", got)
	}
}
