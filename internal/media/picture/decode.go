package picture

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"io/fs"

	"retinago/internal/file"
)

// Decode reads an image file, upright. A file that is cut, corrupt or of another format is an error, and so is one that takes more
// than MaxMemory.
func Decode(path string) (*Picture, error) {
	p, _, _, err := DecodeFor(context.Background(), path, nil)
	return p, err
}

// DecodeBytes is Decode on a file's content; name stands for the file in errors.
func DecodeBytes(name string, b []byte) (*Picture, error) {
	p, _, _, err := DecodeBytesFor(context.Background(), name, b, nil)
	return p, err
}

// Target returns the size in pixels to which an image of w x h will be resized.
type Target func(w, h int) (tw, th int)

// DecodeFor is Decode for an image that will be resized. If the target is smaller by 2, 4 or 8 on both sides, a JPEG is decoded at that
// fraction of its size: from the low frequencies of its coefficients, in less time, and resized from there it differs from the whole
// image resized. Other formats, and all files without a target, are decoded whole. w and h are the file's own, upright. When ctx
// ends, decoding ends with its cause, except for formats that OpenCV decodes.
func DecodeFor(ctx context.Context, path string, target Target) (p *Picture, w, h int, err error) {
	p, w, h, done, err := DecodeHeld(ctx, path, target)
	done()
	return p, w, h, err
}

// DecodeHeld is DecodeFor for an image that is used at once: other large images wait for its memory until done is called. Call done
// also after an error.
func DecodeHeld(ctx context.Context, path string, target Target) (p *Picture, w, h int, done func(), err error) {
	done = func() {}
	err = guarded(path, func() error {
		b, err := read(path, target)
		if err != nil {
			return err
		}
		defer held.put(b)
		p, w, h, done, err = decodeFor(ctx, b, target)
		return err
	})
	return p, w, h, done, err
}

// DecodeBytesFor is DecodeFor on a file's content; name stands for the file in errors.
func DecodeBytesFor(ctx context.Context, name string, b []byte, target Target) (p *Picture, w, h int, err error) {
	err = guarded(name, func() error {
		var done func()
		p, w, h, done, err = decodeFor(ctx, b, target)
		done()
		return err
	})
	return p, w, h, err
}

func decodeFor(ctx context.Context, b []byte, target Target) (p *Picture, w, h int, done func(), err error) {
	done = func() {}
	head, err := check(b, target)
	if err != nil {
		return nil, 0, 0, done, err
	}
	n := head.Bytes(target)
	give, err := share(ctx, n)
	if err != nil {
		return nil, 0, 0, done, err
	}
	defer func() {
		if p == nil {
			give()
		}
		held.done(n)
	}()
	if ctx.Err() == nil {
		p, err = decode(ctx, b, head, head.denom(target))
	}
	if p == nil && ctx.Err() != nil { // whichever error the decoder returned
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, 0, 0, done, err
	}
	p.More = further(head.Format, b)
	return p, head.W, head.H, give, nil
}

// headerBytes is the number of bytes that are read first to find the size of an image; most headers are shorter.
const headerBytes = 256 << 10

// read reads a file into memory that the caller frees. It reads the rest of a large file only if its header can be decoded.
func read(path string, target Target) (b []byte, err error) {
	f, info, err := file.Open(path)
	if errors.Is(err, file.ErrIrregular) && file.Irregular(path) == nil {
		return readGiven(path)
	}
	if err != nil {
		return nil, nameless(err)
	}
	defer f.Close()
	size := info.Size()
	if size > 4*headerBytes {
		head := held.get(headerBytes)
		defer held.put(head)
		if _, err := f.ReadAt(head, 0); err != nil {
			return nil, err
		}
		h, err := probe(head, size)
		if errors.Is(err, image.ErrFormat) {
			return nil, unreadable(head, err)
		}
		if err == nil && h.wrong == nil { // else the header is longer, or at the end as TIFF's may be
			if err := h.Check(target); err != nil {
				return nil, err
			}
		}
	}
	if size > maxMemory {
		return nil, fmt.Errorf("it has %d bytes, more than the %d MiB of %s", size, maxMemory>>20, MemoryVariable)
	}
	b = held.get(int(size))
	n, err := io.ReadFull(f, b)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF { // it may have become shorter
		held.put(b)
		return nil, err
	}
	return b[:n], nil
}

// nameless is an error about a file without its name, which the caller adds.
func nameless(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// Size reads an image's width and height, upright, from its header.
func Size(path string) (w, h int, err error) {
	err = guarded(path, func() error {
		f, info, err := file.Open(path)
		if err != nil {
			return nameless(err)
		}
		defer f.Close()
		b, err := io.ReadAll(io.LimitReader(f, headerBytes))
		if err != nil {
			return err
		}
		v, err := probeIn(b, f, info.Size())
		if err != nil && !errors.Is(err, image.ErrFormat) && len(b) == headerBytes { // as in read
			rest, more := io.ReadAll(io.LimitReader(f, maxMemory))
			if more != nil {
				return more
			}
			b = append(b, rest...)
			v, err = probeIn(b, f, info.Size())
		}
		w, h = v.W, v.H
		if err != nil {
			return unreadable(b, err)
		}
		return nil
	})
	return w, h, err
}
