package output

import (
	"retinago/coco"
	"retinago/infer"
)

// COCO writes COCO's results format into a file, which appears when Close has succeeded.
type COCO struct {
	id   func(r infer.Result) (int64, error)
	dets chan coco.Detection
	done chan struct{}
	err  error // once done is closed
}

// NewCOCO begins a file; id returns the image id of a result.
func NewCOCO(path string, id func(r infer.Result) (int64, error)) *COCO {
	c := &COCO{id: id, dets: make(chan coco.Detection), done: make(chan struct{})}
	go func() {
		defer close(c.done)
		c.err = coco.WriteResults(path, func(yield func(coco.Detection, error) bool) {
			for d := range c.dets {
				if !yield(d, nil) {
					return
				}
			}
		})
	}()
	return c
}

// Write adds a result's detections.
func (c *COCO) Write(r infer.Result) error {
	if r.Broken != nil {
		return nil
	}
	id, err := c.id(r)
	if err != nil {
		return err
	}
	for _, d := range r.Found {
		v := coco.Detection{ImageID: id, CategoryID: d.Category.ID, Score: float64(d.Score),
			BBox: [4]float64{float64(d.Box.X1), float64(d.Box.Y1), float64(d.Box.W()), float64(d.Box.H())}}
		select {
		case c.dets <- v:
		case <-c.done:
			return c.err
		}
	}
	return nil
}

// Close completes the file and gives it its name.
func (c *COCO) Close() error {
	close(c.dets)
	<-c.done
	return c.err
}
