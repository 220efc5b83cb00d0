package tiles

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync"

	"retinago/internal/file"
	"retinago/internal/media/picture"
	"retinago/internal/media/register"
	"retinago/internal/processors"
)

// quality of the tiles of JPEGs.
const quality = 95

// Pictures writes the files of tiles.
type Pictures struct {
	To     *register.Folder
	Part   string                 // folder of the images below To, such as train
	File   func(image int) string // path of a dataset's image
	Report func(done, total int)  // called after each image, by one goroutine at a time; nil reports nothing
}

// Name gives every tile the name of its file: NAME_X_Y of the image's name and the tile's corner, with a number behind where two images
// have one name. Tiles of JPEGs are JPEGs, those of all other formats PNGs, without loss. An image that is one tile keeps its name. It is an
// error if a file of another origin has one of the names.
func (p Pictures) Name(tiles []Tile) error {
	ends := map[int]string{}
	for i := range tiles {
		t := &tiles[i]
		path := p.File(t.Image)
		end, ok := ends[t.Image]
		if !ok {
			end = ending(path, t.Whole)
			ends[t.Image] = end
		}
		stem := cmp.Or(strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)), "image")
		if !t.Whole {
			stem += fmt.Sprintf("_%d_%d", t.X, t.Y)
		}
		stem = p.To.Name(filepath.Join(p.Part, stem), fmt.Sprintf("%s %d", p.Part, t.Image), end)
		t.Name = strings.TrimPrefix(stem, p.Part+string(filepath.Separator)) + end
		if err := p.To.Check(filepath.Join(p.Part, t.Name), 0); err != nil {
			return err
		}
	}
	return nil
}

// ending returns the extension of the tiles of an image.
func ending(path string, whole bool) string {
	switch {
	case whole:
		return filepath.Ext(path)
	case isJPEG(path):
		return ".jpg"
	}
	return ".png"
}

// isJPEG reports whether a file begins as a JPEG does.
func isJPEG(path string) bool {
	f, _, err := file.Open(path)
	if err != nil {
		return false // which decoding reports
	}
	defer f.Close()
	var b [3]byte
	_, err = io.ReadFull(f, b[:])
	return err == nil && string(b[:]) == "\xff\xd8\xff"
}

// Write writes the files of tiles, which have names, on all processors. size returns the width and height of an image in the dataset. It
// returns the images that cannot be read or have another size, by their index. When ctx ends it stops with its error.
func (p Pictures) Write(ctx context.Context, tiles []Tile, size func(image int) (w, h int)) (broken map[int]error, err error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	groups := byImage(tiles)
	feed := make(chan []Tile)
	var mu sync.Mutex // guards broken and done, and calls of Report
	broken, done := map[int]error{}, 0
	var workers sync.WaitGroup
	for range processors.Count() {
		workers.Go(func() {
			for group := range feed {
				unreadable, err := p.image(ctx, group, size)
				if err != nil {
					stop(err)
				}
				mu.Lock()
				if unreadable != nil {
					broken[group[0].Image] = unreadable
				}
				if done++; p.Report != nil {
					p.Report(done, len(groups))
				}
				mu.Unlock()
			}
		})
	}
	for _, g := range groups {
		if ctx.Err() != nil {
			break
		}
		feed <- g
	}
	close(feed)
	workers.Wait()
	return broken, context.Cause(ctx)
}

// byImage groups tiles, which are in the order of their images.
func byImage(tiles []Tile) (groups [][]Tile) {
	for from, to := 0, 0; from < len(tiles); from = to {
		for to = from; to < len(tiles) && tiles[to].Image == tiles[from].Image; to++ {
		}
		groups = append(groups, tiles[from:to])
	}
	return groups
}

// image writes the tiles of one image. unreadable says why the image cannot be cut; err ends the work.
func (p Pictures) image(ctx context.Context, tiles []Tile, size func(int) (int, int)) (unreadable, err error) {
	path := p.File(tiles[0].Image)
	pic, pw, ph, done, err := picture.DecodeHeld(ctx, path, nil)
	defer done()
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return err, nil
	}
	defer pic.Release()
	if w, h := size(tiles[0].Image); w != pw || h != ph {
		return fmt.Errorf("%s: the image has %dx%d pixels, the dataset says %dx%d: repair a copy of the dataset with `data check -fix clip`", path, pw, ph, w, h), nil
	}
	for i := range tiles {
		if err := p.tile(pic, path, &tiles[i]); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// tile writes one tile of a decoded image. Where the file system does not take the tile's name, it gets the shorter one of the file.
func (p Pictures) tile(pic *picture.Picture, source string, t *Tile) error {
	to, err := p.To.Path(filepath.Join(p.Part, t.Name), fmt.Sprintf("%s %d", p.Part, t.Image), 0)
	if err != nil {
		return err
	}
	t.Name = filepath.Base(to)
	if t.Whole {
		return copyFile(source, to)
	}
	part := pic.Crop(t.X, t.Y, t.W, t.H)
	defer part.Release()
	if filepath.Ext(to) == ".jpg" {
		return part.WriteJPEG(to, quality)
	}
	return part.WritePNG(to)
}

// copyFile copies an image as it is. The file appears whole or not at all.
func copyFile(from, to string) error {
	f, _, err := file.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	return file.Write(to, func(w *bufio.Writer) error {
		_, err := io.Copy(w, f)
		return err
	})
}
