package loss

import (
	"cmp"
	"slices"
)

// OHEM is online hard example mining (Shrivastava et al. 2016; Lin et al. 2017, section 5.1): only the rows with the
// highest losses count.
type OHEM struct {
	Class Class // of the rows; its Eval is called on all of them, one by one

	// Keep is the number of rows that count; 0 bounds nothing.
	Keep int
	// Ratio is the number of background rows per row with a class: OHEM 1:3 has 3. The hardest of both count, so many of
	// each that the ratio holds and, where Keep is set, Keep of them in all. A batch without positives takes Ratio rows.
	// 0 does not tell them apart.
	Ratio float64
	// Filter takes rows by falling loss and returns those that may count, in the same order: the place for NMS over the
	// rows' boxes, which the paper does. nil keeps all.
	Filter func(rows []int) []int
}

var _ Class = OHEM{}

// Eval sums the losses of the rows that count; the gradient of the others is zero.
func (o OHEM) Eval(grad, logits []float32, labels []int32) float64 {
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
		if grad == nil {
			sum += losses[i]
		} else {
			sum += o.Class.Eval(grad[i*k:(i+1)*k], logits[i*k:(i+1)*k], labels[i:i+1])
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
	if o.Filter != nil {
		order = o.Filter(order)
	}
	positives, negatives := len(order), 0
	if o.Ratio > 0 {
		found := 0
		for _, i := range order {
			if labels[i] >= 0 {
				found++
			}
		}
		positives = found
		if o.Keep > 0 {
			positives = min(found, max(int(float64(o.Keep)/(1+o.Ratio)), 1))
		}
		negatives = int(o.Ratio * float64(max(positives, 1)))
	}
	var out []int
	for _, i := range order {
		switch {
		case o.Keep > 0 && len(out) == o.Keep:
			return out
		case o.Ratio <= 0:
			out = append(out, i)
		case labels[i] >= 0 && positives > 0:
			positives--
			out = append(out, i)
		case labels[i] == Background && negatives > 0:
			negatives--
			out = append(out, i)
		}
	}
	return out
}
