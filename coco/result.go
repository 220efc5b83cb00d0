package coco

import (
	"fmt"
	"slices"
	"strings"
)

// Result is the outcome of Evaluate. A number is -1 where there is nothing to find.
type Result struct {
	// Stats are the twelve numbers: AP at IoU .50:.95, AP50, AP75, AP of small, medium and large objects; AR with 1,
	// 10 and 100 detections, AR of small, medium and large objects.
	Stats [12]float64

	Dims      [5]int    // T, R, K, A, M, see the package's overview
	Precision []float64 // [T,R,K,A,M], row-major
	Scores    []float64 // [T,R,K,A,M], the score at which the precision is reached
	Recall    []float64 // [T,K,A,M], row-major

	IoUs       []float64   // [T]
	Recalls    []float64   // [R]
	AreaNames  []string    // [A]
	MaxDets    [3]int      // [M]
	Classes    []ClassStat // [K], ascending by category id
	Images     int         // evaluated
	Detections int         // given
	Unknown    int         // detections left out: their category is not in the ground truth
}

// ClassStat is one class's row.
type ClassStat struct {
	ID                             int64
	Name                           string
	Objects                        [areaCount]int // that count (crowds do not): all, small, medium, large
	AP, AP50, AP75                 float64
	APSmall, APMedium, APLarge     float64
	AR, ARSmall, ARMedium, ARLarge float64 // with the most detections
}

func newResult(e *evaluation) *Result {
	T, K := len(e.params.IoUs), len(e.classes)
	r := &Result{
		Dims: [5]int{T, recallPoints, K, areaCount, 3},
		IoUs: slices.Clone(e.params.IoUs), Recalls: linspace(0, 1, recallPoints),
		AreaNames: areaNames[:], MaxDets: e.params.MaxDets,
		Images: e.images, Detections: len(e.dt), Unknown: e.unknown,
		Precision: absent(T * recallPoints * K * areaCount * 3),
		Scores:    absent(T * recallPoints * K * areaCount * 3),
		Recall:    absent(T * K * areaCount * 3),
		Classes:   make([]ClassStat, K),
	}
	for k := range r.Classes {
		r.Classes[k].ID, r.Classes[k].Name = e.index.CategoryIDs[k], e.index.Names[k]
	}
	return r
}

func absent(n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = -1
	}
	return v
}

func (r *Result) precisionAt(t, p, k, a, m int) int {
	return (((t*r.Dims[1]+p)*r.Dims[2]+k)*r.Dims[3]+a)*r.Dims[4] + m
}

func (r *Result) recallAt(t, k, a, m int) int {
	return ((t*r.Dims[2]+k)*r.Dims[3]+a)*r.Dims[4] + m
}

// all stands for every threshold or every class in MeanPrecision and MeanRecall.
const all = -1

// MeanPrecision is the mean over thresholds, recall points and classes where there is something to find; t or k of
// -1 takes all thresholds or classes, m indexes MaxDets, a the areas.
func (r *Result) MeanPrecision(t, k, a, m int) float64 {
	var v []float64
	r.each(t, k, func(t, p, k int) { v = append(v, r.Precision[r.precisionAt(t, p, k, a, m)]) }, r.Dims[1])
	return meanPresent(v)
}

// MeanRecall is the mean of the largest recall over thresholds and classes, with the arguments of MeanPrecision.
func (r *Result) MeanRecall(t, k, a, m int) float64 {
	var v []float64
	r.each(t, k, func(t, _, k int) { v = append(v, r.Recall[r.recallAt(t, k, a, m)]) }, 1)
	return meanPresent(v)
}

// PrecisionCurve is the precision [R] at the recall points, with the arguments of MeanPrecision: the mean over thresholds
// and classes where there is something to find.
func (r *Result) PrecisionCurve(t, k, a, m int) []float64 {
	curve := make([]float64, r.Dims[1])
	v := make([][]float64, r.Dims[1])
	r.each(t, k, func(t, p, k int) { v[p] = append(v[p], r.Precision[r.precisionAt(t, p, k, a, m)]) }, r.Dims[1])
	for p := range curve {
		curve[p] = meanPresent(v[p])
	}
	return curve
}

// each walks thresholds, points and classes in the arrays' order.
func (r *Result) each(t, k int, visit func(t, p, k int), points int) {
	t0, t1, k0, k1 := 0, r.Dims[0], 0, r.Dims[2]
	if t != all {
		t0, t1 = t, t+1
	}
	if k != all {
		k0, k1 = k, k+1
	}
	for t := t0; t < t1; t++ {
		for p := range points {
			for k := k0; k < k1; k++ {
				visit(t, p, k)
			}
		}
	}
}

// meanPresent is numpy's mean of the values above -1, and -1 when there are none.
func meanPresent(v []float64) float64 {
	v = slices.DeleteFunc(v, func(x float64) bool { return x <= -1 })
	if len(v) == 0 {
		return -1
	}
	return pairwise(v) / float64(len(v))
}

