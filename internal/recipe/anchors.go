package recipe

import (
	"fmt"

	"retinago/anchors"
)

const (
	// clearly is the share of objects that other anchors must reach more than the paper's to be taken.
	clearly = .02
	// atMost is the share of the objects of one size class that they may reach less.
	atMost = .005
)

// chooseAnchors returns the paper's anchors, or their half or anchors fitted to the objects where these reach clearly more objects and lose
// none of a size class. Reached is an object with an anchor of IoU .5 or more.
func chooseAnchors(pictures []anchors.Picture) (anchors.Config, string, error) {
	paper := anchors.Default()
	half := anchors.Default()
	for i := range half.Sizes {
		half.Sizes[i] /= 2
	}
	best, name, cover := paper, "the paper's, 32 to 512 px", paper.Cover(pictures)
	reached := cover.All.At50
	if c := half.Cover(pictures); better(c, cover) {
		best, name, cover = half, "half of the paper's, 16 to 256 px", c
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
