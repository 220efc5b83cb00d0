package convert

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"retinago/coco"
	"retinago/internal/text"
)

// Split divides a dataset's images at random into a part with the given share of them and the rest; each keeps at least
// one. Images without objects and those of every class are divided by the share each, as far as their numbers allow:
// images go by their rarest class. Equal seeds make equal parts.
func Split(d *coco.Dataset, share float64, seed uint64) (part, rest *coco.Dataset, err error) {
	if !(share > 0 && share < 1) {
		return nil, nil, fmt.Errorf("convert: a share of %g; give one between 0 and 1", share)
	}
	if len(d.Images) < 2 {
		return nil, nil, fmt.Errorf("convert: %s: %d images cannot be split", d.Path, len(d.Images))
	}
	list, err := objects(d)
	if err != nil {
		return nil, nil, err
	}
	count := map[int64]int{}
	for _, a := range d.Annotations {
		count[a.CategoryID]++
	}
	groups := map[int64][]int{} // by rarest class; 0 objects under -1
	var keys []int64
	for i, as := range list {
		rarest := int64(-1)
		for _, a := range as {
			if rarest < 0 || count[a.CategoryID] < count[rarest] || count[a.CategoryID] == count[rarest] && a.CategoryID < rarest {
				rarest = a.CategoryID
			}
		}
		if groups[rarest] == nil {
			keys = append(keys, rarest)
		}
		groups[rarest] = append(groups[rarest], i)
	}
	slices.Sort(keys)
	r := rand.New(rand.NewPCG(seed, 0))
	in := make([]bool, len(d.Images))
	taken, seen := 0, 0
	for _, k := range keys {
		g := groups[k]
		r.Shuffle(len(g), func(i, j int) { g[i], g[j] = g[j], g[i] })
		seen += len(g)
		// What rounding takes from one group goes to the next.
		want := min(max(int(share*float64(seen)+.5)-taken, 0), len(g))
		for _, i := range g[:want] {
			in[i] = true
		}
		taken += want
	}
	if taken == 0 {
		in[r.IntN(len(in))] = true
	} else if taken == len(in) {
		in[r.IntN(len(in))] = false
	}
	return filter(d, func(i int) bool { return in[i] }, nil), filter(d, func(i int) bool { return !in[i] }, nil), nil
}

// Subset keeps the objects of some classes, all where classes is empty, and the first most images that have any of
// them, all where most is 0. With empty, images without such objects stay too.
func Subset(d *coco.Dataset, classes []string, most int, empty bool) (*coco.Dataset, error) {
	keep, wanted := map[int64]bool{}, map[string]bool{}
	for _, n := range classes {
		wanted[n] = true
	}
	for _, c := range d.Categories {
		if len(classes) == 0 || wanted[c.Name] {
			keep[c.ID] = true
		}
	}
	have, there := categoryNames(d)
	for _, n := range classes {
		if !there[n] {
			return nil, fmt.Errorf("convert: %s: %w", d.Path, text.Unknown("no class", n, have))
		}
	}
	list, err := objects(d)
	if err != nil {
		return nil, err
	}
	taken := 0
	in := make([]bool, len(d.Images))
	for i, as := range list {
		if most > 0 && taken == most {
			break
		}
		in[i] = empty || slices.ContainsFunc(as, func(a coco.Annotation) bool { return keep[a.CategoryID] })
		if in[i] {
			taken++
		}
	}
	return filter(d, func(i int) bool { return in[i] }, keep), nil
}

// filter keeps some images, and of them the objects of some categories, nil for all.
func filter(d *coco.Dataset, image func(i int) bool, categories map[int64]bool) *coco.Dataset {
	out := *d
	out.Images, out.Annotations, out.Categories = nil, nil, nil
	in := map[int64]bool{}
	for i, im := range d.Images {
		if image(i) {
			out.Images = append(out.Images, im)
			in[im.ID] = true
		}
	}
	for _, a := range d.Annotations {
		if in[a.ImageID] && (categories == nil || categories[a.CategoryID]) {
			out.Annotations = append(out.Annotations, a)
		}
	}
	for _, c := range d.Categories {
		if categories == nil || categories[c.ID] {
			out.Categories = append(out.Categories, c)
		}
	}
	return &out
}

// Merge joins datasets. Categories of one name become one; images, objects and categories are numbered anew. Two images
// of one file name are an error: they would be the same image.
func Merge(all ...*coco.Dataset) (*coco.Dataset, error) {
	b := newBuilder("")
	files := map[string]string{}
	var f faults
	for _, d := range all {
		names, index := named(d)
		for _, n := range names {
			b.category(n)
		}
		list, err := objects(d)
		if err != nil {
			return nil, err
		}
		for i, im := range d.Images {
			if other, twice := files[im.FileName]; twice {
				f.add("%s: image %d: %s is in %s too", d.Path, im.ID, im.FileName, other)
				continue
			}
			files[im.FileName] = d.Path
			id := b.image(im.FileName, im.Width, im.Height)
			for _, a := range list[i] {
				a.ID, a.ImageID, a.CategoryID = int64(len(b.d.Annotations)+1), id, b.category(names[index[a.CategoryID]])
				b.d.Annotations = append(b.d.Annotations, a)
			}
		}
	}
	return &b.d, f.err()
}
