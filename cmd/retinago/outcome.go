package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"retinago/infer"
	"retinago/internal/file"
	"retinago/internal/memory"
	shown "retinago/internal/text"
	"retinago/track"
)

// outcome is the totals of a run of detect.
type outcome struct {
	begin        time.Time
	took         time.Duration
	done, broken int // images and frames; broken videos too
	unwritten    int // files
	more         int // pages and frames of image files behind their first
	manifold     int // files that have such
	frames       int // of done
	objects      int
	dropped      int64
	times        infer.Times
	counts       []track.Total
	crowded      int     // images and frames with as many objects as are reported at most
	most         int     // that number
	scores       string  // the lowest to report, as text; empty where the command line has them
	highest      float32 // score, where there are no objects; 0 if unknown
}

// newOutcome begins one; scores says which are the lowest to report, empty where the command line does.
func newOutcome(scores string) *outcome { return &outcome{begin: time.Now(), scores: scores} }

func (s *outcome) add(r infer.Result) {
	if r.Broken != nil {
		s.broken++
		return
	}
	s.done++
	if r.Video != nil {
		s.frames++
	}
	s.objects += len(r.Found)
	if r.More > 0 {
		s.manifold++
		s.more += r.More
	}
	s.times.Add(r.Times)
}

// detected takes a result before tracking, one after another.
func (s *outcome) detected(r infer.Result, most int) {
	if s.most = most; most > 0 && len(r.Found) >= most {
		s.crowded++
	}
	for _, d := range r.Found {
		s.highest = max(s.highest, d.Score)
	}
}

// end stops the clock.
func (s *outcome) end(dropped int64) { s.took, s.dropped = time.Since(s.begin), dropped }

// unit names one of what was processed.
func (s *outcome) unit() string {
	switch s.frames {
	case 0:
		return "image"
	case s.done:
		return "frame"
	}
	return "image or frame"
}

// stages are the durations of all stages.
func (s *outcome) stages() []stageTime {
	t := s.times
	return []stageTime{{"decode", t.Read}, {"prepare", t.Prepare}, {"network", t.Network}, {"boxes", t.Decode}, {"NMS", t.NMS}, {"track", t.Link}, {"draw and write", t.Write}, {"encode and show", t.Last}}
}

type stageTime struct {
	name  string
	spent time.Duration
}

// print writes the summary, with every stage's time and its share of the time that passed. Stages overlap: the shares add up to more
// than the whole where they do.
func (s *outcome) print(w io.Writer, stages bool) error {
	var b strings.Builder
	seconds := s.took.Seconds()
	fmt.Fprintf(&b, "%s, %s in %s", shown.Count(s.done, s.unit()), shown.Count(s.objects, "object"), s.took.Round(time.Millisecond))
	if s.dropped > 0 {
		fmt.Fprintf(&b, ", %s dropped", shown.Count(s.dropped, "frame"))
	}
	if s.broken > 0 {
		fmt.Fprintf(&b, ", %d broken", s.broken)
	}
	if s.unwritten > 0 {
		fmt.Fprintf(&b, ", %s not written", shown.Count(s.unwritten, "file"))
	}
	if s.objects == 0 && s.highest > 0 {
		fmt.Fprintf(&b, "; the highest score was %.2g", s.highest)
	}
	fmt.Fprintln(&b)
	if s.scores != "" && s.done > 0 {
		fmt.Fprintf(&b, "scores: %s\n", s.scores)
	}
	if n := s.crowded; n > 0 {
		fmt.Fprintf(&b, "%s with %s, the most that -max allows: there may be more\n", shown.Count(n, s.unit()), shown.Count(s.most, "object"))
	}
	if s.more > 0 {
		fmt.Fprintf(&b, "only the first page or frame is looked at of %d image files, which have %d more: save these as files of their own, or as a video\n", s.manifold, s.more)
	}
	for _, t := range s.counts {
		for _, line := range t.Lines() {
			fmt.Fprintf(&b, "%s: %s\n", shown.Printable(t.Source), shown.Printable(line))
		}
	}
	if stages && s.done > 0 {
		for _, v := range s.stages() {
			if v.spent > 0 {
				fmt.Fprintf(&b, "  %-15s %9.3f s %9.2f ms each %6.1f%%\n", v.name, v.spent.Seconds(), ms(v.spent)/float64(s.done), 100*v.spent.Seconds()/seconds)
			}
		}
		fmt.Fprintf(&b, "  %-15s %9.3f s %9.2f %s/s, %d MB at the peak\n", "all, overlapped", seconds, float64(s.done)/seconds, strings.TrimPrefix(shown.Count(0, s.unit()), "0 "), memory.Peak()>>20)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// save writes the summary as JSON; "-" is stdout.
func (s *outcome) save(path string, stdout io.Writer) error {
	highest := s.highest
	if s.objects > 0 {
		highest = 0
	}
	stages := map[string]float64{}
	for _, v := range s.stages() {
		stages[v.name] = v.spent.Seconds()
	}
	js, err := json.MarshalIndent(struct {
		Pictures  int                `json:"pictures"` // and frames
		Objects   int                `json:"objects"`
		Broken    int                `json:"broken"`
		Unwritten int                `json:"unwritten,omitempty"`     // files
		More      int                `json:"further_pages,omitempty"` // pages and frames of image files behind their first
		Dropped   int64              `json:"dropped"`
		Seconds   float64            `json:"seconds"`
		Rate      float64            `json:"pictures_per_second"`
		Stages    map[string]float64 `json:"stage_seconds"`
		Peak      int64              `json:"peak_bytes"`
		Counts    []track.Total      `json:"counts,omitempty"`
		Crowded   int                `json:"crowded,omitempty"`       // images and frames that have as many objects as -max allows
		Highest   float32            `json:"highest_score,omitempty"` // where there are no objects
	}{s.done, s.objects, s.broken, s.unwritten, s.more, s.dropped, s.took.Seconds(), float64(s.done) / s.took.Seconds(), stages, memory.Peak(), s.counts, s.crowded, highest}, "", "  ")
	if err != nil {
		return err
	}
	js = append(js, '\n')
	if path == "-" {
		_, err := stdout.Write(js)
		return err
	}
	return file.WriteBytes(path, js)
}

func ms(d time.Duration) float64 { return 1e3 * d.Seconds() }
