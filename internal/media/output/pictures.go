package output

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	"retinago/infer"
	"retinago/internal/media/picture"
	"retinago/internal/media/register"
	"retinago/internal/media/source"
)

// Pictures writes an annotated copy of every image as a JPEG.
type Pictures struct {
	to    *register.Folder
	stems names
}

// NewPictures writes below a folder, which is made.
func NewPictures(to *register.Folder) *Pictures {
	p := &Pictures{to: to}
	p.stems.of = func(r infer.Result) string {
		name := CopyName(r)
		ext := filepath.Ext(name)
		return to.Name(strings.TrimSuffix(name, ext), r.Name, ext) + ext
	}
	return p
}

// Name gives a result's copy its name. It is called for one result after another, in their order, before Write.
func (p *Pictures) Name(r infer.Result) {
	if r.Video == nil {
		p.stems.keep(r)
	}
}

// Write draws a result onto its image and writes it. It may be called from several goroutines.
func (p *Pictures) Write(r infer.Result, pic *picture.Picture) error {
	path, err := p.to.Path(p.stems.take(r), r.Name, 0)
	if err != nil {
		return errors.Join(fmt.Errorf("output: %w", err), picture.Draw(pic, infer.Marks(r.Found), r.Captions...))
	}
	return infer.WriteAnnotated(path, pic, r.Found, r.Captions...)
}

// CopyName is the name of the annotated copy of an image or video, where no other source takes it.
func CopyName(r infer.Result) string {
	if r.Video == nil {
		return source.JPEG(r.Name)
	}
	return copyStem(r) + ".mp4"
}

// CopyRoom is how many bytes more than CopyName a copy's name has while it is written.
func CopyRoom(r infer.Result) int {
	if r.Video == nil {
		return 0
	}
	return len(unfinished) - len(".mp4")
}

// names are those that of gave to results which are not written yet.
type names struct {
	of    func(infer.Result) string
	given sync.Map // by index
}

func (n *names) keep(r infer.Result) { n.given.Store(r.Index, n.of(r)) }

func (n *names) take(r infer.Result) string {
	if name, ok := n.given.LoadAndDelete(r.Index); ok {
		return name.(string)
	}
	return n.of(r)
}
