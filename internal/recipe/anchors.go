package recipe

import (
	"fmt"
	"slices"

	"retinago/anchors"
)

const (
	// clearly is the share of objects that other anchors must reach more than the paper's to be taken.
	clearly = .02
	// atMost is the share of the objects of one size class that they may reach less.
	atMost = .005
)

// paperAnchors returns the paper's anchors; with P2, a level of half the size and stride of the finest one before them.
func paperAnchors(p2 bool) anchors.Config {
	a := anchors.Default()
	if p2 {
		a.Strides, a.Sizes = slices.Insert(a.Strides, 0, a.Strides[0]/2), slices.Insert(a.Sizes, 0, a.Sizes[0]/2)
	}
	return a
}

// chooseAnchors returns the paper's anchors, or their half or anchors fitted to the objects where these reach clearly more objects and lose
// none of a size class. Reached is an object with an anchor of IoU .5 or more.
func chooseAnchors(paper anchors.Config, pictures []anchors.Picture) (anchors.Config, string, error) {
	half := paper
	half.Sizes = slices.Clone(paper.Sizes)
	for i := range half.Sizes {
		half.Sizes[i] /= 2
	}
	span := func(c anchors.Config) string { return fmt.Sprintf("%g to %g px", c.Sizes[0], c.Sizes[len(c.Sizes)-1]) }
	best, name, cover := paper, "the paper's, "+span(paper), paper.Cover(pictures)
	reached := cover.All.At50
	if c := half.Cover(pictures); better(c, cover) {
		best, name, cover = half, "half of the paper's, "+span(half), c
	}
	fitted, err := best.Fit(pictures)
	if err != nil {
		return best, "", err
	}
	if c := fitted.Cover(pictures); better(c, cover) {
		best, name, cover = fitted, "fitted to the objects", c
	}
	why := fmt.Sprintf("%s: %.1f %% of the objects have an anchor of IoU .5 or more", name, 100*cover.All.At50)
	if cover.All.At50 != reached {
		why += fmt.Sprintf(", with the paper's anchors %.1f %%", 100*reached)
	}
	return best, why, nil
}

// better reports whether anchors reach clearly more objects than others, and not fewer of any size class.
func better(c, than anchors.Coverage) bool {
	if c.All.At50 < than.All.At50+clearly {
		return false
	}
	for i := range c.Sizes {
		if c.Sizes[i].Objects > 0 && c.Sizes[i].At50 < than.Sizes[i].At50-atMost {
			return false
		}
	}
	return true
}
