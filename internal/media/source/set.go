package source

import (
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"retinago/internal/file"
	"retinago/internal/media/picture"
	"retinago/internal/media/video"
)

// Options configures a Set.
type Options struct {
	// Stdin is what the source "-" reads names from.
	Stdin io.Reader
	// Retries is how often in a row a stream that broke is opened again; 0 is 8, which takes some two minutes, and below 0 never.
	Retries int
	// Notice is called when a stream breaks and is opened again; several goroutines may call it.
	Notice func(text string)
	// FirstPage gives the first page or frame of an image file alone, as datasets do, instead of all.
	FirstPage bool
	// Leave reports whether a file is to be left out that lies below a folder among the names; nil leaves none out. Only one goroutine
	// calls it at a time.
	Leave func(folder, path string) bool
	// Shard gives a part of the files. Standard input, cameras and streams have none.
	Shard Shard
}

// Set is the sources that a user named, in that order; cameras and streams run in parallel with the rest. It is read once.
type Set struct {
	options Options
	inputs  []input
	names   *uniqueNames
	beside  map[string]int // named images by their folder
	index   int
	dropped atomic.Int64
	open    func(input) (reader, error)
	backoff time.Duration // before the first time that a stream is opened again
}

// input is one named source.
type input struct {
	kind   kind
	name   string
	cam    int // number of the camera
	number int // Video.Input
}

// shown is the name for messages and files, without a password.
func (in input) shown() string {
	if in.kind == stream {
		return video.Public(in.name)
	}
	return in.name
}

type kind int

const (
	files  kind = iota // an image, video, folder or glob
	stdin              // names of such
	camera             // cam:N
	stream             // scheme://...
)

// reader is a video.Reader.
type reader interface {
	Read() (*picture.Picture, time.Duration, error)
	Format() video.Format
	Close() error
}

// open opens a video, camera or stream.
func open(in input) (reader, error) {
	if in.kind == camera {
		return video.OpenCamera(in.cam)
	}
	return video.Open(in.name)
}

// Open makes a set of names: images, videos, folders with their subfolders, globs, "-" for names on standard input one a line,
// cam:N, and addresses of streams. A name may be several, separated by commas. Files must exist; they are opened later.
func Open(names []string, o Options) (*Set, error) {
	if o.Retries == 0 {
		o.Retries = 8
	}
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	if o.Leave == nil {
		o.Leave = func(_, _ string) bool { return false }
	}
	s := &Set{options: o, names: newNames(), beside: map[string]int{}, backoff: time.Second, open: open}
	for _, name := range names {
		for _, part := range split(name) {
			in, err := parse(part)
			if err != nil {
				return nil, err
			}
			if err := o.Shard.refuse(in); err != nil {
				return nil, err
			}
			if in.kind == stdin && o.Stdin == nil {
				return nil, fmt.Errorf("source: -: there is no standard input to read names from")
			}
			if in.kind == files && !hasExtension(in.name, videos) {
				s.beside[filepath.Dir(in.name)]++
			}
			s.inputs = append(s.inputs, in)
		}
	}
	return s, nil
}

// split splits a name at commas, unless it is a file with commas in its name. A part after an address that is no source itself belongs
// to the address.
func split(name string) []string {
	if _, err := os.Stat(name); err == nil || !strings.Contains(name, ",") {
		return []string{name}
	}
	var out []string
	for _, part := range strings.Split(name, ",") {
		if n := len(out); n > 0 && strings.Contains(out[n-1], "://") && !strings.Contains(part, "://") && !strings.HasPrefix(part, "cam:") {
			if _, err := glob(part); err != nil {
				out[n-1] += "," + part
				continue
			}
		}
		out = append(out, part)
	}
	return out
}

// parse returns the input that a name stands for.
func parse(name string) (input, error) {
	if name == "-" {
		return input{kind: stdin, name: name}, nil
	}
	if n, ok := strings.CutPrefix(name, "cam:"); ok {
		v, err := strconv.Atoi(n)
		if err != nil || v < 0 {
			return input{}, fmt.Errorf("source: %s: a camera has a number, as cam:0", name)
		}
		return input{kind: camera, name: name, cam: v}, nil
	}
	if name = local(name); strings.Contains(name, "://") && !exists(name) {
		return input{kind: stream, name: name}, nil
	}
	paths, err := glob(name)
	if err != nil {
		return input{}, err
	}
	for _, path := range paths {
		st, err := os.Stat(path)
		if err != nil || !st.IsDir() {
			return input{kind: files, name: name}, nil
		}
		some := false
		walk(path, wanted, func(string, error) bool { some = true; return false })
		if some {
			return input{kind: files, name: name}, nil
		}
	}
	return input{}, fmt.Errorf("source: %s: no images there (%s), and no videos (%s)", name, strings.Join(pictures, " "), strings.Join(videos, " "))
}

