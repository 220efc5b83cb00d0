package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"retinago/internal/media/picture"
)

// pages opens a file with several pages or frames, nil for another one.
func (s *Set) pages(path string) *picture.Pages {
	if s.options.FirstPage {
		return nil
	}
	return picture.OpenPages(path)
}

// leaf yields the pages of a file in their order, those with an error too.
func (s *Set) leaf(ctx context.Context, pages *picture.Pages, path, name string, give func(Frame) bool) bool {
	for n := range pages.Len() {
		f := Frame{Path: path, Name: s.names.unique(pageName(name, n), JPEG), Pages: pages.Len(), Count: n, Timed: pages.Animated()}
		begin := time.Now()
		f.Pic, f.Time, f.Err = pages.Next(ctx)
		f.Read = time.Since(begin)
		switch {
		case errors.Is(f.Err, io.EOF):
			f.Err = fmt.Errorf("source: %s: it ends after %d of %d pages or frames", path, n, pages.Len())
			return give(f)
		case f.Err == nil:
			f.Series = path
		}
		if !give(f) {
			release(f)
			return false
		}
	}
	return true
}

// firstName is the name of the first image of a file.
func (s *Set) firstName(path, name string) string {
	pages := s.pages(path)
	if pages == nil {
		return name
	}
	pages.Close()
	return pageName(name, 0)
}

// pageName is the name of the page n, from 0, of a file.
func pageName(name string, n int) string {
	ext := filepath.Ext(name)
	return fmt.Sprintf("%s_%06d%s", strings.TrimSuffix(name, ext), n, ext)
}
