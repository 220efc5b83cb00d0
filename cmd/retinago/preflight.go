package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"retinago/infer"
	"retinago/internal/file"
	"retinago/internal/media/output"
	"retinago/internal/media/register"
	sources "retinago/internal/media/source"
	shown "retinago/internal/text"
)

// places are the folders for a detection's results; nil are those that are not asked for.
type places struct {
	register         *register.Register
	out, yolo, crops *register.Folder
	left             bool // files are no sources, because they are results
}

func newPlaces(c *cli.Context, g *register.Register) *places {
	p := &places{register: g}
	for flag, f := range map[string]**register.Folder{"out": &p.out, "yolo": &p.yolo, "crops": &p.crops} {
		if dir := c.String(flag); dir != "" {
			*f = g.Folder("-"+flag, dir)
		}
	}
	return p
}

// leave returns the function that keeps results from being sources: what lies in -out or -crops below a folder of sources is left
// out, and where such a folder is a source itself, earlier results in it are. notice is called once for each of the two.
func (p *places) leave(notice func(string)) func(folder, path string) bool {
	type place struct{ folder, dir string }
	type holder struct {
		of   *register.Folder // what holds the files of a folder; nil for none
		self bool             // the folder of sources is the same
	}
	inside := map[place]holder{}
	told := map[*register.Folder]bool{}
	return func(folder, path string) bool {
		at := place{folder, filepath.Dir(path)}
		h, known := inside[at]
		if !known {
			for _, f := range []*register.Folder{p.out, p.crops} {
				if f != nil && f.Holds(at.dir) && (f.Below(folder) || f.Is(folder)) && (h.of == nil || h.self) {
					h = holder{f, f.Is(folder)}
				}
			}
			inside[at] = h
		}
		if h.of == nil || h.self && !file.Mine(path) {
			return false
		}
		if !told[h.of] {
			told[h.of], p.left = true, true
			notice(fmt.Sprintf("left out: results in %s are no sources", shown.Printable(h.of.Dir())))
		}
		return true
	}
}

// check records the files of a set as inputs and returns an error if results would take the place of one of them, or of another file that
// no earlier detection wrote. Names on standard input, and frames after the first of a video, are checked when they are written.
func (p *places) check(set *sources.Set) error {
	type source struct {
		path, name string
		video      bool
	}
	var all []source
	set.Files(func(path, name string, video bool) {
		p.register.Input("a source of this run", path)
		if p.out != nil || p.yolo != nil {
			all = append(all, source{path, name, video})
		}
	})
	const most = 20
	var first []string
	n := 0
	seen := map[string]bool{}
	note := func(err error) {
		if err == nil || seen[err.Error()] {
			return
		}
		seen[err.Error()] = true
		if n++; n <= most {
			first = append(first, shown.Printable(err.Error()))
		}
	}
	for _, s := range all {
		r := infer.Result{Frame: sources.Frame{Path: s.path, Name: s.name}}
		if s.video {
			r.Video = &sources.Video{}
		}
		if p.out != nil {
			note(p.out.Check(output.CopyName(r), output.CopyRoom(r)))
		}
		if p.yolo != nil {
			note(p.yolo.Check(output.LabelName(r), 0))
		}
	}
	switch {
	case n == 0:
		return nil
	case n > most:
		first = append(first, fmt.Sprintf("and %d more", n-most))
	}
	return errors.New("nothing is written, since files would be lost:\n  " + strings.Join(first, "\n  "))
}
