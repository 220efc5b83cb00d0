package serve

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"retinago/infer"
	"retinago/internal/dataset/data"
	"retinago/internal/media/picture"
)

// Answer is the JSON of one image.
type Answer struct {
	Model      string      `json:"model"`
	Width      int         `json:"width"` // of the upright image, in pixels
	Height     int         `json:"height"`
	Detections []Object    `json:"detections,omitzero"` // best first; absent if there are candidates
	Candidates *Candidates `json:"candidates,omitempty"`
	Times      Times       `json:"times_ms"`
	Batch      int         `json:"batch"`                    // images that went through the network together
	More       int         `json:"further_pages,omitempty"`  // pages or frames of the file behind the first, which is the one that was looked at
	Ignored    []string    `json:"ignored_fields,omitempty"` // of a form, that are no parameters
	jpeg       []byte      // the image with boxes, if requested
}

// Object is a detection.
type Object struct {
	Box      [4]float32 `json:"box"` // x1, y1, x2, y2 in pixels
	Class    int        `json:"class"`
	Category int64      `json:"category_id"`
	Name     string     `json:"name"`
	Score    float32    `json:"score"`
}

// Candidates are boxes before NMS: a client can suppress them by any threshold without another request.
type Candidates struct {
	Boxes   []float32  `json:"boxes"` // four of each, on the canvas
	Scale   [2]float32 `json:"scale"` // factors of x and y from the canvas to pixels of the image
	Scores  []float32  `json:"scores"`
	Classes []int32    `json:"classes"`
	Score   float32    `json:"score"` // lowest score of the candidates
	NMS     float32    `json:"nms"`   // the server's threshold
	Method  string     `json:"method"`
	Max     int        `json:"max"`
}

// Times is the duration of each stage, in milliseconds.
type Times struct {
	Decode  float64 `json:"decode"` // of the file, including the wait for a core
	Prepare float64 `json:"prepare"`
	Wait    float64 `json:"wait"` // for other images of the batch and for the network
	Network float64 `json:"network"`
	Boxes   float64 `json:"boxes"`
	NMS     float64 `json:"nms"`
	Draw    float64 `json:"draw"`
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }

// process detects objects in an image that has a place. It draws on the pixels of a frame that has them.
func (s *Server) process(ctx context.Context, p *place, f Frame, c choice) (a *Answer, err error) {
	target := c.target()
	w, h, n, err := s.size(f, target)
	if err != nil {
		return nil, err
	}
	a = &Answer{Model: c.model.Name, Width: w, Height: h}
	begin := time.Now()
	share, err := s.pixels.decoding(ctx, n)
	if err != nil {
		return nil, err
	}
	defer share.release()
	pic, in, err := s.prepare(ctx, c, f, target, begin, a)
	if err != nil {
		return nil, err
	}
	defer pic.Release()
	a.More = pic.More
	share.decoded(int64(len(pic.Pix)))
	if !c.draw {
		pic.Release()
		share.release()
	}
	out, err := p.run(ctx, in)
	if err != nil {
		return nil, err
	}
	a.Batch, a.Times.Wait, a.Times.Network = out.n, ms(out.wait), ms(out.Network)
	if c.raw {
		a.Candidates, a.Times.Boxes = raw(out, c)
	} else {
		objects, t := out.Found(out.k)
		a.Times.Boxes, a.Times.NMS = ms(t.Decode), ms(t.NMS)
		if c.draw {
			begin = time.Now()
			if a.jpeg, err = annotate(pic, objects); err != nil {
				return nil, err
			}
			a.Times.Draw = ms(time.Since(begin))
		}
		a.Detections = make([]Object, len(objects))
		for i, d := range objects {
			a.Detections[i] = Object{[4]float32{d.Box.X1, d.Box.Y1, d.Box.X2, d.Box.Y2}, d.Class, d.Category.ID, d.Category.Name, d.Score}
		}
	}
	s.metrics.took(a)
	return a, nil
}

// prepare decodes an image, if it is a file, and puts it onto its canvas. The caller owns the image unless there is an error.
func (s *Server) prepare(ctx context.Context, c choice, f Frame, target picture.Target, begin time.Time, a *Answer) (pic *picture.Picture, in *infer.Input, err error) {
	pic, w, h := f.Pic, a.Width, a.Height
	if pic == nil {
		if pic, w, h, err = picture.DecodeBytesFor(ctx, "the body", f.File, target); err != nil {
			if ctx.Err() != nil {
				return nil, nil, ctx.Err()
			}
			return nil, nil, undecoded(err)
		}
	}
	ready := false
	defer func() {
		if !ready {
			pic.Release()
		}
	}()
	a.Times.Decode = ms(time.Since(begin))
	begin = time.Now()
	if in, err = c.model.Network.Prepare(pic, data.Size{W: w, H: h}); err != nil {
		return nil, nil, err
	}
	in.Decoding, in.Candidates = c.decoding, c.raw
	a.Times.Prepare = ms(time.Since(begin))
	ready = true
	return pic, in, nil
}

// raw returns the candidates of an image, and the milliseconds of computing them.
func raw(o outcome, c choice) (*Candidates, float64) {
	v, sx, sy, took := o.Candidates(o.k)
	out := &Candidates{Boxes: make([]float32, 0, 4*len(v.Boxes)), Scores: v.Scores, Classes: v.Classes, Scale: [2]float32{sx, sy},
		Score: c.decoding.Score, NMS: c.decoding.NMS, Method: kind(c.decoding.Method), Max: c.decoding.MaxDets}
	for _, b := range v.Boxes {
		out.Boxes = append(out.Boxes, b.X1, b.Y1, b.X2, b.Y2)
	}
	if len(v.Boxes) == 0 { // lists, not null
		out.Scores, out.Classes = []float32{}, []int32{}
	}
	return out, ms(took)
}

// annotate draws detections and encodes the image. The best is drawn last, on top.
func annotate(pic *picture.Picture, objects []infer.Detection) ([]byte, error) {
	marks := make([]picture.Mark, len(objects))
	for i, d := range objects {
		marks[len(objects)-1-i] = picture.Mark{Box: d.Box, Label: fmt.Sprintf("%s %.2f", picture.ClassName(d.Category.Name, d.Category.ID), d.Score), Color: d.Class}
	}
	if err := picture.Draw(pic, marks); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := pic.EncodeJPEG(&b, 90); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
