package loss

import (
	"fmt"
	"math"
	"runtime"
	"sync"
)

// Labels of rows without a class.
const (
	Background = -1
	Ignored    = -2
)

// Class is a classification loss.
type Class interface {
	// Eval returns the sum of the losses of logits [n,k] over rows with labels [n], and writes its gradient to grad [n,k]
	// unless that is nil. It panics if lengths do not fit or a label is out of range; Check reports that beforehand.
	Eval(grad, logits []float32, labels []int32) float64
}

// Binary is a classification loss that treats each logit as a binary task of its own, and that engines have a kernel for.
type Binary interface {
	Class
	// At returns the loss of one task, and its slope by x_t: the logit of the labelled class, or the negated logit of another one.
	At(xt float64, positive bool) (loss, slope float64)
	// Formula returns what the kernel computes.
	Formula() Formula
}

// Formula is a Binary loss for an engine's kernel.
type Formula struct {
	Name  string  // of the function in engine/formula; empty is "focal"
	Alpha float64 // weight of the labelled class, 1-Alpha of the others; 0 or negative disables weighting
	Gamma float64
	Beta  float64 // the function's second number
	// Objects and Others are factors on the tasks of a column with the class and without it, one per class; nil is 1.
	Objects, Others []float64
}

// QualityLoss is a classification loss whose target for the labelled class is a quality in [0,1], such as the IoU of the
// boxes, instead of 1.
type QualityLoss interface {
	// Eval is Class.Eval with the quality [n] of each row's labelled class. Rows whose label is no class do not read it.
	Eval(grad, logits []float32, labels []int32, quality []float32) float64
}

// Check returns an error unless logits and labels fit each other: a whole number k of logits per label, labels in [-2,k).
func Check(logits []float32, labels []int32) error {
	if len(labels) == 0 && len(logits) == 0 {
		return nil
	}
	if len(labels) == 0 || len(logits)%len(labels) != 0 || len(logits) == 0 {
		return fmt.Errorf("loss: %d logits do not divide over %d labels", len(logits), len(labels))
	}
	k := len(logits) / len(labels)
	for i, l := range labels {
		if l < Ignored || int(l) >= k {
			return fmt.Errorf("loss: the label of row %d is %d, there are %d classes", i, l, k)
		}
	}
	return nil
}

// row computes the loss of one row and, unless g is nil, writes its gradient.
type row func(g, x []float32, i int, label int32) float64

// chunk is the rows that one goroutine takes at once. It is fixed, so that sums do not depend on the number of cores.
const chunk = 4096

// rows sums f over all rows that are not ignored, whose gradient is zero.
func rows(grad, logits []float32, labels []int32, f row) float64 {
	if err := Check(logits, labels); err != nil {
		panic(err.Error())
	}
	if grad != nil && len(grad) != len(logits) {
		panic(fmt.Sprintf("loss: a gradient of %d for %d logits", len(grad), len(logits)))
	}
	if len(labels) == 0 {
		return 0
	}
	k := len(logits) / len(labels)
	sums := make([]float64, (len(labels)+chunk-1)/chunk)
	each(len(sums), func(c int) {
		for i := c * chunk; i < min((c+1)*chunk, len(labels)); i++ {
			var g []float32
			if grad != nil {
				g = grad[i*k : (i+1)*k]
			}
			if labels[i] == Ignored {
				clear(g)
				continue
			}
			sums[c] += f(g, logits[i*k:(i+1)*k], i, labels[i])
		}
	})
	total := 0.0
	for _, s := range sums {
		total += s
	}
	return total
}

// each calls f for 0 to n-1, on all cores when there is more than one to do.
func each(n int, f func(int)) {
	if n == 1 {
		f(0)
		return
	}
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range next {
				f(i)
			}
		}()
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}

// independent sums a loss that treats every logit as a binary task of its own: f has the logit with the sign of its
// label, x_t = x for the labelled class and -x for the others (Lin et al. 2017, section 3), and returns loss and slope
// by x_t.
func independent(grad, logits []float32, labels []int32, f func(xt float64, positive bool) (loss, slope float64)) float64 {
	return rows(grad, logits, labels, func(g, x []float32, _ int, label int32) float64 {
		sum := 0.0
		for c, v := range x {
			y := sign(c, label)
			l, s := f(y*float64(v), y > 0)
			sum += l
			if g != nil {
				g[c] = float32(y * s)
			}
		}
		return sum
	})
}

// columns is independent with a factor on the loss of each row, which the gradient does not have, and one on each column; nil is 1.
func columns(grad, logits []float32, labels []int32, factor func(row int) float64, classes []float64, f func(xt float64) (loss, slope float64)) float64 {
	if k := len(logits) / max(len(labels), 1); k > 0 && classes != nil && len(classes) != k {
		panic(fmt.Sprintf("loss: %d factors for %d classes", len(classes), k))
	}
	return rows(grad, logits, labels, func(g, x []float32, i int, label int32) float64 {
		sum := 0.0
		for c, v := range x {
			y, w := sign(c, label), 1.0
			if classes != nil {
				w = classes[c]
			}
			l, s := f(y * float64(v))
			sum += w * l
			if g != nil {
				g[c] = float32(w * y * s)
			}
		}
		return factor(i) * sum
	})
}

// sign is 1 for the column of a row's label, else -1.
func sign(column int, label int32) float64 {
	if int32(column) == label {
		return 1
	}
	return -1
}

// sigmoid is 1/(1+e^-x) without overflow.
func sigmoid(x float64) float64 {
	if x >= 0 {
		return 1 / (1 + math.Exp(-x))
	}
	e := math.Exp(x)
	return e / (1 + e)
}

// softplus is log(1+e^x) = -log sigmoid(-x), without overflow.
func softplus(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }
