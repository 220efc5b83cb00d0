package data

import (
	"fmt"

	"retinago/anchors"
	"retinago/coco"
	"retinago/config"
)

// Scaled returns the objects of every image of d as the network sees them at evaluation, for anchors.Config.Cover and Fit: in px of the
// resized image, clipped to it, without crowds. It also returns the names of the classes, class 0 first. It reads no images: an image
// whose size d lacks is an error.
func Scaled(d *coco.Dataset, c config.Data) ([]anchors.Picture, []string, error) {
	s, err := use(d, "")
	if err != nil {
		return nil, nil, err
	}
	out := make([]anchors.Picture, 0, len(d.Images))
	for i, im := range d.Images {
		if im.Width < 1 || im.Height < 1 {
			return nil, nil, fmt.Errorf("%s: image %d (%s) is %dx%d pixels: give its width and height", d.Path, im.ID, im.FileName, im.Width, im.Height)
		}
		to := Resized(Size{im.Width, im.Height}, c.TestSide(), c.MaxSide)
		sx, sy := float32(to.W)/float32(im.Width), float32(to.H)/float32(im.Height)
		p := anchors.Picture{W: to.W, H: to.H, Scale: float64(sx)}
		boxes, classes, crowd := s.Objects(i)
		for k, b := range boxes {
			if !crowd[k] {
				p.Boxes, p.Classes = append(p.Boxes, b.Scale(sx, sy)), append(p.Classes, classes[k])
			}
		}
		out = append(out, p)
	}
	return out, s.index.Names, nil
}
