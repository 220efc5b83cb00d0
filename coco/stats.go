package coco

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Stats describes a dataset. Boxes with unknown images or categories are counted in Boxes only.
type Stats struct {
	Images, Boxes, Categories int
	Crowds                    int
	NoBoxes                   int // images without any
	Small, Medium, Large      int // boxes by area: below 32^2, below 96^2, the rest; crowds left out
	MaxBoxes                  int // in one image
	MeanBoxes, MedianBoxes    float64
	Histogram                 []Bin // images by their number of boxes
	Sized                     int   // images whose width and height are known
	MinWidth, MaxWidth        int
	MinHeight, MaxHeight      int
	Classes                   []ClassCount // ascending by category id
}

// Bin counts the images that have From..To boxes.
type Bin struct{ From, To, Images int }

// ClassCount counts one class.
type ClassCount struct {
	ID                   int64
	Name                 string
	Images               int // that have at least one
	Boxes                int // crowds included
	Crowds               int
	Small, Medium, Large int // crowds left out
}

// Stats counts; it works on data with faults too.
func (d *Dataset) Stats() *Stats {
	s := &Stats{Images: len(d.Images), Boxes: len(d.Annotations), Categories: len(d.Categories)}
	images := make(map[int64]int, len(d.Images))
	for i := range d.Images {
		images[d.Images[i].ID] = i
		s.size(d.Images[i].Width, d.Images[i].Height)
	}
	s.Classes = make([]ClassCount, len(d.Categories))
	for i, c := range d.Categories {
		s.Classes[i] = ClassCount{ID: c.ID, Name: c.Name}
	}
	slices.SortStableFunc(s.Classes, func(a, b ClassCount) int {
		switch {
		case a.ID < b.ID:
			return -1
		case a.ID > b.ID:
			return 1
		}
		return 0
	})
	classes := make(map[int64]*ClassCount, len(s.Classes))
	for i := range s.Classes {
		classes[s.Classes[i].ID] = &s.Classes[i]
	}
	type imageClass struct{ image, category int64 }
	seen := map[imageClass]struct{}{}
	perImage := make([]int, len(d.Images))
	for i := range d.Annotations {
		a := &d.Annotations[i]
		image, known := images[a.ImageID]
		if known {
			perImage[image]++
		}
		c := classes[a.CategoryID]
		if c == nil || !known {
			c = &ClassCount{} // counted in the totals below, shown nowhere
		}
		c.Boxes++
		if k := (imageClass{a.ImageID, a.CategoryID}); known {
			if _, ok := seen[k]; !ok {
				seen[k] = struct{}{}
				c.Images++
			}
		}
		switch {
		case a.IsCrowd:
			s.Crowds++
			c.Crowds++
		case !finite(a.Area): // neither small nor large
		case a.Area < areaRanges[1][1]:
			s.Small++
			c.Small++
		case a.Area < areaRanges[2][1]:
			s.Medium++
			c.Medium++
		default:
			s.Large++
			c.Large++
		}
	}
	s.spread(perImage)
	return s
}

func (s *Stats) size(w, h int) {
	if w <= 0 || h <= 0 {
		return
	}
	if s.Sized++; s.Sized == 1 {
		s.MinWidth, s.MaxWidth, s.MinHeight, s.MaxHeight = w, w, h, h
	}
	s.MinWidth, s.MaxWidth = min(s.MinWidth, w), max(s.MaxWidth, w)
	s.MinHeight, s.MaxHeight = min(s.MinHeight, h), max(s.MaxHeight, h)
}

// spread fills the numbers of boxes per image; the bins are 0, 1, 2, 3-4, 5-8, 9-16 ...
func (s *Stats) spread(perImage []int) {
	if len(perImage) == 0 {
		return
	}
	slices.Sort(perImage)
	n := len(perImage)
	sum := 0
	for _, v := range perImage {
		sum += v
	}
	s.MaxBoxes = perImage[n-1]
	s.MeanBoxes = float64(sum) / float64(n)
	s.MedianBoxes = float64(perImage[(n-1)/2]+perImage[n/2]) / 2
	s.Histogram = []Bin{{0, 0, 0}, {1, 1, 0}}
	for last := 1; last < s.MaxBoxes; last *= 2 {
		s.Histogram = append(s.Histogram, Bin{last + 1, last * 2, 0})
	}
	i := 0
	for _, v := range perImage {
		for v > s.Histogram[i].To {
			i++
		}
		s.Histogram[i].Images++
	}
	s.NoBoxes = s.Histogram[0].Images
}

// String is the table of `data stats`.
func (s *Stats) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "images      %8d   without boxes %d\n", s.Images, s.NoBoxes)
	if s.Sized > 0 {
		fmt.Fprintf(&b, "image size  %d-%d x %d-%d px", s.MinWidth, s.MaxWidth, s.MinHeight, s.MaxHeight)
		if s.Sized < s.Images {
			fmt.Fprintf(&b, "   unknown for %d", s.Images-s.Sized)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "boxes       %8d   crowds %d\n", s.Boxes, s.Crowds)
	fmt.Fprintf(&b, "by area     small (below 32^2) %d   medium (below 96^2) %d   large %d\n", s.Small, s.Medium, s.Large)
	fmt.Fprintf(&b, "per image   mean %.2f   median %g   most %d\n", s.MeanBoxes, s.MedianBoxes, s.MaxBoxes)
	most := 1
	for _, h := range s.Histogram {
		most = max(most, h.Images)
	}
	for _, h := range s.Histogram {
		label := fmt.Sprint(h.From)
		if h.To > h.From {
			label = fmt.Sprintf("%d-%d", h.From, h.To)
		}
		bar := strings.Repeat("#", int(math.Ceil(40*float64(h.Images)/float64(most))))
		b.WriteString(strings.TrimRight(fmt.Sprintf("  %9s %8d  %s", label, h.Images, bar), " ") + "\n")
	}
	names := newColumn("class", len(s.Classes), func(i int) string { return s.Classes[i].Name })
	fmt.Fprintf(&b, "%6s  %-*s %8s %8s %8s %8s %8s %8s\n", "id", names.width, "class", "images", "boxes", "small", "medium", "large", "crowds")
	for i, c := range s.Classes {
		fmt.Fprintf(&b, "%6d  %-*s %8d %8d %8d %8d %8d %8d\n", c.ID, names.width, names.names[i], c.Images, c.Boxes, c.Small, c.Medium, c.Large, c.Crowds)
	}
	return b.String()
}
