package main

import (
	"fmt"
	"io"
	"time"

	"retinago/infer"
	sources "retinago/internal/media/source"
	"retinago/internal/progress"
	shown "retinago/internal/text"
)

// meter reports how many images are done and the time that is left: in the line of a terminal, elsewhere in a line every five seconds.
func meter(w io.Writer) infer.Progress {
	line := progress.On(w)
	begin, last := time.Now(), time.Now()
	return func(done, total int) {
		left := progress.Left(begin, int64(done), int64(total))
		switch now := time.Now(); {
		case done == total:
			line.Clear()
		case line != nil:
			line.Show(progress.Status{What: fmt.Sprintf("images %d/%d", done, total), Done: int64(done), Total: int64(total), Left: left})
		case now.Sub(last) >= 5*time.Second:
			last = now
			fmt.Fprintf(w, "%d of %d images, %s left\n", done, total, left.Round(time.Second))
		}
	}
}

// downloading reports how much of a file is there: in the line of a terminal, elsewhere in a line every two seconds.
func downloading(w io.Writer) func(done, total int64) {
	line := progress.On(w)
	begun := time.Now()
	said, first := begun, int64(-1)
	return func(done, total int64) {
		if first < 0 {
			first = done // of an earlier download
		}
		now := time.Now()
		if line == nil && now.Sub(said) < 2*time.Second && done != total {
			return
		}
		said = now
		rate := float64(done-first) / now.Sub(begun).Seconds()
		left := time.Duration(-1)
		size, speed := fmt.Sprintf("%.1f MB", float64(done)/1e6), fmt.Sprintf("%.1f MB/s", rate/1e6)
		if total > 0 && rate > 0 {
			left = time.Duration(float64(total-done) / rate * float64(time.Second))
			size = fmt.Sprintf("%.1f of %.1f MB", float64(done)/1e6, float64(total)/1e6)
		}
		switch {
		case line != nil && done != total:
			line.Show(progress.Status{What: size, Done: done, Total: total, Left: left, Notes: []string{speed}})
		case left < 0:
			line.Clear()
			fmt.Fprintf(w, "  %s  %s\n", size, speed)
		default:
			line.Clear()
			fmt.Fprintf(w, "  %s  %s  eta %s\n", size, speed, left.Round(time.Second))
		}
	}
}

// headway shows how far detection is, in the line of a terminal.
type headway struct {
	line  *progress.Line // nil without a terminal, and of -quiet
	files int            // that are known before: images and videos
	begun time.Time
	done  int            // files
	video *sources.Video // that frames come from; nil for images
	since time.Time      // when the video began
}

// newHeadway counts the files of a set.
func newHeadway(w io.Writer, quiet bool, set *sources.Set) *headway {
	h := &headway{line: progress.On(w), begun: time.Now()}
	if quiet {
		h.line = nil
	}
	if h.line != nil {
		set.Files(func(string, string, bool) { h.files++ })
	}
	return h
}

// show takes the result of the next image or frame, and the number of objects so far.
func (h *headway) show(r infer.Result, objects int) {
	if h.line == nil {
		return
	}
	if r.Video != h.video || r.Video == nil {
		if h.video != nil {
			h.done++
		}
		h.video, h.since = r.Video, time.Now()
	}
	notes := []string{shown.Count(objects, "object")}
	if r.Video != nil {
		n, all := int64(r.Count+1), int64(r.Video.Frames)
		s := progress.Status{What: fmt.Sprintf("frame %d", n), Done: n, Left: -1, Notes: notes}
		if all >= n {
			s.What, s.Total, s.Left = fmt.Sprintf("frame %d/%d", n, all), all, progress.Left(h.since, n, all)
		}
		if h.files > 1 {
			s.Notes = append([]string{fmt.Sprintf("file %d/%d", min(h.done+1, h.files), h.files)}, notes...)
		}
		h.line.Show(s)
		return
	}
	h.done++
	n, all := int64(h.done), int64(h.files)
	s := progress.Status{What: fmt.Sprintf("images %d", n), Done: n, Left: -1, Notes: notes}
	if all >= n { // names that come on standard input are not counted before
		s.What, s.Total, s.Left = fmt.Sprintf("files %d/%d", n, all), all, progress.Left(h.begun, n, all)
	}
	h.line.Show(s)
}