// pairwise sums as numpy's add.reduce does, so that means agree to the last bit: halves above 128 values, eight
// running sums below.
func pairwise(v []float64) float64 {
	n := len(v)
	if n < 8 {
		sum := 0.0
		for _, x := range v {
			sum += x
		}
		return sum
	}
	if n > 128 {
		half := n / 2
		half -= half % 8
		return pairwise(v[:half]) + pairwise(v[half:])
	}
	s := [8]float64(v[:8])
	i := 8
	for ; i < n-n%8; i += 8 {
		for j := range s {
			s[j] += v[i+j]
		}
	}
	sum := ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]))
	for ; i < n; i++ {
		sum += v[i]
	}
	return sum
}

func (r *Result) summarize() {
	t50, t75 := slices.Index(r.IoUs, .5), slices.Index(r.IoUs, .75)
	at := func(t, k int) float64 {
		if t < 0 {
			return -1 // the threshold was not evaluated
		}
		return r.MeanPrecision(t, k, 0, 2)
	}
	r.Stats = [12]float64{
		r.MeanPrecision(all, all, 0, 2), at(t50, all), at(t75, all),
		r.MeanPrecision(all, all, 1, 2), r.MeanPrecision(all, all, 2, 2), r.MeanPrecision(all, all, 3, 2),
		r.MeanRecall(all, all, 0, 0), r.MeanRecall(all, all, 0, 1), r.MeanRecall(all, all, 0, 2),
		r.MeanRecall(all, all, 1, 2), r.MeanRecall(all, all, 2, 2), r.MeanRecall(all, all, 3, 2),
	}
	for k := range r.Classes {
		c := &r.Classes[k]
		c.AP, c.AP50, c.AP75 = r.MeanPrecision(all, k, 0, 2), at(t50, k), at(t75, k)
		c.APSmall, c.APMedium, c.APLarge = r.MeanPrecision(all, k, 1, 2), r.MeanPrecision(all, k, 2, 2), r.MeanPrecision(all, k, 3, 2)
		c.AR, c.ARSmall, c.ARMedium, c.ARLarge = r.MeanRecall(all, k, 0, 2), r.MeanRecall(all, k, 1, 2), r.MeanRecall(all, k, 2, 2), r.MeanRecall(all, k, 3, 2)
	}
}

// summaryLines names the twelve numbers: average precision or recall, IoU, area, index into MaxDets.
var summaryLines = [12]struct {
	recall bool
	iou    float64 // 0 is the whole range
	area   int
	limit  int
}{
	{false, 0, 0, 2}, {false, .5, 0, 2}, {false, .75, 0, 2}, {false, 0, 1, 2}, {false, 0, 2, 2}, {false, 0, 3, 2},
	{true, 0, 0, 0}, {true, 0, 0, 1}, {true, 0, 0, 2}, {true, 0, 1, 2}, {true, 0, 2, 2}, {true, 0, 3, 2},
}

// Summary is the twelve lines that pycocotools prints.
func (r *Result) Summary() []string {
	lines := make([]string, len(summaryLines))
	for i, l := range summaryLines {
		title, kind := "Average Precision", "(AP)"
		if l.recall {
			title, kind = "Average Recall", "(AR)"
		}
		iou := fmt.Sprintf("%.2f:%.2f", r.IoUs[0], r.IoUs[len(r.IoUs)-1])
		if l.iou > 0 {
			iou = fmt.Sprintf("%.2f", l.iou)
		}
		lines[i] = fmt.Sprintf(" %-18s %s @[ IoU=%-9s | area=%6s | maxDets=%3d ] = %.3f",
			title, kind, iou, areaNames[l.area], r.MaxDets[l.limit], r.Stats[i])
	}
	return lines
}

// String is the Summary, each line ended.
func (r *Result) String() string { return strings.Join(r.Summary(), "\n") + "\n" }

// Table lists the classes with their number of objects, AP, AP50, AP75 and AR; "-" where there is nothing to find.
func (r *Result) Table() string {
	names := newColumn("class", len(r.Classes), func(i int) string { return r.Classes[i].Name })
	var b strings.Builder
	fmt.Fprintf(&b, "%6s  %-*s %8s %7s %7s %7s %7s\n", "id", names.width, "class", "objects", "AP", "AP50", "AP75", "AR")
	for i, c := range r.Classes {
		fmt.Fprintf(&b, "%6d  %-*s %8d %7s %7s %7s %7s\n", c.ID, names.width, names.names[i], c.Objects[0], number3(c.AP), number3(c.AP50), number3(c.AP75), number3(c.AR))
	}
	return b.String()
}

func number3(v float64) string {
	if v < 0 {
		return "-"
	}
	return fmt.Sprintf("%.3f", v)
}
