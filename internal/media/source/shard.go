package source

import (
	"context"
	"fmt"
	"iter"
	"math"
	"os"
	"path/filepath"
)

// Shard is one of Count parts of a set's files, from part 0: as many files that follow each other as in any other part, or one less. The
// frames of a part have the names and indexes that they have in the whole set, except that the frames of videos before them count as one.
// The zero value is the whole set.
type Shard struct{ Index, Count int }

// of returns the first file of the part, and the one after its last, of n files.
func (s Shard) of(n int) (from, to int) {
	if s.Count < 2 {
		return 0, math.MaxInt
	}
	return s.Index * n / s.Count, (s.Index + 1) * n / s.Count
}

// refuse is the error of an input that has no parts.
func (s Shard) refuse(in input) error {
	switch {
	case s.Count < 2 || in.kind == files:
		return nil
	case in.kind == stdin:
		return fmt.Errorf("source: -: names on standard input have no parts: name files, folders or globs")
	}
	return fmt.Errorf("source: %s: a camera or stream has no parts: name files, folders or globs", in.shown())
}

// unit is a file among the sources: an image, a video, or what cannot be read.
type unit struct {
	path   string
	name   string // of results, before it is made unique
	series bool   // it came with others
	err    error
}

// units yields the files of inputs in their order.
func (s *Set) units(ctx context.Context, in []input) iter.Seq[unit] {
	return func(yield func(unit) bool) {
		for _, in := range in {
			if in.kind == files {
				paths, err := glob(in.name)
				if !s.expand(in.name, paths, err, yield) {
					return
				}
				continue
			}
			for name, err := range s.lines(ctx) {
				if err != nil {
					if !yield(unit{path: "standard input", name: "stdin", err: err}) {
						return
					}
					continue
				}
				// A line is a name, never a pattern.
				name = local(name)
				if _, err = os.Stat(name); err != nil {
					err = absentFile(name, err)
				}
				if !s.expand(name, []string{name}, err, func(u unit) bool { u.series = true; return yield(u) }) {
					return
				}
			}
		}
	}
}

// expand yields the images, videos and folders that a name stands for. Below a folder, names keep their path relative to it.
func (s *Set) expand(name string, paths []string, err error, yield func(unit) bool) bool {
	if err != nil {
		return yield(unit{path: name, err: err})
	}
	folder, err := os.Stat(paths[0])
	series := len(paths) > 1 || s.beside[filepath.Dir(name)] > 1 || err == nil && folder.IsDir()
	for _, path := range paths {
		st, err := os.Stat(path)
		if err != nil || !st.IsDir() {
			if !yield(unit{path: path, name: filepath.Base(path), series: series}) {
				return false
			}
			continue
		}
		if !walk(path, wanted, func(file string, err error) bool {
			if err != nil {
				return yield(unit{path: file, err: err})
			}
			return s.options.Leave(path, file) || yield(unit{path: file, name: below(path, file), series: series})
		}) {
			return false
		}
	}
	return true
}

// part yields the units of the set's shard. skip is called with those before it.
func (s *Set) part(ctx context.Context, in []input, skip func(unit)) iter.Seq[unit] {
	return func(yield func(unit) bool) {
		n := 0
		if s.options.Shard.Count > 1 {
			for range s.units(ctx, in) {
				if n++; ctx.Err() != nil {
					return
				}
			}
		}
		from, to := s.options.Shard.of(n)
		i := 0
		for u := range s.units(ctx, in) {
			switch {
			case i < from:
				skip(u)
			case i >= to || !yield(u):
				return
			}
			i++
		}
	}
}

// skip counts the frames of a unit of another part and takes their names.
func (s *Set) skip(u unit) {
	s.index++
	if u.err != nil {
		return
	}
	pages := s.pages(u.path)
	if pages == nil {
		s.names.unique(u.name, JPEG)
		return
	}
	defer pages.Close()
	s.index += pages.Len() - 1
	for n := range pages.Len() {
		s.names.unique(pageName(u.name, n), JPEG)
	}
}
