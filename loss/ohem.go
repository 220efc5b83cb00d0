package loss

import (
	"cmp"
	"slices"

	"retinago/internal/kinds"
)

// OHEM is online hard example mining (Shrivastava et al. 2016; Lin et al. 2017, section 5.1): only the rows with the
// highest losses count.
type OHEM struct {
	Class Class // of the rows; its Eval is called on all of them, one by one

	// Keep is the number of rows that count; 0 sets no bound.
	Keep int
	// Ratio is the number of background rows per row with a class: OHEM 1:3 has 3. The hardest of both count, in numbers that keep the
	// ratio and, where Keep is set, add up to Keep. A batch without positives takes Ratio rows.
	// 0 makes no distinction.
	Ratio float64
	// Excluded reports whether a row does not count because of a harder one that does: the paper's NMS over the rows' boxes. With a
	// Ratio, rows with a class and background do not exclude each other. nil excludes none.
	Excluded func(row, harder int) bool
}

var _ Class = OHEM{}

var ohemKinds = []Kind{{
	Kind: kinds.Kind{Name: "ohem", Text: "binary cross entropy of the hardest anchors (Shrivastava et al. 2016)", Params: []kinds.Param{
		keepParam,
		{Key: "mine_ratio", Max: 1e6, Text: "of background per anchor of an object; 0 makes no distinction"},
		{Key: "mine_nms", Default: .7, Max: 1, Above: true, Text: "IoU with a harder anchor above which one does not count"},
	}},
	Class:              func(p Params) Class { return OHEM{Class: CrossEntropy{}, Keep: p.MineKeep, Ratio: p.MineRatio} },
	HardNegativeMining: true,
}}

// Eval sums the losses of the rows that count; the gradient of the others is zero.
func (o OHEM) Eval(grad, logits []float32, labels []int32) float64 {
	return o.EvalWeighted(grad, logits, labels, func(int) float64 { return 1 })
}

// EvalWeighted is Eval with a factor on the loss of each row. The gradient is not multiplied by it.
func (o OHEM) EvalWeighted(grad, logits []float32, labels []int32, factor func(row int) float64) float64 {
	if err := Check(logits, labels); err != nil {
		panic(err.Error())
	}
	if len(labels) == 0 {
		return 0
	}
	k := len(logits) / len(labels)
	losses := make([]float64, len(labels))
	each((len(labels)+chunk-1)/chunk, func(c int) {
		for i := c * chunk; i < min((c+1)*chunk, len(labels)); i++ {
			losses[i] = o.Class.Eval(nil, logits[i*k:(i+1)*k], labels[i:i+1])
		}
	})
	clear(grad)
	sum := 0.0
	for _, i := range o.Rows(losses, labels) {
		sum += factor(i) * losses[i]
		if grad != nil {
			o.Class.Eval(grad[i*k:(i+1)*k], logits[i*k:(i+1)*k], labels[i:i+1])
		}
	}
	return sum
}

// Rows returns the rows that count, given the loss and label of each: hardest first, equal ones in their order.
func (o OHEM) Rows(losses []float64, labels []int32) []int {
	var order []int
	for i, l := range labels {
		if l != Ignored {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(losses[b], losses[a]) })
	if o.Ratio <= 0 {
		return o.take(order, o.Keep, func(int) bool { return true })
	}
	most := 0
	if o.Keep > 0 {
		most = max(int(float64(o.Keep)/(1+o.Ratio)), 1)
	}
	positives := o.take(order, most, func(row int) bool { return labels[row] >= 0 })
	most = int(o.Ratio * float64(max(len(positives), 1)))
	if o.Keep > 0 {
		most = min(most, o.Keep-len(positives))
	}
	negatives := []int(nil)
	if most > 0 {
		negatives = o.take(order, most, func(row int) bool { return labels[row] == Background })
	}
	out := append(positives, negatives...)
	slices.SortStableFunc(out, func(a, b int) int {
		return cmp.Or(cmp.Compare(losses[b], losses[a]), cmp.Compare(a, b))
	})
	return out
}

// take returns the first rows of order, at most n unless that is 0, for which from holds and that none taken before
// excludes.
func (o OHEM) take(order []int, n int, from func(row int) bool) (out []int) {
	for _, row := range order {
		if n > 0 && len(out) == n {
			break
		}
		if from(row) && (o.Excluded == nil || !slices.ContainsFunc(out, func(harder int) bool { return o.Excluded(row, harder) })) {
			out = append(out, row)
		}
	}
	return out
}