func wanted(path string) bool { return kindOf(path) != other }

// Paths returns the frames of image files.
func Paths(paths []string) func(context.Context) iter.Seq[Frame] {
	return func(ctx context.Context) iter.Seq[Frame] {
		return func(yield func(Frame) bool) {
			for i, path := range paths {
				if ctx.Err() != nil || !yield(Frame{Index: i, Path: path, Name: filepath.Base(path)}) {
					return
				}
			}
		}
	}
}

// Dropped returns the number of frames of realtime sources that were not taken in time.
func (s *Set) Dropped() int64 { return s.dropped.Load() }

// Frames yields one frame after another, also those that cannot be read, until ctx ends. The receiver owns a frame's image. A camera
// or stream that does not answer may stay open for a while after the end.
func (s *Set) Frames(ctx context.Context) iter.Seq[Frame] {
	return func(yield func(Frame) bool) {
		give := func(f Frame) bool {
			f.Index = s.index
			s.index++
			return ctx.Err() == nil && yield(f)
		}
		var still, live []input
		for _, in := range s.inputs {
			if in.kind == camera || in.kind == stream {
				live = append(live, in)
			} else {
				still = append(still, in)
			}
		}
		if len(live) == 0 {
			s.stills(ctx, still, give)
			return
		}
		ctx, stop := context.WithCancel(ctx)
		out := make(chan Frame)
		send := func(f Frame) bool {
			select {
			case <-ctx.Done():
				return false
			case out <- f:
				return true
			}
		}
		var inputs sync.WaitGroup
		for i, in := range live {
			in.number = i + 1
			name := s.names.unique(plain(in.name), JPEG)
			inputs.Go(func() { s.follow(ctx, in, name, send) })
		}
		inputs.Go(func() { s.stills(ctx, still, send) }) // after all others have their names
		go func() {
			inputs.Wait()
			close(out)
		}()
		defer func() {
			stop()
			for f := range out {
				release(f)
			}
		}()
		for f := range out {
			if !give(f) {
				return
			}
		}
	}
}

func release(f Frame) {
	if f.Pic != nil {
		f.Pic.Release()
	}
}

// stills yields the frames of files in their order.
func (s *Set) stills(ctx context.Context, in []input, give func(Frame) bool) {
	for u := range s.part(ctx, in, s.skip) {
		give := give
		if u.series {
			give = serial(give)
		}
		more := false
		if u.err != nil {
			more = give(Frame{Path: u.path, Name: u.name, Err: u.err})
		} else {
			more = s.file(ctx, u.path, u.name, give)
		}
		if !more {
			return
		}
	}
}

// below is a file's path relative to a folder.
func below(folder, file string) string {
	rel, err := filepath.Rel(folder, file)
	if err != nil {
		return filepath.Base(file)
	}
	return rel
}

// Files calls f with the path of every file that Frames is going to read, the name of its first image, which other files may have too, and
// whether it is a video. Names on standard input are not read. A folder or file that cannot be read is passed over.
func (s *Set) Files(f func(path, name string, video bool)) {
	known := slices.DeleteFunc(slices.Clone(s.inputs), func(in input) bool { return in.kind != files })
	for u := range s.part(context.Background(), known, func(unit) {}) {
		if u.err == nil {
			f(u.path, s.firstName(u.path, u.name), hasExtension(u.path, videos))
		}
	}
}

// file yields the frames of an image or video, or the pages of a file that has several.
func (s *Set) file(ctx context.Context, path, name string, give func(Frame) bool) bool {
	if pages := s.pages(path); pages != nil {
		defer pages.Close()
		return s.leaf(ctx, pages, path, name, give)
	}
	name = s.names.unique(name, JPEG)
	if err := file.Irregular(path); err != nil {
		return give(Frame{Path: path, Name: name, Err: fmt.Errorf("source: %w", err)})
	}
	if !hasExtension(path, videos) {
		return give(Frame{Path: path, Name: name})
	}
	return s.play(ctx, input{kind: files, name: path}, name, give)
}
