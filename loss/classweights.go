package loss

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"retinago/internal/kinds"
)

// ClassWeights is the setting of the factors on the columns of a class loss: numbers separated by commas, one per class, or the name of
// one of Weightings. The empty one weights all classes alike.
type ClassWeights string

// Weighting is a rule that makes weights from the numbers of objects.
type Weighting struct {
	kinds.Kind
	// Of returns the weight of a class with n objects, n >= 1, before all are divided by their mean.
	Of func(n, beta float64) float64
}

// Weightings lists the rules. All divide the weights by their mean, and count a class without objects as one with one.
var Weightings = []Weighting{
	{kinds.Kind{Name: "inverse_frequency", Text: "1/n for a class with n objects"}, func(n, _ float64) float64 { return 1 / n }},
	{kinds.Kind{Name: "effective_number", Text: "(1-beta) / (1-beta^n) (Cui et al. 2019, eq. 2)", Params: []kinds.Param{
		{Key: "class_beta", Default: .999, Max: .999999999, Want: "0 to below 1", Text: "beta of the paper: 0 weights all alike, towards 1 it becomes 1/n"},
	}}, func(n, beta float64) float64 {
		if beta <= 0 {
			return 1
		}
		return (1 - beta) / -math.Expm1(n*math.Log(beta))
	}},
}

// MaxWeight bounds a number in a list of weights.
const MaxWeight = 1e6

// Named reports whether w is a name, whose numbers Resolve finds.
func (w ClassWeights) Named() bool {
	_, err := kinds.Find(Weightings, "weighting", string(w))
	return err == nil
}

// List returns the numbers, each 0 to MaxWeight; nil for the empty one and for a name.
func (w ClassWeights) List() ([]float64, error) {
	if w == "" || w.Named() {
		return nil, nil
	}
	var out []float64
	for i, word := range strings.Split(string(w), ",") {
		v, err := strconv.ParseFloat(strings.TrimSpace(word), 64)
		if err != nil || !(v >= 0 && v <= MaxWeight) {
			return nil, fmt.Errorf("number %d is %.20q", i+1, word)
		}
		out = append(out, v)
	}
	if !slices.ContainsFunc(out, func(v float64) bool { return v > 0 }) {
		return nil, errors.New("all numbers are 0, nothing is learned")
	}
	return out, nil
}

// list is List of weights that were checked.
func (w ClassWeights) list() []float64 {
	out, err := w.List()
	if err != nil {
		panic("loss: class weights: " + err.Error())
	}
	return out
}

// Resolve returns the weights of a name for the numbers of objects by class, as a list; beta is that of effective_number. A list and
// the empty one stay as they are.
func (w ClassWeights) Resolve(objects []int, beta float64) ClassWeights {
	rule, err := kinds.Find(Weightings, "weighting", string(w))
	if err != nil || len(objects) == 0 {
		return w
	}
	weights, sum := make([]float64, len(objects)), 0.0
	for c, n := range objects {
		weights[c] = rule.Of(math.Max(float64(n), 1), beta)
		sum += weights[c]
	}
	words := make([]string, len(weights))
	for c, v := range weights {
		words[c] = strconv.FormatFloat(v*float64(len(weights))/sum, 'g', -1, 64)
	}
	return ClassWeights(strings.Join(words, ","))
}
