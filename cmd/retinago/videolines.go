package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"retinago/infer"
	sources "retinago/internal/media/source"
	shown "retinago/internal/text"
)

// videoLines prints how far videos are, a line every few seconds for each that is shown, with the objects since its last line.
type videoLines struct {
	w     io.Writer
	every time.Duration
	now   func() time.Time
	open  map[int]*videoLine // by input
}

// videoLine is what a video has shown since its last line.
type videoLine struct {
	of      *sources.Video
	path    string
	begin   time.Time // when its first frame was done
	last    time.Time // of its last line
	frames  int       // that were looked at
	count   int       // of the last frame, from 1; frames that were dropped count
	at      time.Duration
	fresh   int               // frames since the last line
	objects []infer.Detection // of these
}

func newVideoLines(w io.Writer) *videoLines {
	return &videoLines{w: w, every: 5 * time.Second, now: time.Now, open: map[int]*videoLine{}}
}

// take takes the result of the next frame of a video.
func (v *videoLines) take(r infer.Result) {
	now := v.now()
	l := v.open[r.Video.Input]
	if l == nil || l.of != r.Video {
		v.end(l)
		l = &videoLine{of: r.Video, path: r.Path, begin: now, last: now}
		v.open[r.Video.Input] = l
	}
	l.frames++
	l.fresh++
	l.count, l.at = r.Count+1, r.Time
	l.objects = append(l.objects, r.Found...)
	if now.Sub(l.last) >= v.every {
		v.print(l)
	}
}

// close prints the last lines of all videos.
func (v *videoLines) close() {
	for _, input := range slices.Sorted(maps.Keys(v.open)) {
		v.end(v.open[input])
	}
	clear(v.open)
}

func (v *videoLines) end(l *videoLine) {
	if l != nil && l.fresh > 0 {
		v.print(l)
	}
}

func (v *videoLines) print(l *videoLine) {
	l.last = v.now()
	fmt.Fprintln(v.w, l.text(l.last.Sub(l.begin)))
	l.fresh, l.objects = 0, l.objects[:0]
}

// text is the line of a video that has taken so long since its first frame. The time that is left is known where the number of frames is.
func (l *videoLine) text(took time.Duration) string {
	text := fmt.Sprintf("%s: frame %d", shown.Printable(l.path), l.count)
	if l.of.Frames >= l.count {
		text += fmt.Sprintf("/%d", l.of.Frames)
	}
	text += fmt.Sprintf(" (%.2f s)", l.at.Seconds())
	if rate := float64(l.frames-1) / took.Seconds(); l.frames > 1 && took > 0 {
		text += fmt.Sprintf("  %.1f frames/s", rate)
		if left := l.of.Frames - l.count; left >= 0 && !l.of.Realtime {
			text += fmt.Sprintf("  eta %s", time.Duration(float64(left)/rate*float64(time.Second)).Round(time.Second))
		}
	}
	return text + fmt.Sprintf("  %s in %s%s", shown.Count(len(l.objects), "object"), shown.Count(l.fresh, "frame"), byClass(l.objects))
}
